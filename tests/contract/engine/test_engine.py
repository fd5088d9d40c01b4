"""The durable engine on both databases: what is wanted runs, a stage runs once at a time, failures come back and poison is set aside."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from dbos import DBOS

from bot.adapters.store import inbox
from bot.adapters.store.database import Database
from bot.adapters.store.inbox import Delivery
from bot.adapters.store.replicas import Replicas
from bot.domain.errors import Refused, Stale, TransientError
from bot.reconcile.engine import TRIES, Engine
from bot.reconcile.queue import IDLE_POLL_SECONDS, QUEUE
from bot.reconcile.run import RunResult
from tests.support.engine import QUICK, engine_on, now


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


class Runs:
    """Counts runs per stage and those that overlap; `answer` decides what a run does."""

    def __init__(self, answer: Callable[[str, int], RunResult] | None = None) -> None:
        self.count: dict[str, int] = {}
        self.at: list[tuple[str, float]] = []
        self.overlaps = 0
        self.together = 0
        self._under_way: list[str] = []
        self._answer = answer or (lambda _stage, _count: RunResult())
        self._lock = threading.Lock()

    def __call__(self, stage: str) -> RunResult:
        with self._lock:
            self.overlaps += stage in self._under_way
            self.together = max(self.together, len(self._under_way) + 1)
            self._under_way.append(stage)
            self.count[stage] = self.count.get(stage, 0) + 1
            count = self.count[stage]
            self.at.append((stage, time.monotonic()))
        try:
            return self._answer(stage, count)
        finally:
            with self._lock:
                self._under_way.remove(stage)

    def of(self, stage: str) -> int:
        return self.count.get(stage, 0)


def idle(engine: Engine) -> bool:
    return not engine.queue.waiting() and not any(work.wanted for work in engine.wakeups.work().values())


def test_every_stage_is_looked_at_once_at_the_start_and_when_it_is_wanted(database_url: str) -> None:
    runs = Runs()
    with engine_on(database_url, runs, stages=("dev", "qa")) as engine:
        wait_for(lambda: runs.of("dev") == runs.of("qa") == 1)
        engine.wake("qa", "push")
        wait_for(lambda: runs.of("qa") == 2)
        wait_for(lambda: idle(engine))
    assert runs.count == {"dev": 1, "qa": 2}


def test_what_was_wanted_of_a_stage_that_was_taken_out_is_answered_and_forgotten(database_url: str) -> None:
    """It stood in the queue, and as an unfinished delivery, when the configuration lost the stage: nothing waits for it for ever."""
    runs = Runs()
    with engine_on(database_url, runs, stages=("qa",)) as engine:
        database = Database(database_url)
        event = Delivery(source="github", delivery="d1", event="push", meaning="m", received_at=now())
        with database.write() as session:
            inbox.receive_all(session, [(event, ["gone", "qa"])])
        engine.wake("gone", "push")
        engine.wake("qa", "push")
        wait_for(lambda: idle(engine) and runs.of("qa") >= 1)
        with database.read() as session:
            assert inbox.counts(session) == {"done": 1}
        assert engine.wakeups.work()["gone"].failures == 0
        database.close()
    assert runs.of("gone") == 0


def test_a_replica_does_not_end_what_waits_for_a_stage_that_a_newer_one_may_know(database_url: str) -> None:
    """A configuration with one stage more is rolled out: the replica that is about to leave takes that stage's first run."""
    with engine_on(database_url, Runs(), stages=("qa",), timing=replace(QUICK, dead_after=timedelta(minutes=1))) as engine:
        database = Database(database_url)
        replicas = Replicas(database)
        replicas.register("newer")
        with database.write() as session:
            event = Delivery(source="github", delivery="d1", event="push", meaning="m", received_at=now())
            inbox.receive_all(session, [(event, ["added"])])
        engine.wake("added", "start")
        wait_for(lambda: "added" in engine.wakeups.work() and engine.wakeups.work()["added"].ended_at is not None)
        with database.read() as session:
            assert "done" not in inbox.counts(session)
        assert "added" in engine.wakeups.work()["added"].error
        replicas.leave("newer")
        wait_for(lambda: engine.wakeups.work()["added"].error == "")
        with database.read() as session:
            assert inbox.counts(session) == {"done": 1}
        database.close()


