"""What was offered to a first stage: the release that its newest arrivals make of what stands there.

Decides from the stage's own slots and the arrivals; whether it may enter is judged like every other candidate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.arrival import Arrival
from bot.domain.facts import ServiceView
from bot.domain.image import Version
from bot.domain.release import Release

ORIGIN = "the registry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A release that may enter a stage: from where, and since when it has been good there, or known (UTC)."""

    origin: str
    release: Release
    since: datetime


def offered(view: ServiceView, offers: Mapping[str, Arrival]) -> Offer | None:
    """What arrived for the service; None where nothing was offered for any of its artifacts."""
    if view.release is None:
        return None
    own = {view.components[slot.artifact]: offers[slot.artifact] for slot in view.slots if slot.artifact in offers}
    if not own:
        return None
    pinned = {view.components[slot.artifact] for slot in view.slots if slot.version.digest is not None}
    versions = tuple((part, _held(own[part], part in pinned) if part in own else version) for part, version in view.release.versions)
    return Offer(origin=ORIGIN, release=Release(versions=versions), since=max(arrival.at for arrival in own.values()))


def _held(arrival: Arrival, pinned: bool) -> Version:
    """The version as the stage will hold it: where it names no digest, none is promised either."""
    return arrival.version if pinned or arrival.version.tag is None else Version(tag=arrival.version.tag)
