"""The words about a rollout: under way, healthy, failed, taken back; for the status comment, Slack, `why` and the audit log."""

from datetime import datetime, timedelta

from bot.domain.duration import spell
from bot.domain.facts import Health
from bot.domain.promotion import Promotion
from bot.domain.release import Release
from bot.domain.rollout import RolloutState
from bot.domain.verdict import Verdict
from bot.messages.pulls import title
from bot.messages.words import cause, full, instant, listing, prose

AFTERWARDS = {
    "revert": "The bot takes it back with a commit now.",
    "revert-pr": "The bot opens a pull request that takes it back now.",
    "notify": "This stage is set to tell only: nothing is taken back.",
}


def moved(promotion: Promotion) -> str:
    """`payments 1.9.0`."""
    return listing([f"{move.service} {move.new}" for move in promotion.moves])


def restored(promotion: Promotion) -> str:
    """`payments 1.8.2`."""
    return listing([f"{move.service} {move.old}" for move in promotion.moves])


def rolling(promotion: Promotion, state: RolloutState, reason: str, deadline: datetime) -> str:
    return f"{moved(promotion)} rolls out in {promotion.stage} ({state}: {cause(reason)}). It has until {instant(deadline)}."


def baking(promotion: Promotion, done_at: datetime) -> str:
    return f"{moved(promotion)} runs healthily in {promotion.stage} and has to stay so until {instant(done_at)}."


def degraded_for_now(reason: str, fails_at: datetime) -> str:
    return f"Degraded: {cause(reason)}. It has until {instant(fails_at)} to recover."


def blind(stage: str, problem: str, deadline: datetime) -> str:
    return (
        f"The rollout should have been healthy by {instant(deadline)}, but {stage} cannot be seen: {cause(problem)}. "
        "Nothing is passed and nothing taken back until it can."
    )


def unseen(stage: str, problem: str, since: datetime) -> str:
    return (
        f"Nobody can see how {stage} is since {instant(since)}: {cause(problem)}. "
        "No version leaves it, and gates that ask about it pass nothing, until it can be seen. This is told once."
    )


def timed_out(reason: str, timeout: timedelta) -> str:
    return f"not healthy within {int(timeout.total_seconds())} s; last seen: {cause(reason)}"


def not_taken(present: str, wanted: str) -> str:
    return f"the GitOps agent has not taken the change: it stands at {present[:12]}, which does not hold commit {wanted[:12]}"


def overtaken(service: str, stage: str, wanted: Release, present: Release) -> str:
    return f"{stage} now declares {service} {present}, not {wanted}: a newer change has overtaken this rollout."


def under_way(promotion: Promotion, deadline: datetime, bake: timedelta) -> str:
    stays = f", and then to stay so for {spell(bake)}" if bake else ""
    return f"{moved(promotion)} is merged and rolls out in {promotion.stage}. It has until {instant(deadline)} to become healthy{stays}."


def healthy(promotion: Promotion, since: datetime) -> str:
    return f"{moved(promotion)} runs healthily in {promotion.stage} since {instant(since)}."


def failed(promotion: Promotion, reason: str) -> str:
    return f"The rollout of {moved(promotion)} in {promotion.stage} failed: {cause(reason)}."


def failed_notice(promotion: Promotion, reason: str, on_failure: str) -> str:
    return f"{failed(promotion, reason)}\n{AFTERWARDS[on_failure]} {moved(promotion)} is quarantined in {promotion.stage} and after it."


def left_in_place(promotion: Promotion, stage: str) -> str:
    return (
        f"{failed(promotion, promotion.reason)} {stage} is set to tell only, so it was left in place. "
        f"`/promote rollback {promotion.name} {stage}` takes it back."
    )


def taking_back(promotion: Promotion) -> str:
    return f"The rollout of {moved(promotion)} failed; {restored(promotion)} is being restored."


def revert_waits(promotion: Promotion, verdict: Verdict) -> str:
    return f"{failed(promotion, promotion.reason)} Taking it back waits: {full(verdict.sentence, verdict.changer)}"


def reverting(promotion: Promotion, state: RolloutState, reason: str, deadline: datetime) -> str:
    what = f"{restored(promotion)} was restored in {promotion.stage} and rolls out"
    return f"{what} ({state}: {cause(reason)}). It has until {instant(deadline)}."


def revert_unmerged(promotion: Promotion) -> str:
    return (
        f"{failed(promotion, promotion.reason)} #{promotion.revert_number} restores {restored(promotion)} and is not merged yet: "
        f"the rules of {promotion.stage}'s branch do not let the bot merge it now. "
        "Whoever may review and merge there can; the bot tries again at each event."
    )


def recovered(promotion: Promotion, since: datetime) -> str:
    return f"{promotion.stage} is healthy again with {restored(promotion)} since {instant(since)}. {moved(promotion)} stays quarantined."


def revert_failed(promotion: Promotion, reason: str) -> str:
    return (
        f"{restored(promotion)} was restored in {promotion.stage}, but it is not healthy either: {cause(reason)}. "
        f"The stage is on hold. A person has to look; `/promote unhold {promotion.stage}` lets it go on."
    )


def too_many_reverts(stage: str, count: int) -> str:
    return (
        f"{count} promotions in a row failed in {stage} without a healthy one between them, so the bot stops here: "
        f"no ping-pong. A person has to look; `/promote unhold {stage}` lets it go on."
    )


def revert_title(promotion: Promotion) -> str:
    return f"revert({promotion.stage}): {', '.join(f'{move.service} {move.new} -> {move.old}' for move in promotion.moves)}"


def revert_message(promotion: Promotion) -> str:
    """The revert's commit message, with the trailers by which its promotion is found."""
    merged = f" of {promotion.merge_commit[:12]}" if promotion.merge_commit else ""
    return (
        f"{revert_title(promotion)}\n\nTakes back {title(promotion)}{merged}.\n{promotion.reason}\n\n"
        f"Reverts-Promotion: {promotion.id}\nPromotion-Stage: {promotion.stage}\n"
    )


def revert_body(promotion: Promotion) -> str:
    number = f" (#{promotion.number})" if promotion.number is not None else ""
    return f"{prose(failed(promotion, promotion.reason))}\n\nRestores {restored(promotion)}; takes back {title(promotion)}{number}."


def turned_bad(health: Health, stage: str) -> str:
    return f"{health.service} {health.release} turned bad in {stage} after it had been healthy: {cause(health.reason)}."
