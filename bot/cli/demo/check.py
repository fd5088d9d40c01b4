"""Did it come true? Reads the repositories and clusters of the sandbox themselves, by none of the bot's code.

A version counts as declared when the cluster's own agent, which reads the branch with real git and renders it by itself, took
the branch's present head and wants this version everywhere; as running when every workload's ready pods run it and are healthy.
"""

import re
from dataclasses import dataclass

from bot.cli.demo.cast import Part
from bot.cli.demo.world import World

REVERTS = re.compile(r"^revert\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one demand of the story came to."""

    demand: str
    met: bool
    seen: str = ""


def check(world: World, part: Part) -> list[Found]:
    """All demands of one service: what each stage declares and runs, and the revert where there must be one."""
    found = [_stage(world, part, stage) for stage in part.stages]
    if part.fails_in:
        subjects = [commit.message.splitlines()[0] for commit in world.github.log(world.repository(part.fails_in))]
        reverted = any(REVERTS.match(subject) and part.service in subject and part.new in subject for subject in subjects)
        demand = f"{part.fails_in} has a commit that takes {part.service} {part.new} back"
        found.append(Found(demand=demand, met=reverted, seen="; ".join(subjects[:3])))
    return found


def _stage(world: World, part: Part, stage: str) -> Found:
    version, artifact, cluster = part.expected(stage), part.artifacts[stage], world.clusters[stage]
    head = world.github.head(world.repository(stage))
    taken = cluster.agent is not None and cluster.agent.commit == head
    runs = cluster.running(artifact)
    wanted = {tag for workload in runs for tag in _tags(workload.wanted, artifact)}
    running = {text for workload in runs for text in workload.versions(artifact)}
    sick = [f"{workload.kind} {workload.name} {workload.health}" for workload in runs if workload.health != "Healthy"]
    met = taken and bool(runs) and not sick and wanted == {version} and running <= {version}
    seen = f"head {'taken' if taken else 'not taken'}, wants {sorted(wanted)}, runs {sorted(running)}, {', '.join(sick) or 'all healthy'}"
    return Found(demand=f"{stage} declares and runs {part.service} {version}", met=met, seen=seen)


def _tags(references: tuple[str, ...], artifact: str) -> set[str]:
    """The tags of the references to this image, told by the end of its name."""
    last = artifact.rpartition("/")[2]
    found = set()
    for reference in references:
        name, _, tag = reference.partition("@")[0].rpartition(":")
        if name.rpartition("/")[2] == last:
            found.add(tag)
    return found
