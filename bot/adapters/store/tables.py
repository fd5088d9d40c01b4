"""The tables that hold what the bot did, was told and saw: promotions, health, verdicts, orders, pull requests, audit.

Decides columns and keys only. The tables of the engine (inbox, wake-ups, effects, replicas) stand in `queue_tables`.
Whole nouns are kept as JSON documents beside the columns that are searched, so that a newer field needs no migration
and an older program reads over it. Instants are UTC.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from bot.adapters.store.types import Document, Instant


class PromotionRow(SQLModel, table=True):
    """One promotion; `version` is the compare-and-swap counter, `seq` the order of the last writing."""

    __tablename__ = "promotions"
    __table_args__ = (sa.Index("ix_promotions_stage_state", "stage", "state"), sa.Index("ix_promotions_stage_name", "stage", "name"))
    id: str = Field(primary_key=True)
    stage: str
    name: str
    state: str
    version: int
    number: int | None = None
    opened_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    document: dict[str, Any] = Field(sa_type=Document)


class HealthRow(SQLModel, table=True):
    """The present health of a service in a stage."""

    __tablename__ = "health"
    stage: str = Field(primary_key=True)
    service: str = Field(primary_key=True)
    saved_at: datetime = Field(sa_type=Instant)
    document: dict[str, Any] = Field(sa_type=Document)


class HealthHistoryRow(SQLModel, table=True):
    """One row for each change of health (state or version)."""

    __tablename__ = "health_history"
    __table_args__ = (sa.Index("ix_health_history_stage_service", "stage", "service", "at"),)
    id: int | None = Field(default=None, primary_key=True)
    stage: str
    service: str
    state: str
    version: str
    at: datetime = Field(sa_type=Instant)
    reason: str = ""


class VerdictRow(SQLModel, table=True):
    """One set of verdicts of a promotion; the newest (highest `id`) is the present one."""

    __tablename__ = "verdicts"
    __table_args__ = (sa.Index("ix_verdicts_promotion", "promotion", "id"), sa.Index("ix_verdicts_stage_at", "stage", "at"))
    id: int | None = Field(default=None, primary_key=True)
    promotion: str
    stage: str
    at: datetime = Field(sa_type=Instant)
    document: list[Any] = Field(sa_type=Document)


class DirectiveRow(SQLModel, table=True):
    """A person's order; the key makes it happen once."""

    __tablename__ = "directives"
    __table_args__ = (sa.Index("ix_directives_stage", "stage"),)
    key: str = Field(primary_key=True)
    stage: str
    order: str = Field(sa_column=sa.Column("order_", sa.String, nullable=False))
    number: int | None = None
    at: datetime = Field(sa_type=Instant)
    withdrawn_at: datetime | None = Field(default=None, sa_type=Instant)
    document: dict[str, Any] = Field(sa_type=Document)


class QuarantineRow(SQLModel, table=True):
    """The ban of a failed version; one per stage, service and version."""

    __tablename__ = "quarantines"
    stage: str = Field(primary_key=True)
    service: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    lifted_at: datetime | None = Field(default=None, sa_type=Instant)
    document: dict[str, Any] = Field(sa_type=Document)


class StageHoldRow(SQLModel, table=True):
    """The bot's own stop of a stage, by the instant at which it began."""

    __tablename__ = "stage_holds"
    stage: str = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=Instant)
    lifted_at: datetime | None = Field(default=None, sa_type=Instant)
    document: dict[str, Any] = Field(sa_type=Document)


class PullRow(SQLModel, table=True):
    """A pull request as last read."""

    __tablename__ = "pulls"
    repository: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    read_at: datetime = Field(sa_type=Instant)
    document: dict[str, Any] = Field(sa_type=Document)


class BindingRow(SQLModel, table=True):
    """What stands on a pull request from us: ids of comment and check, hashes of what was written, and when."""

    __tablename__ = "bindings"
    promotion: str = Field(primary_key=True)
    shown_at: datetime = Field(sa_type=Instant)
    document: dict[str, str] = Field(sa_type=Document)


class DeploymentRow(SQLModel, table=True):
    """One ended rollout, for the delivery metrics: `status` is success or failure, `kind` promotion, hotfix, revert or rollback."""

    __tablename__ = "deployments"
    __table_args__ = (
        sa.UniqueConstraint("promotion", "service", "kind", "status", name="uq_deployments_once"),
        sa.Index("ix_deployments_stage_at", "stage", "at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    stage: str
    service: str
    version: str
    kind: str
    status: str
    at: datetime = Field(sa_type=Instant)
    promotion: str
    document: dict[str, Any] = Field(sa_type=Document)


class AuditRow(SQLModel, table=True):
    """One change of state: who, what, when, why. `hash` covers the row and the hash before it."""

    __tablename__ = "audit"
    id: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=Instant)
    actor: str
    action: str
    subject: str
    why: str
    details: dict[str, str] = Field(sa_type=Document)
    before: str
    hash: str


class AuditHeadRow(SQLModel, table=True):
    """The audit log's newest row: its number and hash, written with it. There is one such row, once there is a log."""

    __tablename__ = "audit_head"
    one: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    last: int = Field(sa_type=sa.BigInteger)
    hash: str


class ChatTieRow(SQLModel, table=True):
    """Which account of the forge a chat's user has proved to be. `account` is the forge's number, `login` what it was called then."""

    __tablename__ = "chat_ties"
    team: str = Field(primary_key=True)
    user: str = Field(sa_column=sa.Column("user_", sa.String, primary_key=True, nullable=False))
    account: int = Field(sa_type=sa.BigInteger)
    login: str
    at: datetime = Field(sa_type=Instant)


class ChatTieRequestRow(SQLModel, table=True):
    """A tie that is being made. Only hashes of the secrets are kept: of the link, of the browser's state, and of the word for the chat."""

    __tablename__ = "chat_tie_requests"
    link: str = Field(primary_key=True)
    team: str
    user: str = Field(sa_column=sa.Column("user_", sa.String, nullable=False))
    at: datetime = Field(sa_type=Instant)
    state: str = ""
    word: str = ""
    account: int | None = Field(default=None, sa_type=sa.BigInteger)
    login: str = ""
    tries: int = 0


class ArrivalRow(SQLModel, table=True):
    """The newest version of an artifact that was offered to the first stages."""

    __tablename__ = "arrivals"
    artifact: str = Field(primary_key=True)
    version: str
    at: datetime = Field(sa_type=Instant)
    document: dict[str, Any] = Field(sa_type=Document)
