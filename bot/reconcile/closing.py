"""Closes a promotion that has lost its reason: the record says why, then the pull request, then the branch goes.

Whoever comes after a crash in between finishes it, and does not take the closed pull request for a person's doing.
"""

from dataclasses import replace

from bot.domain.action import ClosePromotion
from bot.domain.promotion import Promotion, PromotionState
from bot.messages.words import prose
from bot.reconcile import crash
from bot.reconcile.opening import find_open, require_unmerged
from bot.reconcile.tools import BOT, Tools


def close_promotion(tools: Tools, action: ClosePromotion) -> None:
    """Note why, say why, close, delete the branch if it is still ours, and note it. `Stale` when it was merged meanwhile."""
    promotion = action.promotion
    require_unmerged(tools, promotion)
    if promotion.state is PromotionState.OPEN:
        closing = replace(promotion, reason=action.reason)
        promotion = tools.history.save_promotion(closing, why=f"about to close: {action.reason}", actor=BOT, now=tools.clock())
    finish_close(tools, promotion, action.reason)


def closing(tools: Tools, promotion: Promotion) -> bool:
    """True when an earlier run began to close this open promotion: its end is not a person's doing."""
    return promotion.state is PromotionState.OPEN and bool(promotion.reason) and tools.effects.known(_close_key(promotion))


def finish_close(tools: Tools, promotion: Promotion, reason: str) -> None:
    """All that may be done twice."""
    place, number = tools.place, promotion.number
    if number is None and promotion.head:
        found = find_open(tools, promotion.branch, promotion.head)
        number = found.number if found else None
    if number is not None:
        target = number
        tools.forge.reply(place.repository, number, prose(reason), marker=f"close:{promotion.id}")

        def do() -> str:
            tools.forge.close_pull(place.repository, target)
            return "closed"

        tools.effects.once(_close_key(promotion), name=crash.PULL_CLOSED, look=lambda: None, do=do, kind=str)
    head = tools.repositories.refresh(place.repository).get(promotion.branch)
    if head is not None and head == promotion.head:
        tools.repositories.push(place.repository, {promotion.branch: (head, None)})
    ended = promotion.state if not promotion.state.in_flight else PromotionState.CLOSED
    now = tools.clock()
    closed = replace(promotion, state=ended, number=number, ended_at=promotion.ended_at or now, reason=reason)
    tools.history.save_promotion(closed, why=reason, actor=BOT, now=now)


def _close_key(promotion: Promotion) -> str:
    return f"close:{promotion.id}"
