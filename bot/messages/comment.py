"""The one status comment of a pull request, and the check's title and table. Nothing in it depends on the moment it is written,
so that it changes only when something changed."""

from collections.abc import Sequence
from typing import assert_never

from bot.domain.promotion import Promotion, PromotionState
from bot.domain.verdict import Outcome, Verdict
from bot.messages.words import code, instant, prose

SIGNS = {Outcome.PASSED: "✅", Outcome.PENDING: "⏳", Outcome.FAILED: "⛔", Outcome.UNKNOWN: "❔"}
STATE_SIGNS = {
    PromotionState.MERGED: "🚚",
    PromotionState.HEALTHY: "✅",
    PromotionState.FAILED: "❌",
    PromotionState.REVERTING: "↩️",
    PromotionState.REVERTED: "↩️",
    PromotionState.STUCK: "🆘",
    PromotionState.SUPERSEDED: "⏭️",
    PromotionState.CLOSED: "🚫",
}
LONGEST = 60_000
COMMANDS = (
    "<details><summary>Commands you can use here</summary>\n\n"
    '`/promote approve` · `/promote hold --reason "…"` · `/promote why` · `/promote rebase` · `/promote cancel` · '
    "`/promote help` lists those that you may give\n\n</details>"
)
"""In code spans and folded, so that no bot takes them for commands, ours included."""


def waiting(promotion: Promotion, verdicts: Sequence[Verdict], sentence: str) -> str:
    """Before the merge: the verdict, what holds it, every gate with who or what can change it."""
    passed = sum(1 for verdict in verdicts if verdict.lets_pass)
    blocking = [verdict for verdict in verdicts if not verdict.lets_pass]
    sign = "✅" if not blocking else "⛔" if any(verdict.outcome is Outcome.FAILED for verdict in blocking) else "⏳"
    head = f"### {sign} {headline(promotion)} · {passed} of {len(verdicts)} gates pass"
    foot = f"<sub>head `{promotion.head[:7]}` on `{promotion.base[:7]}` of {promotion.stage}</sub>"
    return clip("\n\n".join([head, f"**{cell(sentence)}**", table(verdicts), COMMANDS, foot]))


def after_merge(promotion: Promotion, sentence: str) -> str:
    """After the merge: how the rollout went."""
    head = f"### {STATE_SIGNS.get(promotion.state, '🚚')} {headline(promotion)} · {state_title(promotion)}"
    rows = [f"- {code(move.service)}: {code(str(move.old))} → {code(str(move.new))}" for move in promotion.moves]
    times = [
        f"{label} {instant(at)}"
        for label, at in (
            ("merged", promotion.merged_at),
            ("failed", promotion.failed_at),
            ("healthy since", promotion.healthy_since),
            ("closed", promotion.ended_at if promotion.state is PromotionState.CLOSED else None),
        )
        if at is not None
    ]
    foot = [f"<sub>{' · '.join(times)}</sub>"] if times else []
    return clip("\n\n".join([head, f"**{cell(sentence)}**", "\n".join(rows), *foot]))


def table(verdicts: Sequence[Verdict]) -> str:
    """All gates as a Markdown table, those that hold first."""
    rows = ["| | gate | now | who or what can change it |", "|---|---|---|---|"]
    for verdict in sorted(verdicts, key=lambda item: item.lets_pass):
        changer = "–" if verdict.lets_pass else _changer(verdict) or "–"
        rows.append(f"| {SIGNS[verdict.outcome]} | {cell(verdict.gate)} | {cell(verdict.sentence)} | {changer} |")
    return "\n".join(rows)


def _changer(verdict: Verdict) -> str:
    if verdict.look_again is None:
        return cell(verdict.changer)
    changer = f"{verdict.changer.rstrip('. ')}. " if verdict.changer else ""
    return cell(f"{changer}Next look: {instant(verdict.look_again)}.")


def check_title(verdicts: Sequence[Verdict]) -> str:
    """The first blocking reason, short enough for a check's title."""
    for outcome in (Outcome.FAILED, Outcome.UNKNOWN, Outcome.PENDING):
        for verdict in verdicts:
            if verdict.outcome is outcome:
                return f"{verdict.gate}: {verdict.sentence}"[:140]
    return "all gates pass"


def state_title(promotion: Promotion) -> str:
    """One phrase for where the promotion stands."""
    match promotion.state:
        case PromotionState.OPENING | PromotionState.OPEN:
            return "open"
        case PromotionState.MERGED:
            return "merged, rolling out"
        case PromotionState.HEALTHY:
            return "healthy"
        case PromotionState.FAILED:
            return "the rollout failed"
        case PromotionState.REVERTING:
            return "the rollout failed, being taken back"
        case PromotionState.REVERTED:
            return "the rollout failed, taken back"
        case PromotionState.STUCK:
            return "a person is needed"
        case PromotionState.SUPERSEDED:
            return "overtaken by a newer change"
        case PromotionState.CLOSED:
            return "closed"
        case _:
            assert_never(promotion.state)


def headline(promotion: Promotion) -> str:
    """`payments 1.8.2 → 1.9.0 to prod`, or the batch's name and size."""
    if len(promotion.moves) == 1:
        move = promotion.moves[0]
        return f"{code(move.service)} **{cell(str(move.old))} → {cell(str(move.new))}** to **{promotion.stage}**"
    return f"{code(promotion.name)} ({len(promotion.moves)} services) to **{promotion.stage}**"


def cell(text: str) -> str:
    """A sentence inside a table cell or bold text: one line, no bars, no HTML, no mention of anybody by accident."""
    return prose(text).replace("|", "\\|")


def clip(text: str) -> str:
    """At most as long as GitHub takes, cut at a line's end."""
    if len(text) <= LONGEST:
        return text
    return text[:LONGEST].rpartition("\n")[0] + "\n\n… cut here; `promotion-bot why` shows all of it."
