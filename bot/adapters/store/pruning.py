"""Forgets old rows that nothing asks for any more, so that the database stays flat however many events come.

What history, metrics and audit stand on is kept for ever: promotions, verdicts, directives, health changes, deployments, audit. What a
backfill rebuilt is kept too, until `backfill --forget` takes it back.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col

from bot.adapters.store import effects, inbox
from bot.adapters.store.database import Database
from bot.adapters.store.outbox import DROPPED, SENT
from bot.adapters.store.queue_tables import DeliveryRow, OutboxRow, PauseRow

DELIVERIES_KEPT = timedelta(days=7)
"""GitHub redelivers for three days; a replay of an older body wakes a stage once more, no more than that."""
DEAD_KEPT = timedelta(days=30)
MESSAGES_KEPT = timedelta(days=30)


def pruner(database: Database, clock: Callable[[], datetime]) -> Callable[[], None]:
    """A duty for the housekeeping."""
    return lambda: prune(database, now=clock())


def prune(database: Database, *, now: datetime) -> None:
    """Forget done deliveries, done effects, sent messages and pauses that are over, each after its time."""
    with database.write() as session:
        inbox.prune(session, before=now - DELIVERIES_KEPT)
        effects.prune(session, before=now - effects.KEPT)
        connection = session.connection()
        dead = col(DeliveryRow.state) == inbox.DeliveryState.DEAD.value
        connection.execute(sa.delete(DeliveryRow).where(dead, col(DeliveryRow.done_at) < now - DEAD_KEPT))
        over = col(OutboxRow.state).in_([SENT, DROPPED])
        connection.execute(sa.delete(OutboxRow).where(over, col(OutboxRow.at) < now - MESSAGES_KEPT))
        connection.execute(sa.delete(PauseRow).where(col(PauseRow.until) < now))
