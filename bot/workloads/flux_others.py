"""The other Flux kinds: image automation, notifications and whatever joins them.

Decides from suspend and the standard conditions as for all Flux objects; they carry no revision that a promotion waits for.
"""

from datetime import datetime
from typing import Any

from bot.domain.rollout import Assessment
from bot.workloads import answers, flux

IMAGE = "image.toolkit.fluxcd.io"
NOTIFICATION = "notification.toolkit.fluxcd.io"
KINDS = (
    (IMAGE, "ImageRepository"),
    (IMAGE, "ImagePolicy"),
    (IMAGE, "ImageUpdateAutomation"),
    (NOTIFICATION, "Receiver"),
    ("source.extensions.fluxcd.io", "ArtifactGenerator"),
)


def assess(obj: dict[str, Any], related: list[dict[str, Any]], now: datetime) -> Assessment:
    """The object's state; nothing in `related` is needed."""
    return answers.add_up(flux.by_ready(obj))
