"""The labels of a promotion's pull request: an index for people and searches, never an input to a gate."""

from collections.abc import Sequence
from typing import assert_never

from bot.domain.promotion import Promotion, PromotionState
from bot.domain.verdict import Outcome, Verdict

LABEL = "promotion"


def opening_labels(promotion: Promotion) -> tuple[str, ...]:
    """What a new pull request carries."""
    return (LABEL, f"stage:{promotion.stage}", f"{LABEL}:waiting")


def labels(promotion: Promotion, verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """All of the bot's own labels for the promotion's present state: exactly one `promotion:<state>` among them."""
    return (LABEL, f"stage:{promotion.stage}", f"{LABEL}:{state_label(promotion, verdicts)}", *_marks(verdicts))


def state_label(promotion: Promotion, verdicts: Sequence[Verdict]) -> str:
    """The one word for the state."""
    match promotion.state:
        case PromotionState.FAILED | PromotionState.REVERTING | PromotionState.REVERTED | PromotionState.STUCK:
            return "failed"
        case PromotionState.SUPERSEDED | PromotionState.CLOSED:
            return "superseded"
        case PromotionState.MERGED | PromotionState.HEALTHY:
            return "merged"
        case PromotionState.OPENING | PromotionState.OPEN:
            outcomes = {verdict.outcome for verdict in verdicts}
            if Outcome.FAILED in outcomes:
                return "blocked"
            return "waiting" if outcomes - {Outcome.PASSED} else "ready"
        case _:
            assert_never(promotion.state)


def _marks(verdicts: Sequence[Verdict]) -> list[str]:
    marks = []
    if any(verdict.overridden_by for verdict in verdicts):
        marks.append(f"{LABEL}:override")
    if any(verdict.gate in ("freeze", "window") and not verdict.lets_pass for verdict in verdicts):
        marks.append(f"{LABEL}:frozen")
    return marks
