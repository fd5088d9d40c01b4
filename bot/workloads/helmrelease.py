"""Flux HelmRelease: is the newest release installed and well?

Decides from the Ready condition. A rollback that succeeded leaves the old version running: for the release it is a failure,
whatever Ready says.
"""

from datetime import datetime
from typing import Any

from bot.domain.rollout import Assessment, RolloutState
from bot.workloads import answers, flux
from bot.workloads.fields import condition, name

ROLLED_BACK = "RollbackSucceeded"
KINDS = (("helm.toolkit.fluxcd.io", "HelmRelease"),)


def assess(obj: dict[str, Any], related: list[dict[str, Any]], now: datetime) -> Assessment:
    """The HelmRelease's state; nothing in `related` is needed."""
    answer = flux.by_ready(obj)
    ready = condition(obj, "Ready")
    if answer.state is RolloutState.HEALTHY and ready is not None and ready.reason == ROLLED_BACK:
        answer = answers.degraded(f'HelmRelease "{name(obj)}": {flux.words(ready)}: the old version runs')
    return answers.add_up(answer)
