"""What the delivery reports are made of: rollouts, health changes, incidents, what rollouts carried, verdicts, reports sent.

Decides only what is read and how an incident that is told again changes its row; what follows is decided by `reporting`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from bot.adapters.store import codec
from bot.adapters.store.database import Database
from bot.adapters.store.rebuilt import rebuilt_of
from bot.adapters.store.replicas import require_alive
from bot.adapters.store.report_tables import CarriedRow, IncidentRow, ReportRow
from bot.adapters.store.tables import DeploymentRow, HealthHistoryRow, PromotionRow, VerdictRow
from bot.adapters.store.upsert import put, put_if_absent
from bot.domain.action import SaveDeployment
from bot.domain.carried import Carried
from bot.domain.incident import Incident
from bot.domain.promotion import IN_FLIGHT, Promotion
from bot.domain.verdict import Verdict
from bot.reporting.live import HealthChange, Records
from bot.reporting.waiting import Waited

_VERDICTS = tuple[Verdict, ...]


class StoredDelivery:
    """The delivery side of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def records(self, stage: str | None = None) -> Records:
        """Everything that the reports' events are made of, in one consistent look; of one stage where it is named."""
        with self._database.read() as session:
            deployments = select(DeploymentRow).order_by(col(DeploymentRow.at), col(DeploymentRow.id))
            health = select(HealthHistoryRow).order_by(col(HealthHistoryRow.at), col(HealthHistoryRow.id))
            incidents = select(IncidentRow)
            if stage is not None:
                deployments = deployments.where(DeploymentRow.stage == stage)
                health = health.where(HealthHistoryRow.stage == stage)
                incidents = incidents.where(col(IncidentRow.stage).in_((stage, "")))
            rollouts, changes = session.exec(deployments), session.exec(health)
            rebuilt = rebuilt_of(session, stage)
            return Records(
                deployments=tuple(codec.load(SaveDeployment, row.document) for row in rollouts),
                health=tuple(
                    HealthChange(stage=row.stage, service=row.service, state=row.state, version=row.version, at=row.at, reason=row.reason)
                    for row in changes
                ),
                incidents=tuple(codec.load(Incident, row.document) for row in session.exec(incidents)),
                carried={row.deploy: codec.load(Carried, row.document) for row in session.exec(select(CarriedRow))},
                in_flight=tuple(self._in_flight(session)),
                rebuilt=rebuilt.deploys,
                merged=rebuilt.merged,
                notes=rebuilt.notes,
            )

    def _in_flight(self, session: Session) -> Iterable[Promotion]:
        states = [state.value for state in IN_FLIGHT]
        for row in session.exec(select(PromotionRow).where(col(PromotionRow.state).in_(states))):
            yield codec.load(Promotion, row.document)

    def waits(self, *, since: datetime | None = None) -> Sequence[Waited]:
        """The promotions that were open at `since` or later (all, without it), each with the verdicts it got, oldest first."""
        with self._database.read() as session:
            query = select(PromotionRow).order_by(col(PromotionRow.opened_at), col(PromotionRow.id))
            if since is not None:
                query = query.where(col(PromotionRow.ended_at).is_(None) | (col(PromotionRow.ended_at) >= since))
            promotions = {row.id: codec.load(Promotion, row.document) for row in session.exec(query)}
            verdicts: dict[str, list[tuple[datetime, tuple[Verdict, ...]]]] = {name: [] for name in promotions}
            for row in session.exec(select(VerdictRow).order_by(col(VerdictRow.id))):
                if row.promotion in verdicts:
                    verdicts[row.promotion].append((row.at, codec.load(_VERDICTS, row.document)))
            return [Waited(promotion=promotion, verdicts=tuple(verdicts[name])) for name, promotion in promotions.items()]

    def save_incident(self, incident: Incident) -> str:
        """Keep it: `new`, `changed`, or `known` where nothing new was told. Told again it keeps its first beginning and its links."""
        with self._database.write() as session:
            row = session.get(IncidentRow, incident.id)
            before = codec.load(Incident, row.document) if row is not None else None
            kept = incident if before is None else retold(before, incident)
            if kept == before:
                return "known"
            values = {
                "id": kept.id,
                "stage": kept.stage,
                "service": kept.service,
                "at": kept.at,
                "recovered_at": kept.recovered_at,
                "document": codec.dump(kept),
            }
            put(session, IncidentRow, values, keys=("id",))
            return "new" if before is None else "changed"

    def incidents(self) -> Sequence[Incident]:
        """Every incident that was told."""
        with self._database.read() as session:
            return [codec.load(Incident, row.document) for row in session.exec(select(IncidentRow))]

    def incident(self, name: str) -> Incident | None:
        """One incident by its id."""
        with self._database.read() as session:
            row = session.get(IncidentRow, name)
            return codec.load(Incident, row.document) if row is not None else None

    def settled(self, *, now: datetime) -> frozenset[str]:
        """The rollouts whose commits need not be looked for now: they are known, or were not found a short while ago."""
        with self._database.read() as session:
            rows = session.exec(select(CarriedRow.deploy, CarriedRow.again_at))
            return frozenset(deploy for deploy, again in rows if again is None or again > now)

    def save_carried(self, deploy: str, carried: Carried, *, now: datetime, again_at: datetime | None) -> None:
        """Keep what a rollout carried; `again_at` is when to look again where it could not be found out, None for never."""
        values = {"deploy": deploy, "read_at": now, "again_at": again_at, "document": codec.dump(carried)}
        with self._database.write() as session:
            require_alive(session)
            put(session, CarriedRow, values, keys=("deploy",))

    def report(self, key: str) -> Mapping[str, Any] | None:
        """What was kept of a report; None where it was not made yet."""
        with self._database.read() as session:
            row = session.get(ReportRow, key)
            return row.document if row is not None else None

    def last_report(self, series: str, *, before: datetime) -> Mapping[str, Any] | None:
        """The newest report of a series (a team, a stage, a period) as of an instant before this one."""
        with self._database.read() as session:
            query = select(ReportRow).where(ReportRow.series == series, ReportRow.as_of < before).order_by(col(ReportRow.as_of).desc())
            row = session.exec(query.limit(1)).first()
            return row.document if row is not None else None

    def save_report(self, key: str, series: str, document: Mapping[str, Any], *, as_of: datetime) -> bool:
        """Keep it once; False where one with this key was made before."""
        with self._database.write() as session:
            require_alive(session)
            return put_if_absent(session, ReportRow, {"key": key, "series": series, "as_of": as_of, "document": dict(document)})


def retold(before: Incident, told: Incident) -> Incident:
    """An incident that is told again, in any order: the earlier beginning, what is newly known, and the later end.

    An end stays an end, unless the incident was opened again after it.
    """
    ends = [end for end in (before.recovered_at, told.recovered_at) if end is not None]
    again = max((at for at in (before.reopened_at, told.reopened_at) if at is not None), default=None)
    end = max(ends, default=None)
    return replace(
        told,
        at=min(before.at, told.at),
        cause=told.cause or before.cause,
        stage=told.stage or before.stage,
        service=told.service or before.service,
        version=told.version or before.version,
        deploy=told.deploy or before.deploy,
        url=told.url or before.url,
        reopened_at=again,
        recovered_at=None if end is not None and again is not None and again >= end else end,
    )
