"""How fast a webhook is answered while stages run, how fast the inbox drains, and what the engine costs while nothing happens."""

import hashlib
import hmac
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks._served import SECRET, STAGES
from benchmarks.rows import Row
from tests.support.postgres import new_database, postgres_server

PER_SECOND = 100
SECONDS = 15
IDLE_SECONDS = 20
CALMS_DOWN_SECONDS = 65
"""The engine asks for runs often for a while after the last one, and DBOS for schedules during its first minute."""
CLIENTS = 16
FLUSHES = 500
PAGE = 8192


class Served:
    """The process, its address, and what it says of itself."""

    def __init__(self, url: str, run_seconds: float = 0.02) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks._served", url, str(run_seconds)],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        while not (line := self.process.stdout.readline()).strip().isdecimal():
            assert self.process.poll() is None, "the server did not start"
        self.url = f"http://127.0.0.1:{line.strip()}/webhooks/github"

    def ask(self, line: str = "status") -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        while True:
            answer = self.process.stdout.readline()
            if answer.startswith("{"):
                found: dict[str, Any] = json.loads(answer)
                return found


@contextmanager
def served(url: str, run_seconds: float = 0.02) -> Iterator[Served]:
    """Until the end of the block."""
    found = Served(url, run_seconds)
    try:
        yield found
        if found.process.poll() is None:
            found.ask("end")
    finally:
        found.process.kill()
        found.process.wait()


def deliver(url: str, count: int, per_second: float, *, first: int = 0) -> list[float]:
    """Send at a fixed pace, whatever the answers take; the seconds of each answer. No two events with a number of their own are alike."""
    local = threading.local()

    def ready() -> None:
        """Before the first delivery: to make a client costs as much as ten deliveries."""
        local.client = httpx.Client(timeout=30, verify=False)  # noqa: S501 - speaks to loopback without TLS
        local.client.get(url)

    def one(number: int) -> float:
        body = json.dumps(
            {"ref": "refs/heads/main", "repository": {"id": 1 + number % 8, "full_name": f"acme/{STAGES[number % 8]}"}, "n": number}
        ).encode()
        headers = {
            "content-type": "application/json",
            "x-github-event": "push",
            "x-github-delivery": f"{per_second}-{number}",
            "x-hub-signature-256": "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest(),
        }
        began = time.perf_counter()
        answer = local.client.post(url, content=body, headers=headers)
        assert answer.status_code == 202, answer.text
        return time.perf_counter() - began

    with ThreadPoolExecutor(CLIENTS, initializer=ready) as pool:
        together = threading.Barrier(CLIENTS)
        list(pool.map(lambda _: together.wait(), range(CLIENTS)))
        futures = []
        began = time.perf_counter()
        for number in range(first, first + count):
            time.sleep(max(0.0, began + (number - first) / per_second - time.perf_counter()))
            futures.append(pool.submit(one, number))
        return [future.result() for future in futures]


def measure(name: str, url: str) -> list[Row]:
    with served(url) as found:
        time.sleep(CALMS_DOWN_SECONDS)
        before = found.ask()
        time.sleep(IDLE_SECONDS)
        quiet = found.ask()
        idle = (quiet["cpu"] - before["cpu"]) / IDLE_SECONDS * 100
        seconds = deliver(found.url, PER_SECOND * SECONDS, PER_SECOND)
        ended = time.perf_counter()
        while found.ask()["counts"].get("received", 0):
            time.sleep(0.05)
        drained = time.perf_counter() - ended
        parts = statistics.quantiles(seconds, n=100)
        after = found.ask()
        return [
            Row(what=f"{name}: answer to a webhook, p50 at {PER_SECOND}/s", measured=parts[49] * 1000, unit="ms"),
            Row(what=f"{name}: answer to a webhook, p99 at {PER_SECOND}/s", measured=parts[98] * 1000, unit="ms", goal=50),
            Row(
                what=f"{name}: processor time for a webhook, runs included",
                measured=(after["cpu"] - quiet["cpu"]) * 1000 / len(seconds),
                unit="ms",
            ),
            Row(what=f"{name}: inbox empty after the last event", measured=drained, unit="s"),
            Row(what=f"{name}: runs for {len(seconds)} events", measured=after["runs"], unit="runs"),
            Row(what=f"{name}: processor while nothing happens", measured=idle, unit="%", goal=1),
            Row(what=f"{name}: resident memory", measured=after["rss_mb"], unit="MB"),
        ]


def disk() -> list[Row]:
    """What PostgreSQL waits for with each commit, and SQLite in WAL mode does not: a page on the disk."""
    seconds = []
    with tempfile.NamedTemporaryFile() as file:
        for number in range(FLUSHES):
            os.pwrite(file.fileno(), b"x" * PAGE, number * PAGE)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            seconds.append(time.perf_counter() - began)
            time.sleep(0.01)
    parts = statistics.quantiles(seconds, n=100)
    return [
        Row(what="The disk alone: 8 KiB written and flushed, p50", measured=parts[49] * 1000, unit="ms"),
        Row(what="The disk alone: 8 KiB written and flushed, p99", measured=parts[98] * 1000, unit="ms"),
    ]


def bench() -> list[Row]:
    """Both databases."""
    rows = disk()
    with tempfile.TemporaryDirectory() as folder:
        rows += measure("SQLite", f"sqlite:///{folder}/bot.db")
    with postgres_server(careful=True) as server:
        rows += measure("PostgreSQL", new_database(server))
    return rows
