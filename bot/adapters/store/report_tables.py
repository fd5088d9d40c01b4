"""The tables behind the delivery reports: incidents, what rollouts carried, what a backfill rebuilt, and which reports were sent."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from bot.adapters.store.types import Document, Instant


class IncidentRow(SQLModel, table=True):
    """One incident, by the id under which its source tells it."""

    __tablename__ = "incidents"
    __table_args__ = (sa.Index("ix_incidents_at", "at"),)
    id: str = Field(primary_key=True)
    stage: str
    service: str
    at: datetime = Field(sa_type=Instant)
    recovered_at: datetime | None = Field(default=None, sa_type=Instant)
    document: dict[str, Any] = Field(sa_type=Document)


class CarriedRow(SQLModel, table=True):
    """What a rollout carried out of its source repository, by the rollout's id."""

    __tablename__ = "carried"
    deploy: str = Field(primary_key=True)
    read_at: datetime = Field(sa_type=Instant)
    again_at: datetime | None = Field(default=None, sa_type=Instant)
    document: dict[str, Any] = Field(sa_type=Document)


class ReportRow(SQLModel, table=True):
    """A report that was made: its key (team, stage, window), and what was known then (`as_of`)."""

    __tablename__ = "reports"
    __table_args__ = (sa.Index("ix_reports_series", "series", "as_of"),)
    key: str = Field(primary_key=True)
    series: str
    as_of: datetime = Field(sa_type=Instant)
    document: dict[str, Any] = Field(sa_type=Document)


class RebuiltRow(SQLModel, table=True):
    """A rollout that a backfill rebuilt from git, as an event of a history file; never one that the bot recorded."""

    __tablename__ = "rebuilt"
    __table_args__ = (sa.Index("ix_rebuilt_stage", "stage", "at"),)
    id: str = Field(primary_key=True)
    stage: str
    service: str
    at: datetime = Field(sa_type=Instant)
    document: dict[str, Any] = Field(sa_type=Document)


class BackfillRow(SQLModel, table=True):
    """How far a stage's branch was followed by a backfill."""

    __tablename__ = "backfills"
    stage: str = Field(primary_key=True)
    saved_at: datetime = Field(sa_type=Instant)
    document: dict[str, Any] = Field(sa_type=Document)
