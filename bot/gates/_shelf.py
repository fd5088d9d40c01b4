"""Which gates there are: one per file of this folder, and those that installed packages bring along.

Decides the set, its order (by name) and which gates stand on every stage whether listed or not.
"""

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import get_args

from bot.gates._base import Gate

ENTRY_POINTS = "promotion_bot.gates"
ALWAYS = ("upstream", "hold", "freeze")


def kind_of(gate: type[Gate]) -> str:
    """The one value of the `gate` field: what the configuration calls it."""
    return str(get_args(gate.model_fields["gate"].annotation)[0])


@cache
def shelf() -> tuple[type[Gate], ...]:
    """All gates, by name. TypeError when two share a name or a plugin's entry is not a gate."""
    found = [*_own(), *_strangers()]
    kinds = [kind_of(gate) for gate in found]
    doubled = sorted({kind for kind in kinds if kinds.count(kind) > 1})
    if doubled:
        raise TypeError(f"two gates are called {doubled[0]!r}: a plugin's gate needs a name of its own")
    return tuple(sorted(found, key=kind_of))


def with_always(gates: Iterable[Gate], *, after: tuple[str, ...] = ()) -> tuple[Gate, ...]:
    """The gates of a stage with these upstream stages: those that are always on in front, where none of their kind is listed.

    ValueError when a gate does not fit the stage, or when two answer to one name.
    """
    given = tuple(gates)
    listed = {gate.gate for gate in given}
    kinds = {kind_of(gate): gate for gate in shelf()}
    missing = (kinds[kind].model_validate({"gate": kind}) for kind in ALWAYS if kind not in listed)
    complete = tuple(gate.placed(after=after) for gate in (*missing, *given))
    labels = [gate.label for gate in complete]
    doubled = next((label for label in labels if labels.count(label) > 1), None)
    if doubled is not None:
        raise ValueError(f"two gates of this stage are called {doubled!r}. Give each a name of its own, for example name: {doubled}-2")
    return complete


def _own() -> Iterable[type[Gate]]:
    here = [str(Path(__file__).parent)]
    for module_info in pkgutil.iter_modules(here):
        if module_info.name.startswith("_"):
            continue
        module = importlib.import_module(f"bot.gates.{module_info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Gate) and value.__module__ == module.__name__:
                yield value


def _strangers() -> Iterable[type[Gate]]:
    for entry in entry_points(group=ENTRY_POINTS):
        gate = entry.load()
        if not (isinstance(gate, type) and issubclass(gate, Gate)):
            raise TypeError(
                f"the entry point {entry.value!r} of group {ENTRY_POINTS} is not a gate: it must be a subclass of bot.gates.Gate"
            )
        yield gate
