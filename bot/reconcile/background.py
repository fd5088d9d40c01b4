"""Work that may take minutes and must not hold up heartbeats or promotions: a thread of its own, one task after the other.

Decides only when; a task that fails is logged and tried again at its next time.
"""

import threading
from collections.abc import Sequence
from time import monotonic

import structlog

from bot.domain.errors import BotError
from bot.reconcile import metrics
from bot.reconcile.housekeeping import Duty

log = structlog.get_logger("background")

STEP_SECONDS = 1.0


class Background:
    """Runs its duties until it is stopped; one that is under way at the stop is left behind with the process."""

    def __init__(self, duties: Sequence[Duty]) -> None:
        self.duties = tuple(duties)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._loop, name="background", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=2)

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