def test_a_stage_runs_once_at_a_time_stages_side_by_side_and_wishes_collapse(database_url: str) -> None:
    def slowly(_stage: str, _count: int) -> RunResult:
        time.sleep(0.3)
        return RunResult()

    runs = Runs(slowly)
    with engine_on(database_url, runs, stages=("dev", "qa", "prod")) as engine:
        wait_for(lambda: len(runs.count) == 3)
        for _ in range(30):
            for stage in engine.stages:
                engine.wake(stage, "event")
            time.sleep(0.02)
        wait_for(lambda: idle(engine))
    assert runs.overlaps == 0
    assert runs.together > 1
    assert all(2 <= runs.of(stage) < 20 for stage in ("dev", "qa", "prod"))


def test_an_event_during_a_run_brings_another_run_after_it(database_url: str) -> None:
    engines: list[Engine] = []

    def wakes_itself(stage: str, count: int) -> RunResult:
        if count == 1:
            engines[0].wake(stage, "an event during the run")
        return RunResult()

    runs = Runs(wakes_itself)
    with engine_on(database_url, runs, start=False) as engine:
        engines.append(engine)
        engine.start()
        wait_for(lambda: runs.of("qa") == 2)
        wait_for(lambda: idle(engine))
        time.sleep(0.3)
    assert runs.of("qa") == 2


def test_it_looks_again_when_the_run_says_so(database_url: str) -> None:
    runs = Runs(lambda _stage, count: RunResult(look_again=now() + timedelta(seconds=1)) if count == 1 else RunResult())
    with engine_on(database_url, runs) as engine:
        wait_for(lambda: runs.of("qa") == 2)
        wait_for(lambda: idle(engine))
    first, second = (at for _, at in runs.at)
    assert 0.9 <= second - first < 8


def test_the_next_step_is_taken_at_once_but_not_for_ever(database_url: str) -> None:
    runs = Runs(lambda _stage, count: RunResult(look_again=now()) if count < 200 else RunResult())
    with engine_on(database_url, runs):
        wait_for(lambda: runs.of("qa") >= 25)
        time.sleep(2)
        assert runs.of("qa") <= 26


def test_what_passes_by_itself_is_tried_again_with_a_pause(database_url: str) -> None:
    def fails_twice(_stage: str, count: int) -> RunResult:
        if count <= 2:
            raise TransientError("GitHub answers 503", retry_after=timedelta(seconds=1) if count == 1 else None)
        return RunResult()

    runs = Runs(fails_twice)
    with engine_on(database_url, runs) as engine:
        wait_for(lambda: runs.of("qa") == 3)
        wait_for(lambda: idle(engine))
        assert engine.wakeups.work()["qa"].failures == 0  # type: ignore[attr-defined]
    times = [at for _, at in runs.at]
    assert times[1] - times[0] >= 1


def test_a_stale_reading_and_a_refusal_do_not_end_the_engine(database_url: str) -> None:
    def answer(stage: str, count: int) -> RunResult:
        if stage == "qa" and count == 1:
            raise Stale("the head moved")
        if stage == "prod":
            raise Refused("the App lacks a permission", fix="grant checks: write")
        return RunResult()

    runs = Runs(answer)
    with engine_on(database_url, runs, stages=("qa", "prod")) as engine:
        wait_for(lambda: runs.of("qa") == 2)
        wait_for(lambda: idle(engine))
        assert runs.of("prod") == 1
        assert "permission" in engine.wakeups.work()["prod"].error  # type: ignore[attr-defined]
        engine.wake("prod", "somebody mended it")
        wait_for(lambda: runs.of("prod") == 2)


def test_our_own_fault_in_one_stage_leaves_the_others_alone(database_url: str) -> None:
    def answer(stage: str, _count: int) -> RunResult:
        if stage == "qa":
            raise KeyError("a bug")
        return RunResult()

    runs = Runs(answer)
    with engine_on(database_url, runs, stages=("qa", "prod")) as engine:
        for number in range(3):
            wait_for(lambda number=number: runs.of("prod") == number + 1)  # type: ignore[misc]
            engine.wake("prod", "event")
        wait_for(lambda: runs.of("qa") >= 2)
        assert engine.wakeups.work()["qa"].failures < TRIES  # type: ignore[attr-defined]
        assert engine.wakeups.work()["qa"].error == "internal error: KeyError"  # type: ignore[attr-defined]


