"""The tables of the engine: inbox, wake-ups, effects, notifications, replicas, and what must be read again.

Decides columns and keys only. The durable queue itself (DBOS) keeps its own tables in the same database.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from bot.adapters.store.types import Document, Instant


class DeliveryRow(SQLModel, table=True):
    """One accepted webhook: `received` until every stage it woke was looked at, then `done`; `dead` after five failures.

    `meaning` is a hash of event and body: the same body under a new id is a replay.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.Index("ix_deliveries_meaning", "source", "meaning"),
        sa.Index("ix_deliveries_state", "state", "received_at"),
    )
    source: str = Field(primary_key=True)
    delivery: str = Field(primary_key=True)
    event: str
    action: str = ""
    repository: str = ""
    number: int | None = Field(default=None, sa_type=sa.BigInteger)
    sender: str = ""
    meaning: str
    stages: list[str] = Field(sa_type=Document)
    state: str
    attempts: int = 0
    error: str = ""
    received_at: datetime = Field(sa_type=Instant)
    done_at: datetime | None = Field(default=None, sa_type=Instant)


class DeliveryStageRow(SQLModel, table=True):
    """A stage that a delivery woke and that has not been looked at since; `run` is the run that is looking now."""

    __tablename__ = "delivery_stages"
    __table_args__ = (sa.Index("ix_delivery_stages_stage", "stage", "run"),)
    source: str = Field(primary_key=True)
    delivery: str = Field(primary_key=True)
    stage: str = Field(primary_key=True)
    run: str | None = None


class WakeupRow(SQLModel, table=True):
    """A stage's wish to be looked at: `wanted` from the wake-up until the run begins; `wake_at` the next time that is set.

    `failures` counts runs in a row that failed; `first_failed_at` and `error` say since when and why.
    """

    __tablename__ = "wakeups"
    stage: str = Field(primary_key=True)
    wanted: bool = False
    reason: str = ""
    marked_at: datetime | None = Field(default=None, sa_type=Instant)
    began_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    wake_at: datetime | None = Field(default=None, sa_type=Instant)
    failures: int = 0
    first_failed_at: datetime | None = Field(default=None, sa_type=Instant)
    error: str = ""


class PauseRow(SQLModel, table=True):
    """Nothing is sent to `name` before `until`: the other side asked for a pause."""

    __tablename__ = "pauses"
    name: str = Field(primary_key=True)
    until: datetime = Field(sa_type=Instant)
    why: str = ""


class PaceRow(SQLModel, table=True):
    """Something that was sent to the other side, and how much it counts: forgotten after an hour."""

    __tablename__ = "paces"
    __table_args__ = (sa.Index("ix_paces_name", "name", "at"),)
    id: int | None = Field(default=None, primary_key=True)
    name: str
    at: datetime = Field(sa_type=Instant)
    weight: int


class EffectRow(SQLModel, table=True):
    """A named effect on the outside: `started` before it is tried, `done` with its result afterwards."""

    __tablename__ = "effects"
    key: str = Field(primary_key=True)
    name: str
    state: str
    started_at: datetime = Field(sa_type=Instant)
    done_at: datetime | None = Field(default=None, sa_type=Instant)
    result: Any = Field(default=None, sa_type=Document, nullable=True)


class OutboxRow(SQLModel, table=True):
    """A message to people, kept until the chat took it. `state` is queued, sent or dropped."""

    __tablename__ = "outbox"
    __table_args__ = (sa.Index("ix_outbox_state", "state", "at"),)
    key: str = Field(primary_key=True)
    state: str
    at: datetime = Field(sa_type=Instant)
    attempts: int = 0
    again_at: datetime | None = Field(default=None, sa_type=Instant)
    error: str = ""
    reference: str = ""
    document: dict[str, Any] = Field(sa_type=Document)


class ReplicaRow(SQLModel, table=True):
    """One process that serves: alive while its heart beats; `dead` when another one took its work over."""

    __tablename__ = "replicas"
    id: str = Field(primary_key=True)
    fence: int
    host: str
    pid: int
    state: str
    started_at: datetime = Field(sa_type=Instant)
    beat_at: datetime = Field(sa_type=Instant)
    taken_by: str = ""
    taken_at: datetime | None = Field(default=None, sa_type=Instant)


class StalePullRow(SQLModel, table=True):
    """A pull request of which an event spoke and that was not read since; `mark` changes with each event."""

    __tablename__ = "stale_pulls"
    repository: str = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    mark: int = Field(sa_type=sa.BigInteger)


class FetchWantedRow(SQLModel, table=True):
    """A repository that was pushed to and not fetched since; `mark` changes with each event."""

    __tablename__ = "fetch_wanted"
    repository: str = Field(primary_key=True)
    mark: int = Field(sa_type=sa.BigInteger)


class KnownRepositoryRow(SQLModel, table=True):
    """The forge's numeric id of a repository by the name under which the configuration knows it: a rename keeps the id."""

    __tablename__ = "known_repositories"
    id: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    name: str


class PressRow(SQLModel, table=True):
    """A button of our check that was pressed, for each stage that must carry it out; gone once that was done."""

    __tablename__ = "presses"
    __table_args__ = (sa.Index("ix_presses_stage", "stage", "at"),)
    key: str = Field(primary_key=True)
    stage: str = Field(primary_key=True)
    repository: str
    button: str
    app: str
    head: str
    check_name: str = ""
    number: int | None = Field(default=None, sa_type=sa.BigInteger)
    actor_id: int = Field(sa_type=sa.BigInteger)
    actor: str
    bot: bool = False
    at: datetime = Field(sa_type=Instant)
