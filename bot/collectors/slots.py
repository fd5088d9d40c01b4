"""Every version that stands in a stage's repository, read from the bare clone: no API call, and no file parsed twice.

Files are read as git stores them, at one commit: symbolic links, submodules and overlong files are never followed or opened.
What a file holds is decided in `manifests`; places that only the configuration knows come from `services.<name>.versions`.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.config.schema import Config
from bot.domain.repository import EnvironmentRepository
from bot.domain.slot import Slot, SlotProblem
from bot.manifests import FileSlots, find_slots, is_candidate, slot_at
from bot.ports import Repositories, TreeEntry

REGULAR = frozenset({"100644", "100755"})
LARGEST = 1_000_000
KEPT = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSlots:
    """All slots of one stage at one commit; paths count from the stage's folder."""

    commit: str
    slots: tuple[Slot, ...] = ()
    problems: tuple[SlotProblem, ...] = ()


class SlotReader:
    """Reads stages and remembers: parsed files by blob, whole stages by commit. Safe for several threads."""

    def __init__(self, repositories: Repositories, config: Config) -> None:
        self._repositories = repositories
        self._config = config
        self._files: OrderedDict[tuple[str, str], FileSlots] = OrderedDict()
        self._stages: dict[tuple[str, str], StageSlots] = {}
        self._lock = threading.Lock()

    def read(self, stage: str, commit: str) -> StageSlots:
        """The slots of a stage at a commit of its branch."""
        key = (stage, commit)
        with self._lock:
            if key in self._stages:
                return self._stages[key]
        found = self._read(stage, commit)
        with self._lock:
            self._stages = {known: slots for known, slots in self._stages.items() if known[0] != stage}
            self._stages[key] = found
        return found

    def _read(self, stage: str, commit: str) -> StageSlots:
        environment = self._config.stage(stage).environment
        entries = [entry for entry in self._repositories.tree(environment.repository, commit, environment.folder) if self._wanted(entry)]
        files = self._parse(environment, entries)
        slots: list[Slot] = []
        problems: list[SlotProblem] = []
        for entry, found in zip(entries, files, strict=True):
            inside = _inside(environment, entry.path)
            slots += [replace(slot, path=inside) for slot in found.slots]
            problems += [replace(problem, path=inside) for problem in found.problems]
        named = self._named(stage, environment, commit)
        taken = {(slot.path, slot.start, slot.end) for slot in named.slots}
        slots = [slot for slot in slots if (slot.path, slot.start, slot.end) not in taken]
        return StageSlots(commit=commit, slots=(*slots, *named.slots), problems=(*problems, *named.problems))

    def _wanted(self, entry: TreeEntry) -> bool:
        return entry.mode in REGULAR and entry.size <= LARGEST and is_candidate(entry.path)

    def _parse(self, environment: EnvironmentRepository, entries: Sequence[TreeEntry]) -> list[FileSlots]:
        with self._lock:
            known = {(entry.path, entry.blob): self._files.get((entry.path, entry.blob)) for entry in entries}
        missing = [entry for entry in entries if known[entry.path, entry.blob] is None]
        contents = self._repositories.blobs(environment.repository, {entry.blob for entry in missing}) if missing else {}
        fresh = {(entry.path, entry.blob): find_slots(entry.path, contents[entry.blob]) for entry in missing}
        with self._lock:
            self._files.update(fresh)
            while len(self._files) > KEPT:
                self._files.popitem(last=False)
        found = []
        for entry in entries:
            slots = known[entry.path, entry.blob]
            found.append(slots if slots is not None else fresh[entry.path, entry.blob])
        return found

    def _named(self, stage: str, environment: EnvironmentRepository, commit: str) -> FileSlots:
        """Slots at the places that the configuration names for this stage."""
        slots: list[Slot] = []
        problems: list[SlotProblem] = []
        for name, service in self._config.services.items():
            for place in service.versions.get(stage, ()):
                path = place.file
                content = self._repositories.read(environment.repository, commit, environment.path(path))
                if content is None:
                    message = f"{path} is not there, but services.{name}.versions names it. Correct the path, or add the file."
                    problems.append(SlotProblem(path=path, line=1, code="NoMatch", message=message))
                    continue
                images = service.images_in(stage)
                found = slot_at(path, content, _address(place.address), artifact=images[0] if len(images) == 1 else name)
                slots += found.slots
                problems += found.problems
        return FileSlots(slots=tuple(slots), problems=tuple(problems))


def _address(given: Mapping[str, Any] | str) -> Mapping[str, Any]:
    """The short forms of the configuration: a JSON pointer begins with `/`, all other texts are paths."""
    if not isinstance(given, str):
        return given
    return {"pointer": given} if given.startswith("/") else {"path": given}


def _inside(environment: EnvironmentRepository, path: str) -> str:
    return path.removeprefix(f"{environment.folder}/") if environment.folder else path
