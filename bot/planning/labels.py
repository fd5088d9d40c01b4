"""The labels of a promotion's pull request: an index for people and searches, never an input to a gate.

`promotion:hold` and `promotion:disabled` tell of orders, and are taken as orders too where people put them on or take them off; that is
left to `reconcile.labelling`.
"""

from collections.abc import Sequence
from typing import assert_never

from bot.domain.directive import Directive, Order
from bot.domain.facts import Facts
from bot.domain.promotion import Move, Promotion, PromotionState
from bot.domain.verdict import Outcome, Verdict
from bot.planning.orders import names

LABEL = "promotion"
INPUT = {Order.HOLD: f"{LABEL}:hold", Order.DISABLE: f"{LABEL}:disabled"}
"""Labels that are orders, and tell of orders."""


def opening_labels(promotion: Promotion) -> tuple[str, ...]:
    """What a new pull request carries."""
    return (LABEL, f"stage:{promotion.stage}", f"{LABEL}:waiting")


def labels(promotion: Promotion, verdicts: Sequence[Verdict], ordered: Sequence[str] = ()) -> tuple[str, ...]:
    """All of the bot's own labels for the promotion's present state: exactly one word for it among them. `ordered` are those of orders."""
    marks = dict.fromkeys([*_marks(verdicts), *ordered])
    return (LABEL, f"stage:{promotion.stage}", f"{LABEL}:{state_label(promotion, verdicts)}", *marks)


def ordered(facts: Facts, promotion: Promotion) -> tuple[str, ...]:
    """The labels of people's orders about this pull request: held, disabled, gone back, and that a gate was overridden at its merge."""
    found = []
    for one in facts.directives:
        if one.stage != promotion.stage:
            continue
        mine = promotion.number is not None and one.number == promotion.number
        if mine and one.order in INPUT and one.active(facts.now):
            found.append(INPUT[one.order])
        if mine and one.order is Order.OVERRIDE and _held_at_the_merge(one, promotion):
            found.append(f"{LABEL}:override")
        if one.order is Order.REVERT and any(_goes_back(one, move) for move in promotion.moves):
            found.append(f"{LABEL}:rollback")
    return tuple(dict.fromkeys(found))


def _held_at_the_merge(order: Directive, promotion: Promotion) -> bool:
    """It stays on for good: searches for what was let through find it."""
    merged = promotion.merged_at
    return (
        merged is not None and order.head == promotion.head and order.withdrawn_at is None and (order.until is None or merged < order.until)
    )


def _goes_back(order: Directive, move: Move) -> bool:
    """Is this the move that a person's rollback ordered: from exactly what stood there, to the named version?"""
    return order.service == move.service and order.details.get("from") == move.old.text and order.version in names(move.new)


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
