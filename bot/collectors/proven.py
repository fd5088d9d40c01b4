"""Which versions an upstream stage ran healthily before it went on to another: for stages that follow every version.

Decides from the recorded changes of health. A stretch counts where it was ended by another version, not by degradation, and was at least
as long as the stage's soak time. The version that stands there now is no stretch: it is judged by what is seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.config.stage import Stage
from bot.domain.facts import Proven
from bot.domain.release import Release
from bot.domain.rollout import RolloutState

LOOK_BACK = timedelta(days=30)
BAD = frozenset({RolloutState.DEGRADED.value, RolloutState.TIMED_OUT.value})

Change = tuple[str, datetime, str, str]
"""Service, since when (UTC), state, the release's text."""


class HealthChanges(Protocol):
    """Who keeps the changes of health."""

    def health_changes(self, stage: str, *, since: datetime) -> Sequence[Change]:
        """Oldest first."""
        ...


def proven(stage: Stage, history: HealthChanges, *, now: datetime) -> dict[str, Mapping[str, tuple[Proven, ...]]]:
    """By upstream stage and service; nothing is read for a stage that follows the newest."""
    if stage.follow != "every":
        return {}
    return {name: stretches(history.health_changes(name, since=now - LOOK_BACK), at_least=stage.soak) for name in stage.after}


def stretches(changes: Iterable[Change], *, at_least: timedelta) -> dict[str, tuple[Proven, ...]]:
    """The finished stretches of health by service, oldest first."""
    found: dict[str, list[Proven]] = {}
    running: dict[str, tuple[datetime, str]] = {}
    for service, at, state, version in changes:
        began = running.get(service)
        if began is not None and version == began[1] and state not in BAD:
            continue
        running.pop(service, None)
        if began is not None and version and version != began[1] and at - began[0] >= at_least:
            release = Release.read(began[1])
            if release is not None:
                found.setdefault(service, []).append(Proven(release=release, since=began[0], until=at))
        if state == RolloutState.HEALTHY and version:
            running[service] = (at, version)
    return {service: tuple(listed) for service, listed in found.items()}
