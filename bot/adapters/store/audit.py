"""The audit log: one row per change of state, chained by hashes so that a changed, removed or inserted row is found.

Each hash covers the row's own fields and the hash before it (SHA-256 over canonical JSON). A row apart names the newest one, and is
written with it, so that rows missing at the end are found too. Whoever can rewrite both tables can rewrite the chain: keep the newest
hash elsewhere (`audit --limit 1 --output json` tells it) where that matters.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bot.adapters.store.database import Database
from bot.adapters.store.tables import AuditHeadRow, AuditRow
from bot.adapters.store.upsert import put

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
    newest = session.exec(select(AuditRow.id, AuditRow.hash).order_by(col(AuditRow.id).desc()).limit(1)).first() or (0, GENESIS)
    head = _head(session) or ((0, GENESIS) if newest[0] == 0 else None)
    kept = head is not None and head[0] >= newest[0]  # a head that was taken away or set back stays so: `verify` is to find it
    last, before = head if head is not None and kept else newest
    number = last + 1
    row = AuditRow(id=number, at=now, actor=actor, action=action, subject=subject, why=why, details=dict(details), before=before, hash="")
    row.hash = _digest(row)
    session.add(row)
    session.flush()
    if kept:
        put(session, AuditHeadRow, {"one": 1, "last": number, "hash": row.hash}, keys=["one"])


def _head(session: Session) -> tuple[int, str] | None:
    """The number and hash of what is said to be the newest row; None where nothing is said."""
    return session.exec(select(AuditHeadRow.last, AuditHeadRow.hash)).first()


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
    """Walk the whole chain; the first row that does not hold ends it. Rows that are missing at the end are found by the head."""
    named = _named(database)
    before, expected, held = GENESIS, 1, not named[0]
    for row in _rows(database):
        problem = _problem(row, before, expected)
        if problem or (row.id == named[0] and row.hash != named[1]):
            return ChainReport(
                rows=expected - 1, broken_at=expected, problem=problem or f"row {row.id} is not the one that was written last"
            )
        before, expected, held = row.hash, expected + 1, held or row.id == named[0]
    last = expected - 1
    if not held:
        missing = f"row {expected} is" if expected == named[0] else f"rows {expected} to {named[0]} are"
        return ChainReport(rows=last, broken_at=expected, problem=f"{missing} missing at the end")
    if last > _named(database)[0]:
        return ChainReport(
            rows=last, broken_at=expected, problem=f"nothing says that row {last} is the newest: rows after it may be missing"
        )
    return ChainReport(rows=last)


def _problem(row: AuditRow, before: str, expected: int) -> str:
    if row.id != expected:
        return f"row {expected} is missing; row {row.id} follows row {expected - 1}"
    if row.before != before:
        return f"row {row.id} does not follow the row before it"
    return "" if row.hash == _digest(row) else f"row {row.id} was changed after it was written"


def _named(database: Database) -> tuple[int, str]:
    with database.read() as session:
        return _head(session) or (0, "")


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
