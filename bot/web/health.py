"""GET /healthz, /readyz and /metrics: is the process alive, may it be sent work, and what has it counted.

Decides from the server's own state and one question to the database. No name of a private repository is among the labels.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from time import monotonic

import structlog
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from bot.adapters.store import inbox, observations
from bot.adapters.store.database import Database
from bot.adapters.store.outbox import StoredOutbox
from bot.adapters.store.replicas import ALIVE, DEAD, SILENT
from bot.adapters.store.wakeups import Wakeups
from bot.domain.errors import BotError
from bot.reconcile.metrics import tell_gates
from bot.web import metrics

log = structlog.get_logger("web")

DATABASE_SECONDS = 2.0
LAG_EVERY_SECONDS = 1.0
LAG_KEPT_SECONDS = 60.0
LAG_TOLD_SECONDS = 1.0


class Readiness:
    """May work be sent here? Not before everything stands, and not once the process is about to stop."""

    def __init__(self) -> None:
        self.why_not = "starting"

    def ready(self) -> None:
        self.why_not = ""

    def stopping(self) -> None:
        self.why_not = "stopping"


def router(readiness: Readiness, database: Database) -> APIRouter:
    """The two probes."""
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @routes.get("/readyz")
    async def readyz() -> JSONResponse:
        """200 when it may be sent work, 503 with the reason when not."""
        why_not = readiness.why_not or await _database_problem(database)
        if why_not:
            return JSONResponse({"status": "not ready", "reason": why_not}, status_code=503)
        return JSONResponse({"status": "ready"})

    return routes


async def _database_problem(database: Database) -> str:
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            await run_in_threadpool(database.check)
    except TimeoutError:
        return "the database does not answer"
    except BotError:
        return "the database cannot be used"
    return ""


def metrics_router(refresh: Callable[[], None], *more: Callable[[], str]) -> APIRouter:
    """Everything that was counted, in Prometheus' text form. `refresh` brings the gauges up to date; `more` are further samples."""
    routes = APIRouter(tags=["health"])

    @routes.get("/metrics")
    def metrics_page() -> Response:
        """Counters and gauges."""
        with contextlib.suppress(BotError):
            refresh()
        parts = [generate_latest().decode()]
        for samples in more:
            with contextlib.suppress(BotError):
                parts.append(samples())
        return Response("".join(parts), media_type=CONTENT_TYPE_LATEST)

    return routes


def gauges(
    database: Database, wakeups: Wakeups, living: Callable[[], Mapping[str, int]], outbox: StoredOutbox, clock: Callable[[], datetime]
) -> Callable[[], None]:
    """What brings the gauges up to date with the database. `living` counts replicas by state."""

    def refresh() -> None:
        now = clock()
        with database.read() as session:
            states, oldest = inbox.counts(session), inbox.oldest_waiting(session)
            tell_gates(observations.open_verdicts(session))
        for state in inbox.DeliveryState:
            metrics.INBOX.labels(state=state.value).set(states.get(state.value, 0))
        metrics.INBOX_LAG.set(max(0.0, (now - oldest).total_seconds()) if oldest else 0.0)
        found = living()
        for name in (ALIVE, SILENT, DEAD):
            metrics.REPLICAS.labels(state=name).set(found.get(name, 0))
        messages = outbox.counts()
        for name in ("queued", "sent", "dropped"):
            metrics.OUTBOX.labels(state=name).set(messages.get(name, 0))
        for stage, work in wakeups.work().items():
            metrics.STAGE_FAILURES.labels(stage=stage).set(work.failures)
            if work.ended_at is not None:
                metrics.STAGE_LAST_RUN.labels(stage=stage).set(work.ended_at.timestamp())

    return refresh


@contextlib.asynccontextmanager
async def loop_watch(every: float = LAG_EVERY_SECONDS) -> AsyncIterator[None]:
    """Measure how late the event loop runs while the server is up, every so many seconds.

    The gauge shows the latest of the last minute: nobody can read it while the loop is blocked, and a reading a minute must see it.
    """
    kept = deque[float](maxlen=max(1, round(LAG_KEPT_SECONDS / every)))

    async def watch() -> None:
        while True:
            before = monotonic()
            await asyncio.sleep(every)
            late = max(0.0, monotonic() - before - every)
            kept.append(late)
            metrics.LOOP_LAG.set(max(kept))
            if late > LAG_TOLD_SECONDS:
                log.warning("web.loop_blocked", seconds=round(late, 1), reason="something held up the server's event loop")

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
