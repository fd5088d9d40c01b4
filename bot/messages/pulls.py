"""The words of a promotion's pull request: title, body, commit message, and the sentences about what became of it."""

from collections.abc import Sequence

from bot.domain.promotion import Promotion, PromotionState
from bot.domain.verdict import Verdict
from bot.messages.comment import cell
from bot.messages.words import code, full, instant, listing

SOMEBODY = "somebody"


def title(promotion: Promotion) -> str:
    """`promote(qa): payments 1.8.2 -> 1.9.0`."""
    if len(promotion.moves) == 1:
        move = promotion.moves[0]
        return f"promote({promotion.stage}): {move.service} {move.old} -> {move.new}"
    return f"promote({promotion.stage}): {promotion.name} ({len(promotion.moves)} services)"


def merge_title(promotion: Promotion) -> str:
    """The title of the commit on the stage's branch, with the pull request's number as GitHub would write it."""
    return f"{title(promotion)} (#{promotion.number})" if promotion.number is not None else title(promotion)


def commit_message(promotion: Promotion) -> str:
    """The commit's message; the trailers are ours, nobody's text stands in them."""
    rows = [f"- {move.service} {move.old} -> {move.new}" for move in promotion.moves]
    return "\n".join([title(promotion), "", *rows, "", trailers(promotion)]) + "\n"


def body(promotion: Promotion) -> str:
    """What is promoted, and exactly which values change."""
    rows = [
        f"| {code(edit.path)}:{edit.line} | {code(edit.artifact)} | {code(str(edit.old))} | {code(str(edit.new))} |"
        for move in promotion.moves
        for edit in move.edits
    ]
    moved = listing([f"{code(move.service)} {cell(str(move.old))} → {cell(str(move.new))}" for move in promotion.moves])
    return "\n".join(
        [
            f"Promotes {moved} into **{promotion.stage}**. Each file changes in the version's characters only.",
            "",
            "| where | what | from | to |",
            "|---|---|---|---|",
            *rows,
            "",
            "The gates and what they say stand in the status comment below; it is kept current. "
            "Pushing to this branch makes the pull request yours: the bot stops editing it.",
        ]
    )


def ready(promotion: Promotion) -> str:
    moved = listing([f"{move.service} {move.old} -> {move.new}" for move in promotion.moves])
    return f"{moved} is ready for {promotion.stage}: a pull request is opened."


def state_sentence(promotion: Promotion, verdicts: Sequence[Verdict], blocking: Verdict | None, *, merge: str) -> str:
    """The first thing to read about an open promotion."""
    if blocking is None:
        if promotion.taken_over_by:
            return "All gates pass. The branch was pushed to by a person, so the bot does not merge it: a person may."
        if merge == "manual":
            return "All gates pass. This stage is merged by people: press the button, or `/promote merge`."
        return "All gates pass: it is being merged."
    others = sum(1 for verdict in verdicts if not verdict.lets_pass) - 1
    more = f" {others} more gate{'s' if others > 1 else ''} to pass." if others else ""
    by_people = merge == "manual" or bool(promotion.taken_over_by)
    return f"{full(blocking.sentence, blocking.changer)}{more} {expected(verdicts, by_people=by_people)}"


def expected(verdicts: Sequence[Verdict], *, by_people: bool) -> str:
    """When it is merged, as far as anybody can say: what time alone brings, and which gates wait for something else."""
    holding = [verdict for verdict in verdicts if not verdict.lets_pass]
    ends = [verdict.passes_at for verdict in holding if verdict.passes_at is not None]
    others = [code(verdict.gate) for verdict in holding if verdict.passes_at is None]
    what = "It can be merged" if by_people else "It is merged"
    if not others:
        return f"{what} at {instant(max(ends))} at the earliest, by time alone." if ends else ""
    named = others if len(others) <= 3 else [*others[:3], f"{len(others) - 3} more"]
    passing = f"{listing(named)} pass{'es' if len(others) == 1 else ''}"
    return f"{what} as soon as {passing}{f', but not before {instant(max(ends))}' if ends else ''}."


def merged_by(login: str, blocking: Verdict | None) -> str:
    who = f"@{login}" if login else "the forge"
    bypass = f" The gate {blocking.gate} had not passed: {blocking.sentence}" if blocking is not None else ""
    return f"The pull request was merged by {who}.{bypass}"


def closed_by(login: str) -> str:
    if login:
        return f"@{login} closed the pull request. This version is not offered again by itself."
    return "The pull request was closed."


def taken_over(head: str, other: str) -> str:
    return (
        f"The branch moved from {head[:7]} to {other[:7]} by a push that is not the bot's: a person has taken over, the bot stops editing."
    )


def superfluous(sentence: str) -> str:
    return f"This promotion has lost its reason: {sentence}"


def renewed(old: Promotion, new: Promotion) -> str:
    before, after = ({move.service: move.new for move in promotion.moves} for promotion in (old, new))
    changed = [f"{service} {release}" for service, release in after.items() if before.get(service) != release]
    if changed:
        return f"Newer: {listing(changed)}. The pull request carries it now; approvals of the old content have fallen."
    return f"Its files changed on the stage's branch: made again on {new.base[:7]}. Approvals of the old head have fallen."


def adopted(promotion: Promotion) -> str:
    return f"Found again by its marker in pull request #{promotion.number}."


def recovered(promotion: Promotion) -> str:
    where = (promotion.revert_commit or promotion.merge_commit or "")[:9]
    match promotion.state:
        case PromotionState.FAILED:
            goes_on = "the pull request that takes it back is still open"
        case PromotionState.REVERTED:
            goes_on = "it was taken back, and does not come again by itself"
        case _:
            goes_on = "its rollout is watched on"
    return f"Found again in the log of {promotion.stage}'s branch, at {where}: {goes_on}."


def trailers(promotion: Promotion) -> str:
    """The lines by which a promotion's commit is known again, whatever else its message says."""
    return f"Promotion-Id: {promotion.id}\nPromotion-Stage: {promotion.stage}"


def gone(promotion: Promotion) -> str:
    return f"{listing(list(promotion.services))} no longer stands in {promotion.stage} or upstream of it."


def still_moving(services: Sequence[str], stage: str) -> str:
    return f"{listing(services)} still rolls out in {stage}; the next promotion follows when that is over."


def restless(promotion: Promotion, times: int, title: str) -> str:
    """What the pull request shows goes to and fro."""
    return (
        f"#{promotion.number} in {promotion.stage} was shown anew {times} times within an hour, last as {title!r}: it goes to and fro. "
        "It is shown again when the hour is over; its gates are asked as ever. A gate with a longer `for` or a wider limit is calmer."
    )
