"""The audit log: one row per change of state, chained by hashes so that a changed, removed or inserted row is found.

Each hash covers the row's own fields and the hash before it (SHA-256 over canonical JSON). The chain proves order and
content, not that its newest rows are all there: whoever can rewrite the whole table can rewrite the chain.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bot.adapters.store.database import Database
from bot.adapters.store.tables import AuditRow

GENESIS = "0" * 64
PAGE = 1000
CHAIN_LOCK = 0x70726F6D


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One row as people read it; `at` is UTC."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    why: str
    details: Mapping[str, str]
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    """`rows` that hold; `broken_at` is the first row that does not, with `problem`."""

    rows: int
    broken_at: int | None = None
    problem: str = ""


def _digest(row: AuditRow) -> str:
    fields = [
        row.id,
        row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        row.actor,
        row.action,
        row.subject,
        row.why,
        dict(sorted(row.details.items())),
        row.before,
    ]
    text = json.dumps(fields, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def append(session: Session, *, actor: str, action: str, subject: str, why: str, now: datetime, details: Mapping[str, str]) -> None:
    """Add one row in the caller's transaction. Writers wait for each other here, so that the chain has no forks."""
    if session.connection().dialect.name == "postgresql":
        session.connection().execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})
    last = session.exec(select(AuditRow.id, AuditRow.hash).order_by(col(AuditRow.id).desc()).limit(1)).first()
    number, before = (last[0] + 1, last[1]) if last else (1, GENESIS)
    row = AuditRow(id=number, at=now, actor=actor, action=action, subject=subject, why=why, details=dict(details), before=before, hash="")
    row.hash = _digest(row)
    session.add(row)
    session.flush()


def entries(database: Database, *, subject: str = "", limit: int = 100) -> list[AuditEntry]:
    """The newest rows first, of one subject or all."""
    with database.read() as session:
        query = select(AuditRow).order_by(col(AuditRow.id).desc()).limit(limit)
        if subject:
            query = query.where(AuditRow.subject == subject)
        return [_entry(row) for row in session.exec(query)]


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        id=row.id, at=row.at, actor=row.actor, action=row.action, subject=row.subject, why=row.why, details=row.details, hash=row.hash
    )


def verify(database: Database) -> ChainReport:
    """Walk the whole chain; the first row that does not hold ends it."""
    before, expected = GENESIS, 1
    for row in _rows(database):
        if row.id != expected:
            return ChainReport(
                rows=expected - 1, broken_at=expected, problem=f"row {expected} is missing; row {row.id} follows row {expected - 1}"
            )
        if row.before != before:
            return ChainReport(rows=expected - 1, broken_at=row.id, problem=f"row {row.id} does not follow the row before it")
        if row.hash != _digest(row):
            return ChainReport(rows=expected - 1, broken_at=row.id, problem=f"row {row.id} was changed after it was written")
        before, expected = row.hash, expected + 1
    return ChainReport(rows=expected - 1)


def _rows(database: Database) -> Iterator[AuditRow]:
    after = 0
    while True:
        with database.read() as session:
            page = session.exec(select(AuditRow).where(AuditRow.id > after).order_by(col(AuditRow.id)).limit(PAGE)).all()
            session.expunge_all()
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].id
