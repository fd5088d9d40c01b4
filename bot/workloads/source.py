"""Flux sources: has the artifact been fetched?

Decides for GitRepository, OCIRepository, HelmRepository, HelmChart and Bucket alike from the Ready condition and the artifact.
That the artifact is the wanted commit is checked for all agents in `revisions`.
"""

from datetime import datetime
from typing import Any

from bot.domain.rollout import Assessment, RolloutState
from bot.workloads import answers, flux
from bot.workloads.fields import at, kind, name, text

GROUP = "source.toolkit.fluxcd.io"
KINDS = tuple((GROUP, known) for known in ("GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket", "ExternalArtifact"))


def assess(obj: dict[str, Any], related: list[dict[str, Any]], now: datetime) -> Assessment:
    """The source's state; nothing in `related` is needed. An OCI HelmRepository has no status at all and is not judged."""
    if kind(obj) == "HelmRepository" and text(obj, "spec", "type") == "oci":
        return answers.add_up(answers.healthy("HelmRepository of type oci is only looked up when a chart is fetched"))
    answer = flux.by_ready(obj)
    if answer.state is RolloutState.HEALTHY and at(obj, "status", "artifact") is None:
        answer = answers.progressing(f'{kind(obj)} "{name(obj)}" has no artifact yet')
    return answers.add_up(answer)
