"""Waves: many stages (clusters) that take a version one part after the other, 10 % first, then the rest.

Decides the order only, and by the graph's own means: the stages of each later wave come after all stages of the wave before it, whose
health, soak time and gates they then wait for like for any upstream. Nothing else in the bot knows of waves.
"""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from bot.config._model import SETTINGS
from bot.gates._fields import Listed

SIZE = re.compile(r"(?P<share>100|[1-9][0-9]?)%|(?P<count>[1-9][0-9]{0,3})|(?P<rest>rest)")
REST = "rest"


def _size(value: str) -> str:
    if SIZE.fullmatch(value) is None:
        raise ValueError(f"{value!r} is no size of a wave. Write a share (10%), a number of stages (3), or rest")
    return value


Size = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value), AfterValidator(_size)]


class Waves(BaseModel):
    """Stages that take a version in waves. All of them have the same `after`, which is the first wave's."""

    model_config = SETTINGS

    stages: Annotated[tuple[str, ...], Listed()] = Field(min_length=1)
    """The stages, as names or globs; those that stand first in the file go first."""
    sizes: Annotated[tuple[Size, ...], Listed()] = Field(default=("10%", REST), min_length=1)
    """How many go in each wave: a share of all of them (rounded up), a number, or `rest`. What is left over goes last."""


def arranged(stages: object, waves: object) -> object:
    """The raw stages with the `after` that the raw waves give them; unchanged where either is not readable (its own model says why).

    Raises ValueError where the waves do not fit the stages.
    """
    if not isinstance(stages, Mapping) or not isinstance(waves, Mapping):
        return stages
    found: dict[object, Any] = dict(stages)
    placed: dict[str, str] = {}
    for name, raw in waves.items():
        written = raw if isinstance(raw, Mapping) else {}
        members = _members(str(name), _texts(written.get("stages")), stages)
        for member in members:
            if member in placed:
                raise ValueError(f"the stage {member!r} stands in the waves {placed[member]!r} and {name!r}. Keep it in one")
            placed[member] = str(name)
        before: Sequence[str] = ()
        for wave in cut(members, _texts(written.get("sizes")) or ["10%", REST]):
            for member in wave if before else ():
                found[member] = {**found[member], "after": list(before), "needs": "all"}
            before = wave
    return found


def cut(members: Sequence[str], sizes: Sequence[str]) -> list[list[str]]:
    """The members in waves of these sizes, in their order; empty waves fall away, and what is left over is one more."""
    left, found = list(members), []
    for size in [*sizes, REST]:
        many = _many(size, total=len(members), left=len(left))
        if many:
            found.append(left[:many])
            left = left[many:]
    return found


def _many(size: str, *, total: int, left: int) -> int:
    match = SIZE.fullmatch(size)
    if match is None or match["rest"]:
        return left
    wanted = int(match["count"]) if match["count"] else -(-total * int(match["share"]) // 100)
    return min(left, wanted)


def _members(name: str, patterns: Sequence[str], stages: Mapping[Any, Any]) -> list[str]:
    members = [stage for stage in stages if isinstance(stage, str) and any(fnmatchcase(stage, pattern) for pattern in patterns)]
    lost = [pattern for pattern in patterns if not any(fnmatchcase(stage, pattern) for stage in members)]
    if lost:
        raise ValueError(f"the waves {name!r} name {lost[0]!r}, and there is no such stage. Correct the name, or take it out")
    readable = [stage for stage in members if isinstance(stages[stage], Mapping)]
    upstreams = {stage: tuple(_texts(stages[stage].get("after"))) for stage in readable}
    odd = next((stage for stage in readable if upstreams[stage] != upstreams[readable[0]]), None)
    if odd is not None:
        raise ValueError(
            f"the stages {readable[0]!r} and {odd!r} of the waves {name!r} have different `after`. Give all of them the same: "
            "where the first wave takes its versions from"
        )
    inside = next((before for before in upstreams.get(readable[0], ()) if before in members), None) if readable else None
    if inside is not None:
        raise ValueError(f"the stages of the waves {name!r} come after {inside!r}, which is one of them. The waves make their order")
    return readable


def _texts(value: object) -> list[str]:
    listed = [value] if isinstance(value, str | int) else value if isinstance(value, list | tuple) else []
    return [str(entry) for entry in listed]
