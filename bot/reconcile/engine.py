"""The durable engine: runs each stage in one place at a time, again when somebody wants it, later when a run failed.

Decides when a stage is looked at and what a failed run means; what a run does is handed in. A wake-up is a mark in our own
table, collapsed while it waits; the durable queue (`queue`) holds the runs. `housekeeping` beats the heart of this process.
"""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

import structlog

from bot.domain.errors import Fenced, TransientError, UserError
from bot.reconcile import metrics
from bot.reconcile.backoff import FIRST, pause
from bot.reconcile.engine_ports import Queue, Replicas, Wakeups
from bot.reconcile.run import RunResult
from bot.tracing import span

log = structlog.get_logger("engine")

TRIES = 5
"""After so many failures of our own in a row a stage is looked at by the resync only."""
QUICK_LOOKS = 25
"""So many runs may follow each other at once; after that a stage takes a breath."""
BREATH = timedelta(seconds=5)
NAMED = 20
"""So many deliveries that a run answers are named in the log; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The engine's intervals. A replica is dead when its heart stood still for `dead_after`."""

    poll_seconds: float = 0.2
    beat: timedelta = timedelta(seconds=3)
    dead_after: timedelta = timedelta(seconds=15)
    resync: timedelta = timedelta(minutes=5)
    lost_after: timedelta = timedelta(seconds=60)
    rescue: timedelta = timedelta(seconds=10)
    stop_wait: timedelta = timedelta(seconds=20)
    keep_runs: timedelta = timedelta(hours=1)
    rest_after: timedelta = timedelta(seconds=10)
    first_pause: timedelta = FIRST
    workers: int = 8


