"""What a process does by the clock: its heart beats, dead replicas are taken over, wake-ups that got lost are found, old rows go.

Decides only when; each duty stands where its subject is. A duty that fails is logged and tried again at its next time.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from bot.reconcile.engine import Engine
from bot.reconcile.rota import Duty, Rota

log = structlog.get_logger("housekeeping")


class Housekeeper(Rota):
    """The engine's own duties, and `extra` ones that are as quick."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime], extra: Sequence[Duty] = ()) -> None:
        self._engine = engine
        self._clock = clock
        timing = engine.timing
        duties = [
            Duty("heartbeat", timing.beat, self.heartbeat, anyhow=True),
            Duty("resync", min(timing.resync, timedelta(seconds=30)), self.resync),
            Duty("lost wake-ups", timing.lost_after, self.find_lost),
            Duty("unbegun runs", timing.rescue, engine.rescue),
            Duty("rest", timing.rest_after / 2, engine.rest),
            Duty("prune", timedelta(minutes=10), self.prune),
        ]
        super().__init__("housekeeping", [*duties, *extra], acting=engine.acting)

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
