"""Several processes over one PostgreSQL, killed, paused, resumed: nothing is lost, no stage runs twice at a time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.adapters.store import audit, migrate
from bot.adapters.store.database import Database, make_queue_engine
from bot.adapters.store.wakeups import Wakeups
from bot.reconcile.queue import Enqueuer
from tests.contract.engine.test_engine import wait_for
from tests.support.engine import now

ROOT = Path(__file__).parents[3]
STAGES = ("dev", "qa", "prod")

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


class Fleet:
    """Processes that serve, and the log that they all write into."""

    def __init__(self, url: str, log: Path) -> None:
        self.url, self.log = url, log
        self.processes: list[subprocess.Popen[bytes]] = []
        self.database = Database(url)
        migrate.upgrade(self.database)
        self._engine = make_queue_engine(self.database.url)
        self._enqueuer = Enqueuer(self._engine)
        self.wakeups = Wakeups(self.database, self._enqueuer)

    def start(self, seconds: float) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.support.replica", self.url, str(self.log), str(seconds), *STAGES]
        with self.log.with_suffix(f".{len(self.processes)}.txt").open("wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        self.processes.append(process)
        wait_for(lambda: self.of(process, "up") != [], seconds=60)
        return process

    def lines(self) -> list[tuple[str, str, int, float]]:
        if not self.log.exists():
            return []
        found = [line.split() for line in self.log.read_text().splitlines()]
        return [(what, stage, int(pid), float(at)) for what, stage, pid, at in found]

    def of(self, process: subprocess.Popen[bytes], what: str) -> list[tuple[str, float]]:
        return [(stage, at) for kind, stage, pid, at in self.lines() if kind == what and pid == process.pid]

    def wake(self, stage: str) -> None:
        self.wakeups.want(stage, "test", now=now())

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self._enqueuer.close()
        self._engine.dispose()
        self.database.close()


@pytest.fixture
def fleet(postgres_url: str, tmp_path: Path) -> Iterator[Fleet]:
    with ExitStack() as stack:
        found = Fleet(postgres_url, tmp_path / "runs.log")
        stack.callback(found.close)
        yield found


def busy_with(fleet: Fleet, process: subprocess.Popen[bytes]) -> Callable[[], bool]:
    return lambda: len(fleet.of(process, "begin")) > len(fleet.of(process, "end"))


def overlaps(fleet: Fleet, *, dead: set[int]) -> list[str]:
    """Stages that two living processes ran at the same time. What a dead one began ends with it."""
    under_way: dict[str, int] = {}
    found = []
    for what, stage, pid, _ in fleet.lines():
        if what == "begin":
            if stage in under_way and under_way[stage] not in dead:
                found.append(stage)
            under_way[stage] = pid
        elif what in ("end", "fenced") and under_way.get(stage) == pid:
            del under_way[stage]
    return found


def test_a_killed_replicas_work_goes_on_elsewhere(fleet: Fleet) -> None:
    victim = fleet.start(15)
    wait_for(busy_with(fleet, victim))
    heir = fleet.start(0.2)
    wait_for(busy_with(fleet, victim))
    hanging = {stage for stage, _ in fleet.of(victim, "begin")[len(fleet.of(victim, "end")) :]}
    victim.kill()
    victim.wait()
    killed = time.time()
    wait_for(lambda: all(any(done == stage and at > killed for done, at in fleet.of(heir, "end")) for stage in hanging), seconds=40)
    assert time.time() - killed < 30
    assert overlaps(fleet, dead={victim.pid}) == []


def test_a_paused_replica_cannot_write_and_joins_again(fleet: Fleet) -> None:
    paused = fleet.start(3)
    wait_for(busy_with(fleet, paused))
    os.kill(paused.pid, signal.SIGSTOP)
    heir = fleet.start(0.2)
    wait_for(lambda: {stage for stage, _ in fleet.of(heir, "end")} == set(STAGES), seconds=60)
    os.kill(paused.pid, signal.SIGCONT)
    wait_for(lambda: fleet.of(paused, "fenced") != [], seconds=30)
    assert fleet.of(paused, "end") == []
    writers = {entry.actor for entry in audit.entries(fleet.database) if entry.action == "run"}
    assert str(paused.pid) not in writers
    heir.terminate()
    heir.wait(30)
    for stage in STAGES:
        fleet.wake(stage)
    wait_for(lambda: {stage for stage, _ in fleet.of(paused, "end")} == set(STAGES), seconds=60)
    assert audit.verify(fleet.database).broken_at is None


def test_with_three_replicas_and_one_killed_every_wish_is_answered_once_at_a_time(fleet: Fleet) -> None:
    replicas = [fleet.start(0.1) for _ in range(3)]
    asked: dict[str, float] = {}
    for number in range(60):
        stage = STAGES[number % 3]
        asked[stage] = time.time()
        fleet.wake(stage)
        time.sleep(0.05)
        if number == 30:
            replicas[1].kill()
            replicas[1].wait()

    def answered() -> bool:
        begun: dict[str, float] = {}
        for what, stage, pid, at in fleet.lines():
            if what == "begin" and pid != replicas[1].pid:
                begun[stage] = at
        return all(begun.get(stage, 0) >= at for stage, at in asked.items()) and not any(w.wanted for w in fleet.wakeups.work().values())

    wait_for(answered, seconds=60)
    assert overlaps(fleet, dead={replicas[1].pid}) == []
    assert audit.verify(fleet.database).broken_at is None


def test_one_that_is_told_to_stop_leaves_in_order(fleet: Fleet) -> None:
    process = fleet.start(0.5)
    wait_for(busy_with(fleet, process))
    process.terminate()
    assert process.wait(30) == 0
    assert fleet.of(process, "down")
    assert len(fleet.of(process, "begin")) == len(fleet.of(process, "end"))