def test_what_was_wanted_while_nobody_served_is_looked_at_afterwards(database_url: str) -> None:
    runs = Runs()
    with engine_on(database_url, runs):
        wait_for(lambda: runs.of("qa") == 1)
    with engine_on(database_url, runs):
        wait_for(lambda: runs.of("qa") == 2)


def test_a_wake_up_that_the_queue_lost_is_found(database_url: str) -> None:
    runs = Runs()
    timing = replace(QUICK, lost_after=timedelta(seconds=1))
    with engine_on(database_url, runs, timing=timing) as engine:
        wait_for(lambda: runs.of("qa") == 1)
        wait_for(lambda: idle(engine))
        lost = engine.wakeups
        enqueue = lost._enqueue  # type: ignore[attr-defined]
        lost._enqueue = lambda *_: None  # type: ignore[attr-defined]
        engine.wake("qa", "an event whose run is lost")
        lost._enqueue = enqueue  # type: ignore[attr-defined]
        wait_for(lambda: runs.of("qa") == 2)


def test_the_resync_needs_no_event(database_url: str) -> None:
    runs = Runs()
    with engine_on(database_url, runs, timing=replace(QUICK, resync=timedelta(seconds=1))):
        wait_for(lambda: runs.of("qa") >= 3)


def test_a_run_under_way_is_waited_for_at_the_end(database_url: str) -> None:
    ended = []

    def slowly(_stage: str, _count: int) -> RunResult:
        time.sleep(1)
        ended.append(True)
        return RunResult()

    runs = Runs(slowly)
    with engine_on(database_url, runs):
        wait_for(lambda: runs.of("qa") == 1)
    assert ended == [True]


def test_ended_runs_are_forgotten(database_url: str) -> None:
    runs = Runs()
    with engine_on(database_url, runs) as engine:
        for number in range(5):
            wait_for(lambda number=number: runs.of("qa") == number + 1)  # type: ignore[misc]
            engine.wake("qa", "event")
        wait_for(lambda: idle(engine))
        assert engine.queue.prune(before=now() - timedelta(hours=1)) == 0
        assert engine.queue.prune(before=now() + timedelta(minutes=1)) >= 5


def test_an_idle_engine_asks_for_runs_seldom_and_often_again_once_there_is_work(database_url: str) -> None:
    runs = Runs()
    timing = replace(QUICK, rest_after=timedelta(seconds=2))
    with engine_on(database_url, runs, timing=timing) as engine:
        wait_for(lambda: pace() == IDLE_POLL_SECONDS)
        before = runs.of("qa")
        engine.wake("qa", "push")
        wait_for(lambda: runs.of("qa") == before + 1, seconds=5)
        wait_for(lambda: pace() == timing.poll_seconds, seconds=5)
        wait_for(lambda: pace() == IDLE_POLL_SECONDS)


def pace() -> float:
    queue = DBOS.retrieve_queue(QUEUE)
    assert queue is not None
    return queue.polling_interval_sec


def test_a_wake_up_is_answered_at_once_although_the_queue_is_asked_seldom(database_url: str) -> None:
    runs = Runs()
    timing = replace(QUICK, rest_after=timedelta(seconds=1))
    with engine_on(database_url, runs, timing=timing) as engine:
        for _ in range(3):
            wait_for(lambda: pace() == IDLE_POLL_SECONDS)
            time.sleep(QUICK.poll_seconds * 2)
            before, began = runs.of("qa"), time.monotonic()
            engine.wake("qa", "push")
            wait_for(lambda before=before: runs.of("qa") == before + 1)  # type: ignore[misc]
            assert time.monotonic() - began < IDLE_POLL_SECONDS / 2


def test_an_instant_that_is_set_is_kept_although_the_queue_is_asked_seldom(database_url: str) -> None:
    runs = Runs()
    timing = replace(QUICK, rest_after=timedelta(seconds=1))
    with engine_on(database_url, runs, timing=timing) as engine:
        wait_for(lambda: pace() == IDLE_POLL_SECONDS)
        before, began = runs.of("qa"), time.monotonic()
        engine.wake("qa", "look again", at=now() + timedelta(seconds=2))
        wait_for(lambda: runs.of("qa") == before + 1)
        assert 1.9 <= time.monotonic() - began < 2 + IDLE_POLL_SECONDS
