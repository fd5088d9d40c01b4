"""Wake-ups of stages: who wants one looked at, when the next time is set, how often its runs failed.

Events for a stage that is wanted already collapse; the mark is cleared when the run begins, before it observes, so that
an event during a run wants another one. Enqueuing itself is the durable queue's; it is handed in and happens in the same
transaction as the mark.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bot.adapters.store import inbox
from bot.adapters.store.database import Database
from bot.adapters.store.queue_tables import WakeupRow
from bot.adapters.store.replicas import require_alive
from bot.adapters.store.upsert import put_if_absent, table_of

Enqueue = Callable[[sa.Connection, str, str, float], None]
"""(connection, stage, run id, seconds to wait): put one run into the durable queue, in this connection's transaction."""

SLACK = timedelta(seconds=1)
AT_ONCE = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageWork:
    """How the work on a stage stands; instants are UTC."""

    stage: str
    wanted: bool
    reason: str
    marked_at: datetime | None
    began_at: datetime | None
    ended_at: datetime | None
    wake_at: datetime | None
    failures: int
    first_failed_at: datetime | None
    error: str


class Wakeups:
    """The table of wake-ups. `enqueue` is set once the durable queue stands."""

    def __init__(self, database: Database, enqueue: Enqueue, ring: Callable[[float], None] = lambda _seconds: None) -> None:
        """`ring` is called once a run stands in the queue, with the seconds until it may begin."""
        self._database = database
        self._enqueue = enqueue
        self._ring = ring

    def want(self, stage: str, reason: str, *, now: datetime) -> None:
        """The stage must be looked at; enqueued unless it waits for that already."""
        with self._database.write() as session:
            waits = self.want_in(session, {stage: reason}, now=now)
        self.committed(waits)

    def committed(self, waits: Iterable[float]) -> None:
        """What `want_in` enqueued stands in the queue now, and may begin after these seconds."""
        for wait in sorted(set(waits)):
            self._ring(wait)

    def want_in(self, session: Session, reasons: Mapping[str, str], *, now: datetime, apart: timedelta = AT_ONCE) -> list[float]:
        """The same for several stages, in the caller's transaction; `committed` is to be told the answer after it.

        A stage whose last run began less than `apart` ago is looked at when that time is over, once for all that comes until then.
        The rows are locked, in one order everywhere, even where the mark stands already: a run that begins meanwhile then waits
        for this commit and sees all that came with it.
        """
        if not reasons:
            return []
        connection = session.connection()
        marks = _locked(connection, reasons)
        if missing := reasons.keys() - marks.keys():
            for stage in sorted(missing):
                _create(session, stage)
            marks = _locked(connection, reasons)
        waits = {stage: _left(mark.began_at, now, apart) for stage, mark in marks.items() if not mark.wanted}
        for stage, wait in waits.items():
            connection.execute(_MARK, {"of": stage, "wanted": True, "reason": reasons[stage], "marked_at": now})
            self._enqueue(connection, stage, f"{stage}:{now.timestamp():.6f}", wait)
        return list(waits.values())

    def enqueue_again(self, stage: str, *, now: datetime) -> None:
        """Enqueue whatever the mark says: it is wanted, but the queue holds nothing for it."""
        with self._database.write() as session:
            self._enqueue(session.connection(), stage, f"{stage}:{now.timestamp():.6f}", 0.0)
        self._ring(0.0)

    def schedule(self, stage: str, at: datetime, *, now: datetime) -> None:
        """Look at the stage at an instant, unless an earlier one is set already."""
        wait = max(0.0, (at - now).total_seconds())
        with self._database.write() as session:
            _create(session, stage)
            changed = session.connection().execute(
                sa.update(WakeupRow)
                .where(
                    col(WakeupRow.stage) == stage,
                    sa.or_(col(WakeupRow.wake_at).is_(None), col(WakeupRow.wake_at) <= now, col(WakeupRow.wake_at) > at),
                )
                .values(wake_at=at)
            )
            earlier = changed.rowcount == 1
            if earlier:
                self._enqueue(session.connection(), stage, f"{stage}@{at.timestamp():.3f}", wait)
        if earlier:
            self._ring(wait)

    def begin(self, stage: str, run: str, *, now: datetime) -> list[str]:
        """A run of the stage begins: from here on an event wants another one. The ids of the deliveries that it answers. Fenced.

        Where the database forgets this or `finish` in a crash, the stage is still wanted and is looked at once more.
        """
        with self._database.write(repeatable=True) as session:
            require_alive(session)
            wake_at = sa.case((col(WakeupRow.wake_at) <= now + SLACK, None), else_=col(WakeupRow.wake_at))
            begun = sa.update(WakeupRow).where(col(WakeupRow.stage) == stage).values(wanted=False, began_at=now, wake_at=wake_at)
            if not session.connection().execute(begun).rowcount:
                _create(session, stage)
                session.connection().execute(begun)
            return inbox.take(session, stage, run)

    def finish(self, stage: str, run: str, *, now: datetime) -> None:
        """The run ended well: the events that it answered are done."""
        with self._database.write(repeatable=True) as session:
            require_alive(session)
            session.connection().execute(
                sa.update(WakeupRow).where(col(WakeupRow.stage) == stage).values(ended_at=now, failures=0, first_failed_at=None, error="")
            )
            inbox.answered(session, stage, run, now=now)

    def fail(self, stage: str, run: str, error: str, *, our_fault: bool, now: datetime) -> int:
        """The run failed; the number of failures in a row. Our own faults count against the events that it was to answer."""
        with self._database.write() as session:
            require_alive(session)
            session.connection().execute(
                sa.update(WakeupRow)
                .where(col(WakeupRow.stage) == stage)
                .values(
                    ended_at=now,
                    failures=WakeupRow.failures + 1,
                    first_failed_at=sa.func.coalesce(col(WakeupRow.first_failed_at), sa.literal(now, WakeupRow.first_failed_at.type)),  # type: ignore[union-attr]
                    error=error,
                )
            )
            inbox.failed(session, stage, run, error, counts=our_fault, now=now)
            return session.exec(select(WakeupRow.failures).where(WakeupRow.stage == stage)).one()

    def work(self) -> Mapping[str, StageWork]:
        """How the work on each stage stands."""
        with self._database.read() as session:
            rows = session.exec(select(WakeupRow)).all()
            return {row.stage: StageWork(**row.model_dump()) for row in rows}


_TABLE = table_of(WakeupRow)
_LOCKED = (
    sa.select(_TABLE.c.stage, _TABLE.c.wanted, _TABLE.c.began_at)
    .where(_TABLE.c.stage.in_(sa.bindparam("of", expanding=True)))
    .order_by(_TABLE.c.stage)
    .with_for_update()
)
_MARK = sa.update(_TABLE).where(_TABLE.c.stage == sa.bindparam("of"))


def _locked(connection: sa.Connection, stages: Iterable[str]) -> Mapping[str, Any]:
    """Whether each is wanted and when its last run began, as far as it has a row."""
    return {row.stage: row for row in connection.execute(_LOCKED, {"of": sorted(stages)})}


def _left(began_at: datetime | None, now: datetime, apart: timedelta) -> float:
    """Seconds until a run may begin; never more than `apart`, whatever a clock that was set back says."""
    since = now - began_at if began_at is not None else apart
    return min(apart, max(AT_ONCE, apart - since)).total_seconds()


def _create(session: Session, stage: str) -> None:
    put_if_absent(session, WakeupRow, {"stage": stage, "wanted": False, "reason": "", "failures": 0, "error": ""})
