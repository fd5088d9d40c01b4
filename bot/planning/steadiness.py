"""Since when a release has been healthy in a stage, short interruptions aside: the clock of the soak time.

Decides from the health recorded last and the one seen now. A degraded spell within the stage's `rollout.grace` is no break, nor is one of
scaling or restarting (progressing) within `rollout.timeout`: an autoscaler would otherwise keep a version soaking for ever. While nobody
can see the cluster the clock is kept, though no gate passes then. Another release begins anew.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.config.stage import Rollout
from bot.domain.facts import Health
from bot.domain.rollout import RolloutState

BAD = frozenset({RolloutState.DEGRADED, RolloutState.TIMED_OUT})


def steadied(found: Health, last: Health | None, *, rollout: Rollout, now: datetime) -> Health:
    """The health with `steady_since` and `left_at`; `last` is what was recorded of the service before, whatever its release."""
    steady, left = _carried(found, last, rollout, now)
    if found.state is RolloutState.HEALTHY and found.taken:
        return replace(found, steady_since=steady or found.since, left_at=None)
    return replace(found, steady_since=steady, left_at=(left or now) if steady is not None else None)


def _carried(found: Health, last: Health | None, rollout: Rollout, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Since when it was steady before, and when it left health; None where nothing is carried over."""
    if last is None or last.release != found.release or found.release is None:
        return None, None
    if last.state is RolloutState.HEALTHY and last.taken:
        return last.steady_since or last.since, None
    if last.steady_since is None or last.left_at is None:
        return None, None
    broken = any(_too_long(state, now - last.left_at, rollout) for state in (last.state, found.state))
    return (None, None) if broken else (last.steady_since, last.left_at)


def _too_long(state: RolloutState, away: timedelta, rollout: Rollout) -> bool:
    if state in BAD:
        return away >= rollout.grace
    return state is not RolloutState.HEALTHY and state is not RolloutState.UNKNOWN and away >= rollout.timeout