class Engine:
    """Runs stages. `run(stage)` observes, plans and applies; it may raise any of the families of errors."""

    def __init__(
        self,
        *,
        stages: Sequence[str],
        run: Callable[[str], RunResult],
        wakeups: Wakeups,
        replicas: Replicas,
        queue: Queue,
        clock: Callable[[], datetime],
        name: Callable[[], str],
        timing: Timing | None = None,
    ) -> None:
        self.stages = tuple(stages)
        self.timing = timing or Timing()
        self.wakeups, self.replicas, self.queue = wakeups, replicas, queue
        self._run_stage, self._clock, self._name = run, clock, name
        self.replica = ""
        self.joined = False
        self._lock = threading.Condition()
        self._running: dict[str, int] = {}
        self._under_way: set[str] = set()
        self._unbegun: set[str] = set()
        self._quick: dict[str, int] = {}
        self._stopping = False

    def start(self) -> None:
        """Announce this process, take runs, and want every stage looked at once: what happened meanwhile is seen then."""
        self._stopping = False
        self.join()
        for stage in self.stages:
            self.wake(stage, "start")

    def join(self) -> None:
        """Become a new replica; dead ones' runs are taken over at once where it is certain."""
        self.joined = False
        self.replica = self._name()
        fence = self.replicas.register(self.replica)
        log.info("engine.start", replica=self.replica, fence=fence, stages=len(self.stages))
        self.queue.start(self.replica, self._run)
        self.joined = True
        self.take_over()

    def beat(self) -> None:
        """Show that this process lives. Where others took it for dead, what it had under way goes on there, and it joins anew."""
        if self.joined and self.replicas.beat(self.replica):
            return
        fenced = self.replica
        log.warning("engine.fenced", replica=fenced)
        self.queue.stop()
        self.join()
        self.replicas.reopen([fenced])
        self.take_over()

    def stop(self) -> None:
        """Begin no more runs, wait for those under way, and leave. What does not end in time is taken over by others."""
        with self._lock:
            self._stopping = True
            deadline = monotonic() + self.timing.stop_wait.total_seconds()
            while self._running and (left := deadline - monotonic()) > 0:
                self._lock.wait(timeout=left)
            hanging = sorted(self._running)
        self.queue.stop()
        if not hanging:
            self.replicas.leave(self.replica)
        log.info("engine.stop", replica=self.replica, unfinished=hanging)

    @property
    def stopping(self) -> bool:
        return self._stopping

    def wake(self, stage: str, reason: str, *, at: datetime | None = None) -> None:
        """Look at the stage now, or at an instant (UTC)."""
        now = self._clock()
        if at is not None and at > now:
            self.wakeups.schedule(stage, at, now=now)
        else:
            self.wakeups.want(stage, reason, now=now)

    def take_over(self) -> None:
        """Resume the runs of replicas that are dead."""
        for dead in self.replicas.claim_dead(self.replica, dead_after=self.timing.dead_after):
            runs = self.queue.take_over(dead)
            self.replicas.finish(dead)
            if runs:
                log.warning("replica.taken_over", replica=dead, by=self.replica, runs=runs)
                metrics.TAKEN_OVER.inc()

    def rescue(self) -> None:
        """Put back runs that the queue gave to this process and that never began here: a database that did not answer in between
        leaves one behind, and it would hold its stage up for as long as this process lives. Two looks, because one may be too early.
        Runs of replicas whose work was taken over before they took these are taken over too."""
        held = self.queue.held()
        self.replicas.reopen(sorted(set(held.values()) - {self.replica}))
        given = {run for run, executor in held.items() if executor == self.replica}
        with self._lock:
            unbegun = given - self._under_way
            stuck, self._unbegun = sorted(unbegun & self._unbegun), unbegun
        if stuck:
            log.warning("runs.rescued", runs=stuck)
            self.queue.put_back(stuck)

    def rest(self) -> None:
        """Ask for runs seldom while no process had one for a while."""
        now, awhile = self._clock(), self.timing.rest_after
        work = self.wakeups.work().values()
        if not any(one.wanted or (one.ended_at is not None and abs(now - one.ended_at) < awhile) for one in work):
            self.queue.hurry(False)

    @contextmanager
    def acting(self) -> Iterator[None]:
        """In this replica's name. `Fenced` when others took it for dead: before anything is done, and at every guarded write inside."""
        replica = self.replica
        with self.replicas.acting_as(replica):
            self.replicas.require(replica)
            yield

    def _run(self, stage: str, run: str) -> None:
        replica = self.replica
        bound = structlog.contextvars.bound_contextvars(stage=stage, run=run)
        with self._counted(stage, run) as mine, self.replicas.acting_as(replica), bound, span("run", stage=stage, run=run):
            if not mine:
                self.wakeups.enqueue_again(stage, now=self._clock())
                return
            try:
                self._guarded(stage, run)
            except Fenced as error:
                log.warning("run.fenced", reason=error.what)
            except Exception:
                log.exception("run.unrecorded")

    @contextmanager
    def _counted(self, stage: str, run: str) -> Iterator[bool]:
        with self._lock:
            mine = not self._stopping
            if mine:
                self._running[stage] = self._running.get(stage, 0) + 1
                self._under_way.add(run)
        try:
            yield mine
        finally:
            with self._lock:
                if mine:
                    self._under_way.discard(run)
                    self._running[stage] -= 1
                    if not self._running[stage]:
                        del self._running[stage]
                self._lock.notify_all()

    def _guarded(self, stage: str, run: str) -> None:
        began = monotonic()
        answers = self.wakeups.begin(stage, run, now=self._clock())
        if answers:
            log.info("run.begin", deliveries=sorted(answers)[:NAMED], count=len(answers))
        self.queue.hurry(True)
        known = stage in self.stages
        if not known and self.replicas.newest(self.replica):
            log.warning("run.no_such_stage", reason="the configuration has no such stage any more; what waited for it is over")
            self.wakeups.finish(stage, run, now=self._clock())
            return
        try:
            if not known:
                raise TransientError(f"this replica's configuration has no stage {stage}; a replica that began later may know it")
            result = self._run_stage(stage)
        except Fenced:
            raise
        except TransientError as error:
            outcome = "put off"
            self._again(stage, run, error.what, asked=error.retry_after)
        except UserError as error:
            outcome = "refused"
            log.warning("run.refused", code=error.code, reason=error.what, where=error.where, fix=error.fix)
            self.wakeups.fail(stage, run, str(error), our_fault=False, now=self._clock())
            self.wake(stage, "again after a refusal", at=self._clock() + self.timing.resync)
        except Exception as error:
            outcome = "failed"
            log.exception("run.failed")
            self._our_fault(stage, run, f"internal error: {type(error).__name__}")
        else:
            outcome = "done"
            self.wakeups.finish(stage, run, now=self._clock())
            self._next(stage, result)
        metrics.RUNS.labels(outcome=outcome).inc()
        metrics.RUN_SECONDS.observe(monotonic() - began)

    def _next(self, stage: str, result: RunResult) -> None:
        if result.look_again is None:
            self._quick.pop(stage, None)
            return
        now = self._clock()
        if result.look_again > now:
            self._quick.pop(stage, None)
            self.wake(stage, "look again", at=result.look_again)
            return
        self._quick[stage] = self._quick.get(stage, 0) + 1
        breath = self._quick[stage] % QUICK_LOOKS == 0
        self.wake(stage, "next step", at=now + BREATH if breath else None)

    def _again(self, stage: str, run: str, why: str, *, asked: timedelta | None) -> None:
        failures = self.wakeups.fail(stage, run, why, our_fault=False, now=self._clock())
        wait = pause(failures, random.random(), asked=asked, first=self.timing.first_pause)  # noqa: S311 - spreads retries, guards nothing
        log.info("run.put_off", reason=why, failures=failures, seconds=round(wait.total_seconds(), 1))
        self.wake(stage, "again after a failure", at=self._clock() + wait)

    def _our_fault(self, stage: str, run: str, why: str) -> None:
        failures = self.wakeups.fail(stage, run, why, our_fault=True, now=self._clock())
        soon = pause(failures, random.random(), first=self.timing.first_pause)  # noqa: S311 - spreads retries
        wait = soon if failures < TRIES else self.timing.resync
        self.wake(stage, "again after an internal error", at=self._clock() + wait)
