"""The inbox: each accepted webhook once, `received` until every stage it woke was looked at, then `done`, or `dead` after five failures.

Decides whether a delivery is new, unfinished (handled again) or finished (a duplicate), by its id and by its meaning
(a hash of event and body, against replays under a new id). What an event says about stages is decided by who receives it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bot.adapters.store.queue_tables import DeliveryRow, DeliveryStageRow
from bot.adapters.store.upsert import insert, put_absent, table_of

TRIES = 5
REPLAY_AFTER = timedelta(seconds=60)


class DeliveryState(StrEnum):
    RECEIVED = "received"
    DONE = "done"
    DEAD = "dead"


class Receipt(StrEnum):
    """What became of a delivery: `again` means known, but not finished, so it is handled once more."""

    ACCEPTED = "accepted"
    AGAIN = "again"
    DUPLICATE = "duplicate"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One webhook. `meaning` is a hash of event and body; `number` the pull request it speaks of; `received_at` is UTC."""

    source: str
    delivery: str
    event: str
    meaning: str
    received_at: datetime
    action: str = ""
    repository: str = ""
    number: int | None = None
    sender: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDelivery:
    """A row of the inbox as people read it."""

    source: str
    delivery: str
    event: str
    action: str
    repository: str
    number: int | None
    sender: str
    state: str
    attempts: int
    error: str
    received_at: datetime
    done_at: datetime | None
    stages: tuple[str, ...] = ()
    waiting_for: tuple[str, ...] = ()


def receive_all(session: Session, arrived: Sequence[tuple[Delivery, Iterable[str]]]) -> list[Receipt]:
    """Store each with the stages that must be looked at before it is done; none at all makes it done at once. What became of them, in
    their order. What they all write into one table is written together."""
    receipts, waiting = list[Receipt](), list[dict[str, object]]()
    for delivery, stages in arrived:
        targets = sorted(set(stages))
        receipt = _keep(session, delivery, targets)
        if receipt in (Receipt.ACCEPTED, Receipt.AGAIN):
            waiting += [{"source": delivery.source, "delivery": delivery.delivery, "stage": stage} for stage in targets]
        receipts.append(receipt)
    put_absent(session, DeliveryStageRow, waiting)
    return receipts


def _keep(session: Session, delivery: Delivery, targets: Sequence[str]) -> Receipt:
    state = DeliveryState.RECEIVED if targets else DeliveryState.DONE
    row = _columns(delivery) | {"stages": targets, "state": state.value, "done_at": None if targets else delivery.received_at}
    connection = session.connection()
    if connection.execute(_kept(connection.dialect.name), row | {"before": delivery.received_at - REPLAY_AFTER}).first() is not None:
        return Receipt.ACCEPTED
    present = session.get(DeliveryRow, (delivery.source, delivery.delivery))
    if present is None:
        return Receipt.REPLAY
    if present.state == DeliveryState.DONE:
        return Receipt.DUPLICATE
    _revive(session, delivery.source, delivery.delivery)
    return Receipt.AGAIN


@cache
def _kept(dialect: str) -> Any:
    """Inserts the row unless its id is known or it is a replay: the same body under another id, long after the first was done. A body
    holds instants, so that is no new event."""
    table = table_of(DeliveryRow)
    replayed = sa.select(sa.literal(1)).where(
        table.c.source == sa.bindparam("source", type_=table.c.source.type),
        table.c.meaning == sa.bindparam("meaning", type_=table.c.meaning.type),
        table.c.delivery != sa.bindparam("delivery", type_=table.c.delivery.type),
        table.c.state == DeliveryState.DONE.value,
        table.c.received_at < sa.bindparam("before", type_=table.c.received_at.type),
    )
    names = [column.name for column in table.c]
    values = sa.select(*(sa.bindparam(name, type_=table.c[name].type) for name in names))
    return insert(table, dialect).from_select(names, values.where(~replayed.exists())).on_conflict_do_nothing().returning(sa.literal(1))


def _columns(delivery: Delivery) -> dict[str, object]:
    names = ("source", "delivery", "event", "meaning", "received_at", "action", "repository", "number", "sender")
    return {name: getattr(delivery, name) for name in names} | {"attempts": 0, "error": ""}


def _revive(session: Session, source: str, delivery: str) -> None:
    session.connection().execute(
        sa.update(DeliveryRow)
        .where(col(DeliveryRow.source) == source, col(DeliveryRow.delivery) == delivery, col(DeliveryRow.state) == DeliveryState.DEAD.value)
        .values(state=DeliveryState.RECEIVED.value, attempts=0)
    )


