"""Flux HelmRelease: is the newest release installed and well?

Decides from the Ready condition. A rollback that succeeded leaves the old version running: for the release it is a failure,
and Ready says False then.
"""

from datetime import datetime
from typing import Any

from bot.domain.rollout import Assessment
from bot.workloads import answers, flux

KINDS = (("helm.toolkit.fluxcd.io", "HelmRelease"),)


def assess(obj: dict[str, Any], related: list[dict[str, Any]], now: datetime) -> Assessment:
    """The HelmRelease's state; nothing in `related` is needed."""
    return answers.add_up(flux.by_ready(obj))
