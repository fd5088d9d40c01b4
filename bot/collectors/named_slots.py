"""The places that `services.<name>.versions` names: what stands there at a commit, read in one git process for all of them.

Decides which places a stage has and what their slots belong to; following an address is left to `manifests`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.config.schema import Config
from bot.domain.slot import SlotProblem
from bot.manifests import FileSlots, slot_at
from bot.manifests.addresses import spelt_out
from bot.ports import Repositories, TreeEntry

Key = tuple[str, int]
"""A service and the number of one of its places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPlace:
    """One entry of `versions`. `file` counts from the stage's folder; `artifact` is what its version is a version of."""

    key: Key
    file: str
    address: Mapping[str, Any]
    artifact: str


def named_places(config: Config, stage: str) -> list[NamedPlace]:
    """The places of a stage in the order of the configuration."""
    return [
        NamedPlace(
            key=(name, number),
            file=place.file,
            address=spelt_out(place.address),
            artifact=images[0] if len(images := service.images_in(stage)) == 1 else name,
        )
        for name, service in config.services.items()
        for number, place in enumerate(service.versions.get(stage, ()))
    ]


def read_places(
    repositories: Repositories, repository: str, entries: Mapping[str, TreeEntry], places: Sequence[NamedPlace]
) -> dict[Key, FileSlots]:
    """What stands at the places. `entries` are the regular files, by path inside the stage's folder."""
    blobs = {place.file: entries[place.file].blob for place in places if place.file in entries}
    contents = repositories.blobs(repository, set(blobs.values())) if blobs else {}
    return {
        place.key: slot_at(place.file, contents[blobs[place.file]], place.address, artifact=place.artifact)
        if place.file in blobs
        else _missing(place)
        for place in places
    }


def _missing(place: NamedPlace) -> FileSlots:
    message = f"{place.file} is not there as a file, but services.{place.key[0]}.versions names it. Correct the path, or add the file."
    return FileSlots(problems=(SlotProblem(path=place.file, line=1, code="NoMatch", message=message),))
