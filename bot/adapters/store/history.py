"""The `History` port over the database: each method is one transaction; writes are fenced.

Decides only the border of the transaction; the rows are read and written by the files beside it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import assert_never

from sqlmodel import Session

from bot.adapters.store import audit, hints, observations, orders, outbox, presses, promotions
from bot.adapters.store.database import Database
from bot.adapters.store.delivery import StoredDelivery
from bot.adapters.store.replicas import require_alive
from bot.domain.action import Notify, Row, SaveDeployment, SaveHealth, SavePromotion, SaveQuarantine, SaveStageHold
from bot.domain.directive import Directive
from bot.domain.facts import Health, Quarantine, StageHold
from bot.domain.press import Press
from bot.domain.promotion import Promotion
from bot.domain.pull import PullRequest
from bot.domain.verdict import Verdict
from bot.reporting.live import Records


class StoredHistory:
    """History in SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def _write(self) -> Iterator[Session]:
        with self._database.write() as session:
            require_alive(session)
            yield session

    def promotions(self, stage: str) -> Sequence[Promotion]:
        with self._database.read() as session:
            return promotions.read(session, stage)

    def save_promotion(self, promotion: Promotion, *, why: str, actor: str, now: datetime) -> Promotion:
        with self._write() as session:
            return promotions.save(session, promotion, why=why, actor=actor, now=now)

    def save_promotions(self, changed: Sequence[Promotion], *, why: str, actor: str, now: datetime) -> Sequence[Promotion]:
        """All or none, in one transaction."""
        with self._write() as session:
            return [promotions.save(session, promotion, why=why, actor=actor, now=now) for promotion in changed]

    def save_rows(self, rows: Sequence[Row], *, now: datetime) -> frozenset[str]:
        """All or none, in one transaction; the keys of messages that are new."""
        with self._write() as session:
            return frozenset(key for row in rows if (key := _save(session, row, now=now)))

    def recent_promotions(self, *, limit: int = 200) -> Sequence[Promotion]:
        with self._database.read() as session:
            return promotions.recent(session, limit=limit)

    def health(self, stage: str) -> Mapping[str, Health]:
        with self._database.read() as session:
            return observations.health(session, stage)

    def save_health(self, stage: str, health: Health, *, now: datetime) -> None:
        with self._write() as session:
            observations.save_health(session, stage, health, now=now)

    def health_history(self, stage: str, service: str) -> Sequence[tuple[datetime, str, str, str]]:
        with self._database.read() as session:
            return observations.health_history(session, stage, service)

    def health_changes(self, stage: str, *, since: datetime) -> Sequence[tuple[str, datetime, str, str]]:
        with self._database.read() as session:
            return observations.health_changes(session, stage, since=since)

    def verdicts(self, promotion: str) -> Sequence[Verdict]:
        with self._database.read() as session:
            return observations.verdicts(session, promotion)

    def save_verdicts(self, promotion: Promotion, verdicts: Sequence[Verdict], *, now: datetime) -> None:
        with self._write() as session:
            observations.save_verdicts(session, promotion, verdicts, now=now)

    def verdict_history(self, promotion: str) -> Sequence[tuple[datetime, tuple[Verdict, ...]]]:
        with self._database.read() as session:
            return observations.verdict_history(session, promotion)

    def directives(self, stage: str) -> Sequence[Directive]:
        with self._database.read() as session:
            return orders.directives(session, stage)

    def add_directive(self, directive: Directive) -> bool:
        with self._write() as session:
            return orders.add_directive(session, directive)

    def withdraw_directives(self, keys: Iterable[str], *, now: datetime, actor: str, why: str) -> None:
        with self._write() as session:
            orders.withdraw_directives(session, keys, now=now, actor=actor, why=why)

    def quarantines(self) -> Sequence[Quarantine]:
        with self._database.read() as session:
            return orders.quarantines(session)

    def save_quarantine(self, quarantine: Quarantine, *, now: datetime) -> None:
        with self._write() as session:
            orders.save_quarantine(session, quarantine, now=now)

    def stage_holds(self, stage: str) -> Sequence[StageHold]:
        with self._database.read() as session:
            return orders.stage_holds(session, stage)

    def save_stage_hold(self, hold: StageHold, *, now: datetime) -> None:
        with self._write() as session:
            orders.save_stage_hold(session, hold, now=now)

    def pull(self, repository: str, number: int) -> PullRequest | None:
        with self._database.read() as session:
            return observations.pull(session, repository, number)

    def save_pull(self, pull: PullRequest) -> None:
        with self._write() as session:
            observations.save_pull(session, pull)

    def binding(self, promotion: str) -> tuple[datetime, Mapping[str, str]] | None:
        with self._database.read() as session:
            return observations.binding(session, promotion)

    def unshown(self, stage: str, *, since: datetime) -> frozenset[str]:
        with self._database.read() as session:
            return observations.unshown(session, stage, since=since)

    def save_binding(self, promotion: str, bound: Mapping[str, str], *, now: datetime) -> None:
        with self._write() as session:
            observations.save_binding(session, promotion, bound, now=now)

    def save_deployment(self, deployment: SaveDeployment) -> None:
        with self._write() as session:
            observations.save_deployment(session, deployment)

    def deployments(self, *, since: datetime | None = None, until: datetime | None = None) -> Sequence[SaveDeployment]:
        with self._database.read() as session:
            return observations.deployments(session, since=since, until=until)

    def records(self, stage: str | None = None) -> Records:
        """What the delivery figures are made of, of one stage or of all."""
        return StoredDelivery(self._database).records(stage)

    def want_pulls(self, repository: str, numbers: Iterable[int]) -> None:
        with self._write() as session:
            hints.want_pulls(session, [(repository, number) for number in numbers])

    def presses(self, stage: str) -> Sequence[Press]:
        with self._database.read() as session:
            return presses.waiting(session, stage)

    def press_done(self, stage: str, key: str) -> None:
        with self._write() as session:
            presses.done(session, stage, key)

    def stale_pulls(self, repository: str) -> Mapping[int, int]:
        with self._database.read() as session:
            return hints.stale_pulls(session, repository)

    def pulls_read(self, repository: str, read: Mapping[int, int]) -> None:
        with self._write() as session:
            hints.pulls_read(session, repository, read)

    def fetch_wanted(self, repository: str) -> int:
        with self._database.read() as session:
            return hints.fetch_wanted(session, repository)

    def fetched(self, repository: str, mark: int) -> None:
        with self._write() as session:
            hints.fetched(session, repository, mark)

    def audit(self, *, actor: str, action: str, subject: str, why: str, now: datetime, details: Mapping[str, str]) -> None:
        with self._write() as session:
            audit.append(session, actor=actor, action=action, subject=subject, why=why, now=now, details=details)


def _save(session: Session, row: Row, *, now: datetime) -> str:
    """Write one row; the key of a message that was not kept before, else empty."""
    match row:
        case SavePromotion():
            promotions.save(session, row.promotion, why=row.why, actor=row.actor, now=now)
        case SaveHealth():
            observations.save_health(session, row.stage, row.health, now=now)
        case SaveQuarantine():
            orders.save_quarantine(session, row.quarantine, now=now)
        case SaveStageHold():
            orders.save_stage_hold(session, row.hold, now=now)
        case SaveDeployment():
            observations.save_deployment(session, row)
        case Notify():
            return row.key if outbox.keep(session, row, now=now) else ""
        case _:
            assert_never(row)
    return ""
