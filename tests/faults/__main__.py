"""`python -m tests.faults`: the crash matrix on both databases, and beside it the model test at length; the last line says what came of it.

Exit 0 only when nothing was lost, nothing doubled and no invariant broken. `--only NAME` tells one story alone, `--database`
takes one database, `--steps` sets how long the model runs.
"""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed

from tests.faults import model
from tests.faults.matrix import Job, Outcome, Undisturbed, never_reached, points, pool, run_job, undisturbed
from tests.faults.scenarios import SCENARIOS
from tests.support.postgres import new_database, postgres_server

DATABASES = ("sqlite", "postgresql")


def main() -> int:
    """The exit status."""
    asked = _arguments()
    began = time.monotonic()
    outcomes: list[Outcome] = []
    complaints: list[str] = []
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(postgres_server()) if "postgresql" in asked.database else ""
        lives = stack.enter_context(pool(1)).submit(model.run, asked.steps)
        if asked.workers and asked.database:
            baselines = _baselines(asked)
            complaints += [f"no story passes the crash point {name}" for name in (() if asked.only else never_reached(baselines))]
            outcomes = list(_matrix(_jobs(asked.database, baselines, postgres), asked.workers))
        steps, broken = lives.result()
    for complaint in complaints:
        print(f"BAD  {complaint}")
    lost = sum(outcome.lost.total() + bool(outcome.problem and not outcome.doubled) for outcome in outcomes) + len(complaints)
    doubled = sum(outcome.doubled.total() for outcome in outcomes)
    print(f"{time.monotonic() - began:.0f} s", flush=True)
    print(f"crash points {len(outcomes)}, effects lost {lost}, doubled {doubled}; model steps {steps}, invariants broken {broken}")
    return 0 if not (lost or doubled or broken) and outcomes and steps else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", action="append", choices=[scenario.name for scenario in SCENARIOS], help="this story alone")
    parser.add_argument("--database", nargs="*", default=DATABASES, choices=DATABASES)
    parser.add_argument("--workers", type=int, default=max(2, (os.cpu_count() or 2) + 1), help="runs side by side")
    parser.add_argument("--steps", type=int, default=1000, help="about how many steps the model takes, beside the stories")
    return parser.parse_args()


def _baselines(asked: argparse.Namespace) -> list[Undisturbed]:
    names = asked.only or [scenario.name for scenario in SCENARIOS]
    with pool(asked.workers) as workers:
        found = list(workers.map(undisturbed, names))
    for one in found:
        print(f"{one.scenario}: {len(one.passed)} crash points passed, {len(points(one))} tried, {one.effects.total()} effects", flush=True)
    return found


def _jobs(databases: Sequence[str], baselines: Sequence[Undisturbed], postgres: str) -> list[Job]:
    return [
        Job(point=point, expected=found, database_url=new_database(postgres) if database == "postgresql" else None)
        for database in databases
        for found in baselines
        for point in points(found)
    ]


def _matrix(jobs: Sequence[Job], workers: int) -> Iterator[Outcome]:
    with pool(workers) as running:
        for future in as_completed([running.submit(run_job, job) for job in jobs]):
            outcome = future.result()
            _tell(outcome)
            yield outcome


def _tell(outcome: Outcome) -> None:
    sign = "good" if outcome.good else "BAD "
    print(
        f"{sign} {outcome.database:<10} {outcome.scenario:<12} {outcome.point:<26} {outcome.seconds:5.1f} s {outcome.problem}", flush=True
    )
    for word, effects in (("lost", outcome.lost), ("doubled", outcome.doubled)):
        for effect, count in sorted(effects.items()):
            print(f"       {word} {count} x {' | '.join(effect)}", flush=True)
    if outcome.log:
        print("\n".join(f"       | {line[:400]}" for line in outcome.log.splitlines()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
