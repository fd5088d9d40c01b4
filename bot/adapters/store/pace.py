"""The paces of what is sent outside, kept in the database: all processes together keep one, and so does one that was started anew.

Decides by the database's clock whether something still fits into its windows; how much fits, and for whom, is handed in. Each taking is
fenced: a replica that was taken for dead sends nothing any more.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bot.adapters.store.database import Database
from bot.adapters.store.queue_tables import PaceRow, PauseRow
from bot.adapters.store.replicas import require_alive
from bot.adapters.store.upsert import put_if_absent
from bot.domain.pace import Window, wait_for

KEPT = timedelta(hours=1)
LONGEST_PAUSE = timedelta(hours=1, minutes=5)
"""No forge asks for more: GitHub's limits end with the hour. What is longer comes of a clock that was set back."""
LOCK = 0x70616365


class SharedPace:
    """The `Pace` port over the tables of paces and pauses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, name: str, weight: int, windows: Sequence[Window]) -> float:
        with self._database.write() as session:
            require_alive(session)
            if not self._database.is_sqlite:
                session.connection().execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            now = self._database.clock(session)
            wait = wait_for(_sent(session, name, now), now.timestamp(), weight, windows)
            if wait <= 0:
                session.add(PaceRow(name=name, at=now, weight=weight))
            return max(wait, 0.0)

    def pause(self, name: str, length: timedelta) -> None:
        with self._database.write() as session:
            now = self._database.clock(session)
            until, column = now + length, col(PauseRow.until)
            put_if_absent(session, PauseRow, {"name": name, "until": until, "why": "a rate limit"})
            ends_otherwise = sa.or_(column < until, column > now + LONGEST_PAUSE)
            session.connection().execute(sa.update(PauseRow).where(col(PauseRow.name) == name, ends_otherwise).values(until=until))

    def left(self, names: Sequence[str]) -> float:
        with self._database.read() as session:
            found = session.exec(select(PauseRow.until).where(col(PauseRow.name).in_(list(names)))).all()
            if not found:
                return 0.0
            now = self._database.clock(session)
            return max((min(until - now, LONGEST_PAUSE)).total_seconds() for until in found)


def _sent(session: Session, name: str, now: datetime) -> list[float]:
    """The instants of what was sent under this name within the hour. What a clock that was set back left in the future counts as now."""
    connection = session.connection()
    connection.execute(sa.delete(PaceRow).where(col(PaceRow.at) <= now - KEPT))
    connection.execute(sa.update(PaceRow).where(col(PaceRow.at) > now).values(at=now))
    rows = session.exec(select(PaceRow.at, PaceRow.weight).where(PaceRow.name == name).order_by(col(PaceRow.at)))
    return [at.timestamp() for at, weight in rows for _ in range(weight)]
