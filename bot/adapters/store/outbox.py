"""Messages to people, kept until the chat took them, with growing pauses between the tries, for a day.

Decides when a message is tried again and when it is given up; where it goes is the chat's.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bot.adapters.store import codec
from bot.adapters.store.database import Database
from bot.adapters.store.queue_tables import OutboxRow
from bot.adapters.store.replicas import require_alive
from bot.adapters.store.upsert import put_if_absent
from bot.domain.action import Notify, Severity

QUEUED, SENT, DROPPED = "queued", "sent", "dropped"
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=15)
GIVE_UP = timedelta(days=1)
MOST_QUEUED = 1000
CLAIM_LASTS = timedelta(seconds=30)
"""Who claimed a message and died is followed by another one after this time."""


class StoredOutbox:
    """The table of messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, message: Notify, *, now: datetime) -> bool:
        """Keep it; with a thousand waiting already, those that only inform are dropped at once (and counted)."""
        with self._database.write() as session:
            require_alive(session)
            return keep(session, message, now=now)

    def due(self, *, now: datetime, limit: int = 20) -> Sequence[Notify]:
        with self._database.read() as session:
            rows = session.exec(
                select(OutboxRow)
                .where(OutboxRow.state == QUEUED, col(OutboxRow.again_at) <= now)
                .order_by(col(OutboxRow.at), col(OutboxRow.key))
                .limit(limit)
            )
            return [codec.load(Notify, row.document) for row in rows]

    def claim(self, key: str, *, now: datetime) -> bool:
        """Take it for one try, by a compare-and-swap of its row."""
        mine = sa.and_(col(OutboxRow.key) == key, col(OutboxRow.state) == QUEUED, col(OutboxRow.again_at) <= now)
        with self._database.write() as session:
            require_alive(session)
            return session.connection().execute(sa.update(OutboxRow).where(mine).values(again_at=now + CLAIM_LASTS)).rowcount == 1

    def sent(self, key: str, reference: str, *, now: datetime) -> None:
        with self._database.write() as session:
            session.connection().execute(
                sa.update(OutboxRow).where(col(OutboxRow.key) == key).values(state=SENT, reference=reference, again_at=None, error="")
            )

    def later(self, key: str, until: datetime) -> None:
        """Not to be sent before this; it counts as new then."""
        with self._database.write() as session:
            session.connection().execute(sa.update(OutboxRow).where(col(OutboxRow.key) == key).values(at=until, again_at=until))

    def failed(self, key: str, error: str, *, now: datetime) -> None:
        with self._database.write() as session:
            row = session.get(OutboxRow, key)
            if row is None:
                return
            row.attempts += 1
            row.error = error
            row.again_at = now + min(FIRST_PAUSE * 2 ** (row.attempts - 1), LONGEST_PAUSE)
            row.state = DROPPED if now - row.at > GIVE_UP else QUEUED
            session.add(row)

    def counts(self) -> dict[str, int]:
        """How many messages stand in each state."""
        with self._database.read() as session:
            return dict(session.exec(select(OutboxRow.state, sa.func.count()).group_by(col(OutboxRow.state))).all())


def keep(session: Session, message: Notify, *, now: datetime) -> bool:
    """The same in the caller's transaction; False when a message with this key was kept before."""
    full = message.severity is Severity.INFO and _waiting(session) >= MOST_QUEUED
    values = {
        "key": message.key,
        "state": DROPPED if full else QUEUED,
        "at": now,
        "attempts": 0,
        "again_at": now,
        "error": "too many messages wait" if full else "",
        "reference": "",
        "document": codec.dump(message),
    }
    return put_if_absent(session, OutboxRow, values)


def _waiting(session: Session) -> int:
    return session.exec(select(sa.func.count()).select_from(OutboxRow).where(OutboxRow.state == QUEUED)).one()
