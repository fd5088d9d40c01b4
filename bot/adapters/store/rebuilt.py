"""What a backfill rebuilt, in tables of its own: kept stage by stage, read for the reports, and forgotten again when asked.

Decides only that a stage's rows are exactly what the last backfill found there, written chunk by chunk with the place from where it goes
on, in one transaction. Nothing that the bot recorded is read or written here but for the commits of its own promotions; the audit log
gets a row for each change.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bot.adapters.store import audit
from bot.adapters.store.database import Database
from bot.adapters.store.report_tables import BackfillRow, RebuiltRow
from bot.adapters.store.tables import PromotionRow
from bot.adapters.store.upsert import put
from bot.domain.history import Deploy
from bot.domain.history_json import read_event
from bot.domain.instants import parse_instant

_SAME = ("head", "since", "folder", "services", "sources", "notes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """The rebuilt rollouts, the (stage, commit) of what the bot merged or reverted, and (stage, code, count) of branches' doubts."""

    deploys: Sequence[Deploy]
    merged: frozenset[tuple[str, str]]
    notes: tuple[tuple[str, str, int], ...]


class StoredBackfill:
    """The backfill's side of the database. One run at a time; a second one beside it writes the same rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[str, Mapping[str, Any]] = {}

    def read(self) -> dict[str, dict[str, Any]]:
        """What earlier runs kept, by stage, as `Backfill.run` takes it."""
        with self._database.read() as session:
            states = {row.stage: dict(row.document) for row in session.exec(select(BackfillRow))}
            for state in states.values():
                state["events"] = []
            for row in session.exec(select(RebuiltRow).order_by(col(RebuiltRow.at), col(RebuiltRow.id))):
                if row.stage in states:
                    states[row.stage]["events"].append(row.document)
        self._kept = {stage: _copy(state) for stage, state in states.items()}
        return states

    def keep(self, states: Mapping[str, Mapping[str, Any]], *, now: datetime) -> int:
        """Write the stages that have changed since they were read or kept; how many rollouts were added, changed or taken out."""
        changed = 0
        for stage, state in states.items():
            before = self._kept.get(stage)
            if before is not None and all(before.get(name) == state.get(name) for name in (*_SAME, "events")):
                continue
            with self._database.write() as session:
                rows = _write(session, stage, before, state, now)
                _note(session, "backfill", stage, rows, now)
            changed += rows
            self._kept[stage] = _copy(state)
        return changed

    def forget(self, stages: Iterable[str] = (), *, now: datetime) -> int:
        """Take back what backfills brought to these stages, or to all; how many rollouts."""
        only = list(stages)
        with self._database.write() as session:
            rows, states = sa.delete(RebuiltRow), sa.delete(BackfillRow)
            if only:
                rows, states = rows.where(col(RebuiltRow.stage).in_(only)), states.where(col(BackfillRow.stage).in_(only))
            connection = session.connection()
            connection.execute(states)
            gone = connection.execute(rows).rowcount
            _note(session, "backfill forgotten", ", ".join(only) or "all stages", gone, now)
        self._kept = {}
        return gone


def rebuilt_of(session: Session, stage: str | None) -> Rebuilt:
    """What is kept of a stage or of all."""
    rows = select(RebuiltRow.document).order_by(col(RebuiltRow.at), col(RebuiltRow.id))
    states = select(BackfillRow).order_by(BackfillRow.stage)
    if stage is not None:
        rows, states = rows.where(RebuiltRow.stage == stage), states.where(BackfillRow.stage == stage)
    found = tuple(event for document in session.exec(rows) if isinstance(event := read_event(document), Deploy))
    return Rebuilt(
        deploys=found,
        merged=frozenset(_merged(session, stage)) if found else frozenset(),
        notes=tuple((row.stage, code, count) for row in session.exec(states) for code, count in sorted(row.document["notes"].items())),
    )


def _merged(session: Session, stage: str | None) -> Iterator[tuple[str, str]]:
    document = col(PromotionRow.document)
    query = sa.select(col(PromotionRow.stage), *(document[name].as_string() for name in ("merge_commit", "revert_commit")))
    if stage is not None:
        query = query.where(col(PromotionRow.stage) == stage)
    for where, *commits in session.connection().execute(query):
        yield from ((where, commit) for commit in commits if commit)


def _write(session: Session, stage: str, before: Mapping[str, Any] | None, state: Mapping[str, Any], now: datetime) -> int:
    old = {event["id"]: event for event in (before["events"] if before is not None else ())}
    new = {event["id"]: event for event in state["events"]}
    fresh = [event for name, event in new.items() if old.get(name) != event]
    gone = [name for name in old if name not in new]
    for event in fresh:
        values = {"id": event["id"], "stage": stage, "service": event["service"], "at": parse_instant(event["at"]), "document": event}
        put(session, RebuiltRow, values, keys=("id",))
    for name in gone:
        session.connection().execute(sa.delete(RebuiltRow).where(col(RebuiltRow.id) == name))
    document = {name: value for name, value in state.items() if name != "events"}
    put(session, BackfillRow, {"stage": stage, "saved_at": now, "document": document}, keys=("stage",))
    return len(fresh) + len(gone)


def _note(session: Session, action: str, subject: str, rows: int, now: datetime) -> None:
    """A row of the audit log, where anything was changed: figures that were not there yesterday have their reason there."""
    if rows:
        why = "whoever may write the database asked for it on the command line"
        audit.append(session, actor="command line", action=action, subject=subject, why=why, now=now, details={"rollouts": str(rows)})


def _copy(state: Mapping[str, Any]) -> dict[str, Any]:
    """What is compared later, of a state that its owner goes on changing."""
    return {name: state.get(name) for name in _SAME} | {"notes": dict(state["notes"]), "events": list(state["events"])}
