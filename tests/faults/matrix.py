"""The crash matrix: each story once undisturbed, then once for each place at which the process can be killed, from then on alone.

The undisturbed run says which crash points are passed and how often, and what stands at the end. Every other run is killed by
SIGKILL at one of them, started again, and must end the same: what lacks is lost, what is there too often is doubled.
"""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context

from bot.reconcile import crash
from tests.faults.ending import Effects, effects, settled
from tests.faults.scenarios import SCENARIOS, Scenario, prepare
from tests.faults.world import CRASH_AT, CRASH_TRACE, World, new_world, wait_until

STORY_SECONDS = 300.0
SETTLE_SECONDS = 200.0
QUIET_SECONDS = 3.5
"""A resync and more: what would be doubled later shows itself in this time."""
STEP = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Undisturbed:
    """How a story goes when nothing happens to the bot. `passed` are the crash points in order."""

    scenario: str
    effects: Effects
    passed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one run. `problem` is a sentence when it cannot be compared at all."""

    scenario: str
    database: str
    point: str
    lost: Effects
    doubled: Effects
    seconds: float
    problem: str = ""
    log: str = ""

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.problem)


def good(outcome: Outcome) -> None:
    """AssertionError, with everything that is known, when an effect was lost or doubled."""
    assert outcome.good, f"{outcome.point}: {outcome.problem}\nlost {dict(outcome.lost)}\ndoubled {dict(outcome.doubled)}\n{outcome.log}"


def by_name(name: str) -> Scenario:
    return next(scenario for scenario in SCENARIOS if scenario.name == name)


@contextlib.contextmanager
def _world(scenario: Scenario, database_url: str | None) -> Iterator[World]:
    world = new_world(scenario.stages, database_url)
    try:
        prepare(world, scenario)
        yield world
    finally:
        world.close()


def undisturbed(name: str) -> Undisturbed:
    """The story as it should be, on SQLite. RuntimeError when even that does not come to its end."""
    scenario = by_name(name)
    with _world(scenario, None) as world:
        trace = world.root / "passed.txt"
        world.bot.start(**{CRASH_TRACE: str(trace)})
        problem = play(world, scenario) or _quiet(world)
        if problem:
            raise RuntimeError(f"{name}, undisturbed: {problem}\n{_tail(world)}")
        return Undisturbed(scenario=name, effects=effects(world), passed=tuple(trace.read_text().split()))


def points(found: Undisturbed) -> list[str]:
    """`name:before|after|saved:nth` of each place that this story is told for."""
    scenario = by_name(found.scenario)
    counts: dict[str, int] = {}
    chosen = []
    begun = not scenario.since
    for point in found.passed:
        counts[point] = counts.get(point, 0) + 1
        begun = begun or point == scenario.since
        if begun and (not scenario.focus or point.partition(":")[0] in scenario.focus):
            chosen.append(f"{point}:{counts[point]}")
    return chosen


def crash_at(point: str, expected: Undisturbed, database_url: str | None = None) -> Outcome:
    """Kill the bot there, start it again, and compare the end."""

    def until_dead(world: World) -> str:
        return "" if world.bot.deaths else _wait_for_death(world)

    return story(expected, database_url, point, variables={CRASH_AT: point}, afterwards=until_dead)


def story(
    expected: Undisturbed,
    database_url: str | None,
    point: str,
    *,
    variables: Mapping[str, str] | None = None,
    disturb: Callable[[World], None] = lambda _world: None,
    afterwards: Callable[[World], str] = lambda _world: "",
) -> Outcome:
    """Tell the story once more, disturbed: `disturb` is called again and again beside the people. The end is compared."""
    scenario = by_name(expected.scenario)
    scenario = replace(scenario, people=both(scenario.people, disturb))
    began = time.monotonic()
    outcome = partial(Outcome, scenario=scenario.name, database="postgresql" if database_url else "sqlite", point=point)
    with _world(scenario, database_url) as world:
        world.bot.start(**dict(variables or {}))
        problem = play(world, scenario) or afterwards(world)
        wait_until(lambda: effects(world) == expected.effects, SETTLE_SECONDS)
        problem = problem or _quiet(world)
        stands = effects(world)
        return outcome(
            lost=expected.effects - stands,
            doubled=stands - expected.effects,
            seconds=time.monotonic() - began,
            problem=problem,
            log=_tail(world) if problem or stands != expected.effects else "",
        )


def both(first: Callable[[World], None], second: Callable[[World], None]) -> Callable[[World], None]:
    def people(world: World) -> None:
        first(world)
        second(world)

    return people


def play(world: World, scenario: Scenario) -> str:
    """Until the story is over; the bot is started again when it was killed. The sentence that says why not, or empty."""
    deadline = time.monotonic() + STORY_SECONDS
    while time.monotonic() < deadline:
        problem = _revive(world)
        if problem:
            return problem
        scenario.people(world)
        if scenario.over(world) and settled(world):
            return ""
        time.sleep(STEP)
    return f"the story did not come to its end within {STORY_SECONDS:.0f} s"


def _revive(world: World) -> str:
    status = world.bot.ended
    if status is None:
        return ""
    if status != -signal.SIGKILL and not world.bot.told_to_leave:
        return f"the bot ended by itself with status {status}"
    world.bot.deaths += 1
    world.bot.told_to_leave = False
    world.bot.start()
    return ""


def _wait_for_death(world: World) -> str:
    """The point may lie after the end of the story, as a last message does."""
    if not wait_until(lambda: world.bot.ended is not None, SETTLE_SECONDS):
        return "the crash point was never reached"
    return _revive(world)


def _quiet(world: World) -> str:
    """Let a resync go by, so that what comes twice has come."""
    deadline = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < deadline:
        problem = _revive(world)
        if problem:
            return problem
        time.sleep(STEP)
    return ""


def _tail(world: World, lines: int = 60) -> str:
    return "\n".join(world.bot.log.read_text(errors="replace").splitlines()[-lines:]) if world.bot.log.exists() else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of the matrix, to be carried to another process."""

    point: str
    expected: Undisturbed
    database_url: str | None = None


def run_job(job: Job) -> Outcome:
    """One run; a fault of the test itself is told, not raised, so that the others go on."""
    try:
        return crash_at(job.point, job.expected, job.database_url)
    except Exception as error:
        empty: Effects = type(job.expected.effects)()
        kind = "postgresql" if job.database_url else "sqlite"
        return Outcome(
            scenario=job.expected.scenario,
            database=kind,
            point=job.point,
            lost=empty,
            doubled=empty,
            seconds=0.0,
            problem=f"the run broke: {type(error).__name__}: {error}",
        )


def never_reached(baselines: Sequence[Undisturbed]) -> list[str]:
    """Names of crash points that no story passes: the matrix would prove nothing about them."""
    passed = {point.partition(":")[0] for found in baselines for point in points(found)}
    return sorted(set(crash.NAMES) - passed)


def pool(workers: int) -> ProcessPoolExecutor:
    """Runs side by side, each in a process of its own that shares nothing with this one."""
    return ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn"))
