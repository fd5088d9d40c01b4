"""Flux Kustomization: are the manifests of its newest revision applied and healthy?

Decides from the Ready condition and the two revisions; git commits do not move generation, so that the applied revision is
the wanted one is checked for all agents in `revisions`.
"""

from datetime import datetime
from typing import Any

from bot.domain.rollout import Assessment, RolloutState
from bot.workloads import answers, flux, revisions
from bot.workloads.fields import name, text

KINDS = (("kustomize.toolkit.fluxcd.io", "Kustomization"),)


def assess(obj: dict[str, Any], related: list[dict[str, Any]], now: datetime) -> Assessment:
    """The Kustomization's state; its source in `related` tells whether it is behind."""
    answer = flux.by_ready(obj)
    tried, applied = text(obj, "status", "lastAttemptedRevision"), text(obj, "status", "lastAppliedRevision")
    if answer.state is RolloutState.HEALTHY and tried and tried != applied:
        answer = answers.progressing(
            f'Kustomization "{name(obj)}" is applying {revisions.short(tried)}; {revisions.short(applied) or "nothing"} is applied'
        )
    return answers.add_up(answer)
