"""Builds the durable engine on a database of the test's own; its DBOS is the process's only one, so it must be stopped."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from bot.adapters.store import migrate
from bot.adapters.store.database import Database, make_queue_engine
from bot.adapters.store.replicas import Replicas
from bot.adapters.store.wakeups import Wakeups
from bot.reconcile.bell import Bell
from bot.reconcile.engine import Engine, Timing
from bot.reconcile.housekeeping import Housekeeper
from bot.reconcile.queue import Enqueuer, StageQueue
from bot.reconcile.run import RunResult

QUICK = Timing(
    poll_seconds=0.05,
    beat=timedelta(seconds=0.5),
    dead_after=timedelta(seconds=3),
    resync=timedelta(minutes=5),
    lost_after=timedelta(seconds=5),
    stop_wait=timedelta(seconds=5),
)


def now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def engine_on(
    url: str, run: Callable[[str], RunResult], *, stages: Sequence[str] = ("qa",), timing: Timing = QUICK, start: bool = True
) -> Iterator[Engine]:
    """An engine that runs until the end of the block."""
    database = Database(url)
    migrate.upgrade(database)
    queue_engine = make_queue_engine(database.url)
    enqueuer, bell = Enqueuer(queue_engine), Bell()
    engine = Engine(
        stages=stages,
        run=run,
        wakeups=Wakeups(database, enqueuer, bell.ring),
        replicas=Replicas(database),
        queue=StageQueue(queue_engine, workers=timing.workers, poll_seconds=timing.poll_seconds, bell=bell),
        clock=now,
        name=lambda: f"replica-{secrets.token_hex(4)}",
        timing=timing,
    )
    housekeeper = Housekeeper(engine, now)
    if start:
        engine.start()
        housekeeper.start()
    try:
        yield engine
    finally:
        housekeeper.stop()
        engine.stop()
        enqueuer.close()
        queue_engine.dispose()
        database.close()
