"""Who plays in the story: which services travel, which one fails, and what must be true of each at the end.

Chosen from the seed alone, so that any tree with one folder per stage has a story. What counts as newer and where a version
stands is asked of the bot's own rules here; whether it came true is not (see `check`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bot.config.schema import Config
from bot.domain.facts import ServiceView
from bot.domain.order import compare_tags
from bot.domain.release import compare_releases, same_release
from bot.domain.slot import Holds, Slot
from bot.manifests import find_slots, is_candidate
from bot.planning.inventory import views
from bot.sandbox.cluster import ClusterSandbox

LARGEST = 1_000_000
PUSHED = 2
"""How many services the developer changes where the seed has none ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One service of the story. `old` and `artifacts` are by stage; `pushed`: the developer changes it while we watch.

    `fails_in` is the stage whose rollout of `new` crashes; then the stages from there on must hold their old version.
    """

    service: str
    stages: tuple[str, ...]
    artifacts: Mapping[str, str]
    old: Mapping[str, str]
    new: str
    pushed: bool = False
    fails_in: str = ""

    def expected(self, stage: str) -> str:
        """The version that the stage must hold and run when the story is over."""
        if self.fails_in and self.stages.index(stage) >= self.stages.index(self.fails_in):
            return self.old[stage]
        return self.new


def slots_of(directory: Path) -> tuple[Slot, ...]:
    """All versions in a folder."""
    found: list[Slot] = []
    for path in sorted(directory.rglob("*")):
        inside = path.relative_to(directory).as_posix()
        if path.is_file() and not path.is_symlink() and is_candidate(inside) and path.stat().st_size <= LARGEST:
            found += find_slots(inside, path.read_bytes()).slots
    return tuple(found)


def inventory(config: Config, directory: Path, stages: tuple[str, ...]) -> Mapping[str, Mapping[str, ServiceView]]:
    """The services of each stage folder."""
    return views(config, {stage: slots_of(directory / stage) for stage in stages}, {})


def choose(found: Mapping[str, Mapping[str, ServiceView]], stages: tuple[str, ...], clusters: Mapping[str, ClusterSandbox]) -> list[Part]:
    """The cast: everything that the first stage has newer, one change while we watch, and one of them that fails."""
    playable = {name: chain for name in sorted(found[stages[0]]) if (chain := _chain(found, stages, clusters, name)) is not None}
    cast = [_part(name, chain, _tag(chain[0][1])) for name, chain in playable.items() if _ahead(chain)]
    taken = {part.service for part in cast}
    level = [(name, chain) for name, chain in playable.items() if name not in taken and _level(chain) and bump(_tag(chain[0][1]))]
    for name, chain in level[: 1 if len(cast) > 1 else PUSHED]:
        cast.append(_part(name, chain, bump(_tag(chain[0][1])), pushed=True))
    return _with_failure(cast, clusters)


def bump(tag: str) -> str:
    """The next version after this one: its last number plus one; empty where that would not be newer."""
    match = re.search(r"(\d+)(?=\D*\Z)", tag)
    if match is None:
        return ""
    new = f"{tag[: match.start()]}{int(match[1]) + 1:0{len(match[1])}d}{tag[match.end() :]}"
    return new if compare_tags(new, tag) == 1 else ""


Chain = list[tuple[str, ServiceView]]


def _chain(
    found: Mapping[str, Mapping[str, ServiceView]], stages: tuple[str, ...], clusters: Mapping[str, ClusterSandbox], name: str
) -> Chain | None:
    """The service in each stage from the first on, as far as it goes without a gap; None where the story cannot use it."""
    chain: Chain = []
    for stage in stages:
        view = found[stage].get(name)
        if view is None:
            break
        slots = view.slots
        plain = all(slot.holds is Holds.IMAGE and slot.version.tag and slot.version.digest is None for slot in slots)
        one = len({slot.artifact for slot in slots}) == 1
        if view.release is None or not plain or not one:
            return None
        runs = clusters[stage].running(slots[0].artifact)
        if not runs or any(workload.health != "Healthy" for workload in runs):
            return None
        chain.append((stage, view))
    return chain if len(chain) > 1 else None


def _tag(view: ServiceView) -> str:
    return view.slots[0].version.tag or ""


def _ahead(chain: Chain) -> bool:
    first = chain[0][1].release
    rest = [view.release for _, view in chain[1:]]
    return first is not None and all(release is not None and compare_releases(first, release) == 1 for release in rest)


def _level(chain: Chain) -> bool:
    first = chain[0][1].release
    return first is not None and all(view.release is not None and same_release(first, view.release) for _, view in chain[1:])


def _part(name: str, chain: Chain, new: str, *, pushed: bool = False) -> Part:
    return Part(
        service=name,
        stages=tuple(stage for stage, _ in chain),
        artifacts={stage: view.slots[0].artifact for stage, view in chain},
        old={stage: _tag(view) for stage, view in chain},
        new=new,
        pushed=pushed,
    )


def _with_failure(cast: list[Part], clusters: Mapping[str, ClusterSandbox]) -> list[Part]:
    """The last one that can fail does, where there is still a stage after it if possible; those that the seed brings before pushed ones.

    Only Deployments: a StatefulSet whose pod crashes stays stuck after a revert until a person deletes the pod
    (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback), which is another story.
    """
    if len(cast) < 2:
        return cast
    able = [
        part for part in cast if {one.kind for one in clusters[_failing(part)].running(part.artifacts[_failing(part)])} == {"Deployment"}
    ]
    seeded = [part for part in able if not part.pushed]
    chosen = (seeded if len(seeded) > 1 else able)[-1:]
    return [replace(part, fails_in=_failing(part)) if part in chosen else part for part in cast]


def _failing(part: Part) -> str:
    return part.stages[-2] if len(part.stages) > 2 else part.stages[-1]
