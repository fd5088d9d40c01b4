"""Makes plans for the command line: against the real repositories and clusters, or against a folder without any server."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from bot.app import Parts, build, wall_clock
from bot.app.watching import asked_once
from bot.config.load import load
from bot.config.schema import Config
from bot.domain.errors import UserError
from bot.domain.facts import Facts, Health, StageView
from bot.domain.rollout import ClusterSnapshot, RolloutState
from bot.domain.slot import Slot, SlotProblem
from bot.logs import configure
from bot.manifests import find_slots, is_candidate
from bot.planning.inventory import views
from bot.planning.pairing import service_pairs
from bot.planning.plan import plan
from bot.planning.standing import Plan
from bot.settings import load_settings

LARGEST = 1_000_000
USUAL_ORDER = ("dev", "development", "test", "int", "qa", "stage", "staging", "uat", "preprod", "prod", "production")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """Plans by stage, and under which assumption they were made (empty: none)."""

    plans: tuple[Plan, ...]
    assumption: str = ""


def online_plans(path: Path, *, stages: Sequence[str], wait: float) -> Plans:
    """Read everything that `serve` reads, decide what it would decide, do nothing."""
    config = load(path)
    settings = load_settings()
    if not structlog.is_configured():
        configure(form="console", level="ERROR", secrets=settings.known_secrets())  # what is amiss stands in the plan itself
    parts = build(config, settings)
    parts.clusters.start()
    try:
        wanted = _wanted(config, stages)
        _first_answers(parts, wanted, wait)
        entering = config.artifacts.watch and any(not config.stage(stage).after for stage in wanted)
        observer = asked_once(parts, wait=wait) if entering else parts.observer
        return Plans(plans=tuple(_planned(config, observer.observe(stage)) for stage in wanted))
    finally:
        parts.close()


def _planned(config: Config, facts: Facts) -> Plan:
    """The plan, with what pairs with what for each service."""
    found = plan(config, facts)
    upstreams = config.stage(facts.stage).after
    reports = [replace(one, pairs=service_pairs(facts.stages, facts.stage, upstreams, one.service)) for one in found.reports]
    return replace(found, reports=tuple(reports))


def _wanted(config: Config, stages: Sequence[str]) -> list[str]:
    known = config.order()
    unknown = [stage for stage in stages if stage not in known]
    if unknown:
        raise UserError(
            f"There is no stage {unknown[0]}.", why="the configuration does not have it", fix=f"the stages are {', '.join(known)}"
        )
    return [stage for stage in known if not stages or stage in stages]


def _first_answers(parts: Parts, stages: Sequence[str], wait: float) -> None:
    """Wait until each cluster that these plans need was listed once, or until the time is up."""
    near = {stage for name in stages for stage in (name, *parts.config.upstreams(name))}
    watched = [stage for stage in near if parts.config.stage(stage).cluster is not None]
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline and not all(_answered(parts.clusters.snapshot(stage)) for stage in watched):
        time.sleep(0.05)


def _answered(snapshot: ClusterSnapshot) -> bool:
    return snapshot.reachable and (snapshot.deciders is not None or bool(snapshot.deciders_problem))


def offline_plans(folder: Path, *, stages: Sequence[str], path: Path | None = None) -> Plans:
    """What would be promoted if every stage of the folder ran healthily what it declares; by the configuration where one is given."""
    config = load(path) if path is not None else _plain_config(_stage_folders(folder))
    names = [name for name in config.order() if (folder / name).is_dir()]
    if len(names) < len(config.order()):
        missing = next(name for name in config.order() if name not in names)
        raise UserError(
            f"{folder} has no folder {missing}.",
            why="without servers a stage is read from the folder of its name",
            fix="one folder per stage of the configuration, named as the stage is",
        )
    now = wall_clock()
    read = {name: _read(folder / name) for name in names}
    services = views(config, {name: slots for name, (slots, _) in read.items()}, {name: problems for name, (_, problems) in read.items()})
    seen: dict[str, StageView] = {}
    for name in names:
        health = {
            service: Health(service=service, state=RolloutState.HEALTHY, release=view.release, since=now, taken=True)
            for service, view in services[name].items()
        }
        seen[name] = StageView(stage=name, head="0" * 40, services=services[name], health=health, problems=read[name][1])
    found = [_planned(config, Facts(now=now, stage=name, stages=seen, recorded=seen[name].health)) for name in _wanted(config, stages)]
    return Plans(plans=tuple(found), assumption="No cluster was asked: every stage is taken to run healthily what its files declare.")


def _plain_config(names: list[str]) -> Config:
    """Each folder a stage, each after the one before it, no gates but those that are always on."""
    settings = {
        name: {"repository": f"local/{name}", **({"after": [names[place - 1]]} if place else {})} for place, name in enumerate(names)
    }
    return Config.model_validate({"version": 1, "pipeline": {"stages": settings}})


def _stage_folders(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise UserError(
            f"{folder} is not a folder.",
            why="--checkout is read stage by stage, each from a folder in it",
            fix="name a folder that holds one folder per stage",
        )
    names = [entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    usual = {name: place for place, name in enumerate(USUAL_ORDER)}
    return sorted(names, key=lambda name: (usual.get(name.lower(), len(usual)), name))


def _read(folder: Path) -> tuple[tuple[Slot, ...], tuple[SlotProblem, ...]]:
    slots: list[Slot] = []
    problems: list[SlotProblem] = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file() or not is_candidate(inside) or path.stat().st_size > LARGEST:
            continue
        found = find_slots(inside, path.read_bytes())
        slots += found.slots
        problems += found.problems
    return tuple(slots), tuple(problems)
