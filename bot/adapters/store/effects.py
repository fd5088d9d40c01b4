"""The journal of effects on the outside: started before one is tried, done with its result afterwards.

Decides only what is remembered; when to look and when to act is decided in `reconcile/effects`. Both writes are fenced:
a replica that was taken for dead cannot begin an effect.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col

from bot.adapters.store.database import Database
from bot.adapters.store.queue_tables import EffectRow
from bot.adapters.store.replicas import require_alive
from bot.adapters.store.upsert import put_if_absent

STARTED, DONE = "started", "done"


KEPT_FOR_EVER = "account"
"""Which account a login first stood for: a login must never come to mean another one by our forgetting."""


class EffectJournal:
    """The table of effects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, key: str, name: str, *, now: datetime) -> tuple[str, object]:
        """("new", None) when nobody tried it before, ("started", None) when somebody did and the end is not known, ("done", result)."""
        with self._database.write() as session:
            require_alive(session)
            if put_if_absent(session, EffectRow, {"key": key, "name": name, "state": STARTED, "started_at": now}):
                return "new", None
            row = session.get(EffectRow, key)
            if row is None:
                return "new", None
            return row.state, row.result

    def done(self, key: str, result: object, *, now: datetime) -> None:
        """The effect happened, with this JSON result."""
        with self._database.write() as session:
            session.connection().execute(
                sa.update(EffectRow).where(col(EffectRow.key) == key).values(state=DONE, result=result, done_at=now)
            )

    def forget(self, key: str) -> None:
        """The effect certainly did not happen (it was refused): the next try begins anew."""
        with self._database.write() as session:
            session.connection().execute(sa.delete(EffectRow).where(col(EffectRow.key) == key, col(EffectRow.state) == STARTED))

    def known(self, key: str) -> bool:
        """True when it was begun before, whatever came of it."""
        with self._database.read() as session:
            return session.get(EffectRow, key) is not None

    def prune(self, *, before: datetime) -> int:
        """Forget done effects older than an instant; the number forgotten."""
        with self._database.write() as session:
            return prune(session, before=before)


def prune(session: Session, *, before: datetime) -> int:
    old = sa.and_(col(EffectRow.state) == DONE, col(EffectRow.done_at) < before)
    statement = sa.delete(EffectRow).where(old, col(EffectRow.name) != KEPT_FOR_EVER)
    return session.connection().execute(statement).rowcount


KEPT = timedelta(days=30)