def take(session: Session, stage: str, run: str) -> list[str]:
    """A run begins: it answers all deliveries that woke the stage until now. The answer is their ids, in no order."""
    mine = sa.update(DeliveryStageRow).where(col(DeliveryStageRow.stage) == stage).values(run=run)
    return list(session.connection().execute(mine.returning(col(DeliveryStageRow.delivery))).scalars())


def answered(session: Session, stage: str, run: str, *, now: datetime) -> None:
    """The run ended well: deliveries that wait for no other stage are done."""
    mine = (col(DeliveryStageRow.stage) == stage, col(DeliveryStageRow.run) == run)
    if session.connection().execute(sa.delete(DeliveryStageRow).where(*mine)).rowcount:
        _close_answered(session, now=now)


def _close_answered(session: Session, *, now: datetime) -> None:
    waiting = (
        sa.select(sa.literal(1))
        .where(DeliveryStageRow.source == DeliveryRow.source, DeliveryStageRow.delivery == DeliveryRow.delivery)  # type: ignore[arg-type]
        .exists()
    )
    session.connection().execute(
        sa.update(DeliveryRow)
        .where(col(DeliveryRow.state) == DeliveryState.RECEIVED.value, ~waiting)
        .values(state=DeliveryState.DONE.value, done_at=now, error="")
    )


def failed(session: Session, stage: str, run: str, error: str, *, counts: bool, now: datetime) -> None:
    """The run failed. Where it counts, its deliveries come nearer to the dead letters; they go on waiting otherwise."""
    mine = select(DeliveryStageRow.source, DeliveryStageRow.delivery).where(DeliveryStageRow.stage == stage, DeliveryStageRow.run == run)
    for source, delivery in session.exec(mine).all():
        row = session.get(DeliveryRow, (source, delivery))
        if row is None:
            continue
        row.error = error
        row.attempts += 1 if counts else 0
        if row.attempts >= TRIES:
            row.state = DeliveryState.DEAD.value
            row.done_at = now
            session.connection().execute(
                sa.delete(DeliveryStageRow).where(col(DeliveryStageRow.source) == source, col(DeliveryStageRow.delivery) == delivery)
            )
        session.add(row)
    session.flush()


def listing(session: Session, *, state: str = "", limit: int = 50) -> Sequence[StoredDelivery]:
    """The newest first."""
    query = select(DeliveryRow).order_by(col(DeliveryRow.received_at).desc()).limit(limit)
    if state:
        query = query.where(DeliveryRow.state == state)
    rows = session.exec(query).all()
    waiting: dict[tuple[str, str], list[str]] = {}
    for stage in session.exec(select(DeliveryStageRow).where(col(DeliveryStageRow.delivery).in_([row.delivery for row in rows]))):
        waiting.setdefault((stage.source, stage.delivery), []).append(stage.stage)
    return [_noun(row, waiting.get((row.source, row.delivery), [])) for row in rows]


def counts(session: Session) -> dict[str, int]:
    """How many deliveries stand in each state."""
    rows = session.exec(select(DeliveryRow.state, sa.func.count()).group_by(col(DeliveryRow.state))).all()
    return {state: count for state, count in rows}  # noqa: C416 - rows are not plain tuples to the type checker


def newest(session: Session) -> datetime | None:
    """When the last webhook was taken."""
    return session.exec(select(sa.func.max(col(DeliveryRow.received_at)))).one()


def oldest_waiting(session: Session) -> datetime | None:
    """When the oldest unfinished delivery came in."""
    found: datetime | None = session.exec(
        select(sa.func.min(col(DeliveryRow.received_at))).where(DeliveryRow.state == DeliveryState.RECEIVED)
    ).one()
    return found


def retry(session: Session, delivery: str) -> StoredDelivery | None:
    """Take a dead letter back into the inbox; None when there is no such delivery. The caller wakes its stages."""
    row = session.exec(select(DeliveryRow).where(DeliveryRow.delivery == delivery)).first()
    if row is None:
        return None
    if row.state == DeliveryState.DEAD.value:
        row.state, row.attempts, row.done_at = DeliveryState.RECEIVED.value, 0, None
        session.add(row)
        session.flush()
        put_absent(session, DeliveryStageRow, [{"source": row.source, "delivery": row.delivery, "stage": stage} for stage in row.stages])
    return _noun(row)


def _noun(row: DeliveryRow, waiting_for: Iterable[str] = ()) -> StoredDelivery:
    return StoredDelivery(**row.model_dump(exclude={"meaning"}) | {"stages": tuple(row.stages)}, waiting_for=tuple(sorted(waiting_for)))


def prune(session: Session, *, before: datetime) -> int:
    """Forget deliveries that were done before an instant; dead letters stay until somebody retries them or a month later."""
    statement = sa.delete(DeliveryRow).where(col(DeliveryRow.state) == DeliveryState.DONE.value, col(DeliveryRow.done_at) < before)
    return session.connection().execute(statement).rowcount
