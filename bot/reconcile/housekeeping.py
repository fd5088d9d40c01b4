"""What a process does by the clock: its heart beats, dead replicas are taken over, wake-ups that got lost are found, old rows go.

Decides only when; each duty stands where its subject is. A duty that fails is logged and tried again at its next time.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

import structlog

from bot.domain.errors import BotError
from bot.reconcile import metrics
from bot.reconcile.engine import Engine

log = structlog.get_logger("housekeeping")

STEP_SECONDS = 0.5


@dataclass(slots=True)
class Duty:
    """Something to be done every so often; `due` is a reading of the monotonic clock."""

    name: str
    every: timedelta
    do: Callable[[], object]
    due: float = field(default=0.0)


class Housekeeper:
    """A thread that carries out duties until it is stopped."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime], extra: list[Duty] | None = None) -> None:
        self._engine = engine
        self._clock = clock
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        timing = engine.timing
        self.duties = [
            Duty("heartbeat", timing.beat, self.heartbeat),
            Duty("resync", min(timing.resync, timedelta(seconds=30)), self.resync),
            Duty("lost wake-ups", timing.lost_after, self.find_lost),
            Duty("unbegun runs", timing.rescue, engine.rescue),
            Duty("rest", timing.rest_after / 2, engine.rest),
            Duty("prune", timedelta(minutes=10), self.prune),
            *(extra or []),
        ]

    def start(self) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._loop, name="housekeeping", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _loop(self) -> None:
        while not self._stop.wait(STEP_SECONDS):
            self.work_off(monotonic())

    def work_off(self, now: float) -> None:
        """Carry out what is due at this reading of the monotonic clock."""
        for duty in self.duties:
            if duty.due > now or self._stop.is_set():
                continue
            duty.due = now + duty.every.total_seconds()
            try:
                duty.do()
            except BotError as error:
                metrics.DUTIES.labels(duty=duty.name, outcome="failed").inc()
                log.warning("duty.failed", duty=duty.name, reason=str(error))
            except Exception:
                metrics.DUTIES.labels(duty=duty.name, outcome="failed").inc()
                log.exception("duty.failed", duty=duty.name)
            else:
                metrics.DUTIES.labels(duty=duty.name, outcome="done").inc()

    def heartbeat(self) -> None:
        """Show that this process lives, and take over those that do not."""
        self._engine.beat()
        self._engine.take_over()

    def resync(self) -> None:
        """Want every stage that nobody looked at for the resync interval: no event is needed for the bot to arrive."""
        now = self._clock()
        work = self._engine.wakeups.work()
        for stage in self._engine.stages:
            ended = work[stage].ended_at if stage in work else None
            if ended is None or now - ended >= self._engine.timing.resync or ended > now:
                self._engine.wake(stage, "resync")

    def find_lost(self) -> None:
        """A stage that is wanted for long, while the queue holds no run of it, gets one."""
        now = self._clock()
        old = {
            stage
            for stage, work in self._engine.wakeups.work().items()
            if work.wanted and work.marked_at is not None and abs(now - work.marked_at) > self._engine.timing.lost_after
        }
        for stage in sorted(old - self._engine.queue.waiting() if old else old):
            log.warning("wakeup.lost", stage=stage)
            self._engine.wakeups.enqueue_again(stage, now=now)

    def prune(self) -> None:
        """Forget runs that ended long ago, and replicas that left."""
        self._engine.queue.prune(before=self._clock() - self._engine.timing.keep_runs)
        self._engine.replicas.prune()
