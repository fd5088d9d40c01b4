"""Which version of each service stands on a stage's branch while it is followed commit by commit.

Reads the blobs that changed, finds their versions, and adds them up per service. Who owns an artifact comes from the configuration,
or, without one, from the image's own name.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bot.adapters.git_history import LocalHistory, Walked
from bot.config.schema import Config
from bot.domain.slot import Holds, Slot
from bot.manifests import find_slots, is_candidate
from bot.planning.inventory import parts

_BATCH = 2_000


class Held(NamedTuple):
    """One version in one file."""

    artifact: str
    holds: Holds
    version: str


class Owned(NamedTuple):
    """Which service and component an artifact belongs to."""

    service: str
    component: str


class Owner:
    """Says whose an artifact is in one stage."""

    def __init__(self, known: Mapping[str, Owned] | None) -> None:
        """`known` comes from a configuration; None: every image is a service named after the last part of its name."""
        self._known = known

    def of(self, held: Held) -> Owned | None:
        """The owner; None for an artifact that no service has."""
        if self._known is not None:
            return self._known.get(held.artifact)
        return Owned(held.artifact.rpartition("/")[2], held.artifact) if held.holds is Holds.IMAGE else None


def owners_of(config: Config | None, slots: Mapping[str, tuple[Slot, ...]]) -> dict[str, Owner]:
    """The owners for each stage. With a configuration an artifact is known by what stands on the branches' heads."""
    if config is None:
        return {stage: Owner(None) for stage in slots}
    found = parts(config, slots)
    return {stage: Owner({artifact: Owned(part.service, part.component) for artifact, part in found[stage].items()}) for stage in slots}


class Standing:
    """The files below a folder with their versions, moved forward commit by commit."""

    def __init__(self, clone: LocalHistory, folder: str) -> None:
        """Nothing stands yet."""
        self._clone, self._folder = clone, folder
        self._blobs: dict[tuple[str, str], tuple[Held, ...]] = {}
        self._files: dict[str, tuple[Held, ...]] = {}
        self._services: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        self._problems: set[str] = set()

    @property
    def unreadable(self) -> int:
        """How many files had places whose version could not be read."""
        return len(self._problems)

    def at(self, commit: str) -> tuple[Slot, ...]:
        """Every slot at a commit, with paths below the folder."""
        files = {path: blob for path, blob in self.files(commit) if blob is not None}
        contents = self._clone.blobs(sorted(set(files.values()))) if files else {}
        return tuple(slot for path, blob in files.items() for slot in find_slots(path, contents[blob]).slots)

    def files(self, commit: str) -> tuple[tuple[str, str | None], ...]:
        """The files at a commit that may hold versions, by path."""
        return tuple((path, blob) for path, blob in sorted(self._clone.files(commit, self._folder).items()) if is_candidate(path))

    def start(self, commit: str, owner: Owner) -> None:
        """Stands as at this commit, from where it goes on."""
        files = self.files(commit)
        self._read({(path, blob) for path, blob in files if blob is not None})
        self._put(files, owner)

    def read(self, commits: Sequence[Walked]) -> None:
        """Reads in one go what these commits changed."""
        self._read({(path, blob) for commit in commits for path, blob in commit.files if blob is not None and is_candidate(path)})

    def apply(self, commit: Walked, owner: Owner) -> dict[str, str | None]:
        """Moves on to a commit: the services that it touched, with their version; None where their files disagree."""
        found: dict[str, str | None] = {}
        for service in sorted(self._put(commit.files, owner)):
            components = {name: counts for name, counts in self._services[service].items() if +counts}
            if components:
                found[service] = _version(components)
        return found

    def _put(self, files: Sequence[tuple[str, str | None]], owner: Owner) -> set[str]:
        touched: set[str] = set()
        for path, blob in files:
            old, new = self._files.pop(path, ()), self._blobs.get((path, blob), ()) if blob is not None else ()
            if new:
                self._files[path] = new
            for held, step in [*((held, -1) for held in old), *((held, 1) for held in new)]:
                owned = owner.of(held)
                if owned is not None:
                    self._services[owned.service][owned.component][held.version] += step
                    touched.add(owned.service)
        return touched

    def _read(self, wanted: set[tuple[str, str]]) -> None:
        missing = sorted(wanted - self._blobs.keys())
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            contents = self._clone.blobs(sorted({blob for _, blob in batch}))
            for path, blob in batch:
                found = find_slots(path, contents.get(blob, b""))
                self._blobs[path, blob] = tuple(Held(slot.artifact, slot.holds, slot.version.text) for slot in found.slots)
                if found.problems:
                    self._problems.add(path)


def _version(components: Mapping[str, Counter[str]]) -> str | None:
    """The version of a service: one for all components, or each by its name; None where one component has several."""
    each = {name: [version for version, count in counts.items() if count > 0] for name, counts in components.items()}
    if any(len(versions) != 1 for versions in each.values()):
        return None
    different = {versions[0] for versions in each.values()}
    if len(different) == 1:
        return different.pop()
    return ",".join(f"{name}={versions[0]}" for name, versions in sorted(each.items()))
