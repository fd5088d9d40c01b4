"""Duties by the clock, in a thread of their own: one after the other, each every so often, until they are stopped.

Decides only when. A duty that fails is logged and tried again at its next time; one of a replica that was taken for dead is left to
those that live.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

import structlog

from bot.domain.errors import BotError, Fenced
from bot.reconcile import metrics

log = structlog.get_logger("rota")

STEP_SECONDS = 0.5


@dataclass(slots=True)
class Duty:
    """Something to be done every so often; `due` is a reading of the monotonic clock. `anyhow`: also while others take this replica for
    dead, because that is how it lives again, or because nobody else knows of it."""

    name: str
    every: timedelta
    do: Callable[[], object]
    due: float = field(default=0.0)
    anyhow: bool = field(default=False, kw_only=True)


class Rota:
    """A thread that carries out its duties. One that is still under way `patience` after the stop is left behind with the process:
    quick duties and those that may take minutes stand in rotas of their own, so that no heartbeat waits. `acting` is entered around each
    duty: it raises `Fenced`, then and at guarded writes, when this replica was taken for dead."""

    def __init__(
        self,
        name: str,
        duties: Sequence[Duty],
        *,
        acting: Callable[[], AbstractContextManager[None]],
        patience: timedelta = timedelta(seconds=10),
    ) -> None:
        self.duties = list(duties)
        self._acting = acting
        self._name = name
        self._patience = patience
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=self._patience.total_seconds())

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
                with nullcontext() if duty.anyhow else self._acting():
                    duty.do()
            except Fenced as error:
                metrics.DUTIES.labels(duty=duty.name, outcome="fenced").inc()
                log.info("duty.fenced", duty=duty.name, reason=error.what)
            except BotError as error:
                metrics.DUTIES.labels(duty=duty.name, outcome="failed").inc()
                log.warning("duty.failed", duty=duty.name, reason=str(error))
            except Exception:
                metrics.DUTIES.labels(duty=duty.name, outcome="failed").inc()
                log.exception("duty.failed", duty=duty.name)
            else:
                metrics.DUTIES.labels(duty=duty.name, outcome="done").inc()
