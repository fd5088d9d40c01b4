"""Carries out one action of a plan. One match over the union of actions; each kind's steps stand in a file of their own.

Decides nothing: what to do was planned, and each step refuses by itself when the world has moved on (`Stale`).
"""

from datetime import datetime
from typing import assert_never

from bot.domain.action import (
    Action,
    ClosePromotion,
    MergePromotion,
    Notify,
    OpenPromotion,
    Reply,
    Revert,
    SaveDeployment,
    SaveHealth,
    SavePromotion,
    SaveQuarantine,
    SaveStageHold,
    SaveVerdicts,
    Show,
    UpdatePromotion,
)
from bot.reconcile import crash, telling
from bot.reconcile.closing import close_promotion
from bot.reconcile.merging import merge_promotion
from bot.reconcile.opening import open_promotion, update_promotion
from bot.reconcile.reverting import revert
from bot.reconcile.tools import Tools


def apply(tools: Tools, action: Action) -> datetime | None:
    """Carry the action out; the answer is when to look again because of it (None: not because of it)."""
    history = tools.history
    match action:
        case OpenPromotion():
            open_promotion(tools, action)
        case UpdatePromotion():
            update_promotion(tools, action)
        case ClosePromotion():
            close_promotion(tools, action)
        case MergePromotion():
            merge_promotion(tools, action)
        case Revert():
            revert(tools, action)
        case Show():
            return telling.show(tools, action)
        case Notify():
            telling.notify(tools, action)
        case Reply():
            telling.reply(tools, action)
        case SavePromotion():
            now = tools.clock()
            tools.effects.step(crash.SAVED, lambda: history.save_promotion(action.promotion, why=action.why, actor=action.actor, now=now))
        case SaveHealth():
            history.save_health(action.stage, action.health, now=tools.clock())
        case SaveVerdicts():
            history.save_verdicts(action.promotion, action.verdicts, now=tools.clock())
        case SaveQuarantine():
            history.save_quarantine(action.quarantine, now=tools.clock())
        case SaveStageHold():
            history.save_stage_hold(action.hold, now=tools.clock())
        case SaveDeployment():
            history.save_deployment(action)
        case _:
            assert_never(action)
    return tools.clock() if changes_the_world(action) else None


def changes_the_world(action: Action) -> bool:
    """True for what makes a fresh look worth while at once: the next step of the promotion may be possible now."""
    return isinstance(action, OpenPromotion | UpdatePromotion | ClosePromotion | MergePromotion | Revert | SavePromotion | SaveQuarantine)
