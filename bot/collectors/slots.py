"""Every version that stands in a stage's repository, read from the bare clone: no API call, and no file parsed twice.

The first reading of a stage lists its whole tree; later ones ask git only for what changed since, and share all that did not.
Files are read as git stores them, at one commit: symbolic links, submodules and overlong files are never followed or opened.
What a file holds is decided in `manifests`; places that only the configuration knows are read by `named_slots`.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.collectors.named_slots import Key, named_places, read_places
from bot.config.schema import Config
from bot.domain.errors import Stale, UserError
from bot.domain.replicas import Replicas, WorkloadKey
from bot.domain.repository import EnvironmentRepository
from bot.domain.slot import Slot, SlotProblem
from bot.manifests import FileSlots, find_slots, is_candidate
from bot.manifests.replicas import declared
from bot.ports import Repositories, TreeEntry

REGULAR = frozenset({"100644", "100755"})
LARGEST = 1_000_000
KEPT = 50_000
MANY = 500
"""When more files than this changed, the whole tree is listed again: one process then costs less than a long command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSlots:
    """All slots of one stage at one commit, and how many replicas it declares; paths count from the stage's folder."""

    commit: str
    slots: tuple[Slot, ...] = ()
    problems: tuple[SlotProblem, ...] = ()
    replicas: Mapping[WorkloadKey, Replicas] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Known:
    """A stage as it was read last: its files that hold anything, in git's order, and what its named places hold."""

    result: StageSlots
    files: dict[str, FileSlots]
    named: dict[Key, FileSlots] = field(default_factory=dict)


class SlotReader:
    """Reads stages and remembers: parsed files by blob, stages by their last commit. Safe for several threads."""

    def __init__(self, repositories: Repositories, config: Config) -> None:
        self._repositories = repositories
        self._config = config
        self._files: OrderedDict[tuple[str, str], FileSlots] = OrderedDict()
        self._stages: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def read(self, stage: str, commit: str) -> StageSlots:
        """The slots of a stage at a commit of its branch."""
        with self._lock:
            known = self._stages.get(stage)
        if known is not None and known.result.commit == commit:
            return known.result
        found = (self._update(stage, known, commit) if known is not None else None) or self._whole(stage, commit)
        with self._lock:
            self._stages[stage] = found
        return found.result

    def _whole(self, stage: str, commit: str) -> _Known:
        environment = self._config.stage(stage).environment
        entries = {
            _inside(environment, entry.path): entry
            for entry in self._repositories.tree(environment.repository, commit, environment.folder)
            if entry.mode in REGULAR
        }
        files = {path: found for path, found in self._parse(environment, entries).items() if not found.empty}
        places = named_places(self._config, stage)
        named = read_places(self._repositories, environment.repository, entries, places) if places else {}
        return _Known(result=_result(commit, files, named), files=files, named=named)

    def _update(self, stage: str, known: _Known, commit: str) -> _Known | None:
        """What changed since the last reading, put over it; None where the whole tree had better be read again."""
        environment = self._config.stage(stage).environment
        repository, before = environment.repository, known.result.commit
        try:
            changed = self._repositories.changed(repository, before, commit)
        except Stale:
            return None
        here = [path for path in changed if _is_inside(environment, path)]
        inside = {_inside(environment, path) for path in here}
        touched = [place for place in named_places(self._config, stage) if place.file in inside]
        wanted = [path for path in here if is_candidate(_inside(environment, path))]
        asked = {*wanted, *(environment.path(place.file) for place in touched)}
        if len(asked) > MANY:
            return None
        try:
            standing = self._repositories.entries(repository, commit, sorted(asked)) if asked else ()
        except UserError:  # a name that git lists but that must not be asked for
            return None
        entries = {_inside(environment, entry.path): entry for entry in standing if entry.mode in REGULAR}
        files = {path: found for path, found in known.files.items() if path not in inside}
        fresh = {path: found for path, found in self._parse(environment, entries).items() if not found.empty}
        if fresh:
            files = dict(sorted({**files, **fresh}.items(), key=_git_order))
        named = {**known.named, **read_places(self._repositories, repository, entries, touched)} if touched else known.named
        return _Known(result=_result(commit, files, named), files=files, named=named)

    def _parse(self, environment: EnvironmentRepository, entries: Mapping[str, TreeEntry]) -> dict[str, FileSlots]:
        """The slots of the files that may hold some, by path."""
        wanted = {path: entry.blob for path, entry in entries.items() if entry.size <= LARGEST and is_candidate(path)}
        with self._lock:
            found = {path: known for path, blob in wanted.items() if (known := self._files.get((path, blob))) is not None}
        missing = {path: blob for path, blob in wanted.items() if path not in found}
        contents = self._repositories.blobs(environment.repository, set(missing.values())) if missing else {}
        fresh = {path: find_slots(path, contents[blob]) for path, blob in missing.items()}
        with self._lock:
            self._files.update(((path, missing[path]), slots) for path, slots in fresh.items())
            while len(self._files) > KEPT:
                self._files.popitem(last=False)
        return {path: found[path] if path in found else fresh[path] for path in wanted}


def _result(commit: str, files: Mapping[str, FileSlots], named: Mapping[Key, FileSlots]) -> StageSlots:
    """All slots in the order of the files; a place that the configuration names is not told a second time by its format."""
    extra = [slot for found in named.values() for slot in found.slots]
    taken = {(slot.path, slot.start, slot.end) for slot in extra}
    slots: Iterable[Slot] = (slot for found in files.values() for slot in found.slots)
    if taken:
        slots = (slot for slot in slots if (slot.path, slot.start, slot.end) not in taken)
    problems = (problem for found in (*files.values(), *named.values()) for problem in found.problems)
    kustomized = [one for found in files.values() for one in found.kustomized]
    replicas = declared((one for found in files.values() for one in found.replicas), kustomized)
    return StageSlots(commit=commit, slots=(*slots, *extra), problems=tuple(problems), replicas=replicas)


def _git_order(item: tuple[str, FileSlots]) -> bytes:
    return item[0].encode("utf-8", "surrogateescape")


def _is_inside(environment: EnvironmentRepository, path: str) -> bool:
    return not environment.folder or path.startswith(f"{environment.folder}/")


def _inside(environment: EnvironmentRepository, path: str) -> str:
    return path.removeprefix(f"{environment.folder}/") if environment.folder else path
