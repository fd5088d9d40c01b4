"""Measures the report over a year of 1,000 services: 100,000 deployments with three commits each. Run: python -m benchmarks.report

Prints one JSON object: seconds and peak memory for reading the file, for computing, and for one report from the command line.
The history is made from a seed, so that runs compare. Goal: under 5 seconds and under 300 MB for the whole.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.rows import Row

SERVICES, DEPLOYMENTS, COMMITS = 1_000, 100_000, 3
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def history(rng: Random) -> Iterator[str]:
    """The events as JSON texts: 4 % of the rollouts fail and are retried, 4 % are rolled back, 3 % are marked and recovered."""
    for number in range(DEPLOYMENTS):
        service, version = f"service-{number % SERVICES}", f"1.{number // SERVICES}.0"
        at = BEGIN + timedelta(seconds=rng.randrange(3_000) + (number // SERVICES) * 314_000 + (number % SERVICES) * 310)
        written = [at - timedelta(hours=rng.randrange(1, 200)) for _ in range(COMMITS)]
        commits = [{"sha": f"{place:x}{number:039x}", "at": f"{then:%Y-%m-%dT%H:%M:%SZ}"} for place, then in enumerate(written)]
        event = {
            "t": "deploy", "id": f"d{number}", "service": service, "stage": "prod", "at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "version": version,
            "status": "success", "kind": "promotion", "team": f"team-{number % 40}", "commits": commits,
        }  # fmt: skip
        yield json.dumps(event)
        fate = rng.random()
        later = f"{at + timedelta(minutes=40):%Y-%m-%dT%H:%M:%SZ}"
        if fate < 0.04:
            yield json.dumps(event | {"id": f"x{number}", "at": f"{at - timedelta(minutes=9):%Y-%m-%dT%H:%M:%SZ}", "status": "failed"})
        elif fate < 0.08 and number >= SERVICES:
            back = {"id": f"r{number}", "at": later, "version": f"1.{number // SERVICES - 1}.0", "kind": "rollback", "commits": []}
            yield json.dumps(event | back)
        elif fate < 0.11:
            yield json.dumps({"t": "failure", "id": f"f{number}", "deploy": f"d{number}", "at": later, "source": "incident"})
            yield json.dumps({"t": "recovery", "failure": f"f{number}", "at": f"{at + timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ}"})


def bench() -> list[Row]:
    """The whole command."""
    found = measure()
    return [
        Row(what="report over 100,000 deployments", measured=found["command_seconds"], unit="s", goal=5),
        Row(what="  processor time", measured=found["command_cpu_seconds"], unit="s"),
        Row(what="  peak memory", measured=found["command_peak_mb"], unit="MB", goal=300),
    ]


def main() -> None:
    """Print what was measured."""
    print(json.dumps(measure()))


def measure() -> dict[str, Any]:
    """Writes the history to a temporary file, runs the report over it in a process of its own; what it took."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "history.json")
        with file.open("w") as out:
            out.write('{"events": [\n')
            out.writelines(f"{',' if number else ''}{event}\n" for number, event in enumerate(history(Random(6))))  # noqa: S311
            out.write("]}")
        begun = time.perf_counter()
        command = ["report", "--events", str(file), "--from", "2024-01-01", "--to", "2025-01-01", "--tz", "Europe/Berlin"]
        whole = [sys.executable, "-c", "from bot.cli.main import main; main()", *command, "--as-of", "2025-01-02T00:00:00Z", "-o", "json"]
        answer = json.loads(subprocess.run(whole, check=True, capture_output=True, text=True).stdout)
        seconds = time.perf_counter() - begun
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "file_mb": round(file.stat().st_size / 1e6, 1),
            "deployments": answer["deployments"],
            "failed_changes": answer["failed_changes"],
            "command_seconds": round(seconds, 2),
            "command_cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
            "command_peak_mb": round(used.ru_maxrss / 1024),
            "live_history_seconds": live(file),
        }


def live(file: Path) -> dict[str, float]:
    """Reading and computing apart, inside this process, as for a live history that stands in memory."""
    from bot.domain.history_file import read_history
    from bot.reporting.dora import measure
    from bot.reporting.lineage import trace
    from bot.reporting.windows import Window

    begun = time.perf_counter()
    found = read_history(file.read_text())
    read = time.perf_counter()
    window = Window(first=date(2024, 1, 1), end=date(2025, 1, 1), zone=ZoneInfo("Europe/Berlin"))
    measure(trace(found.events, stage="prod", as_of=datetime(2025, 1, 2, tzinfo=UTC)), window).to_json()
    return {"read": round(read - begun, 2), "compute": round(time.perf_counter() - read, 2)}


if __name__ == "__main__":
    main()
