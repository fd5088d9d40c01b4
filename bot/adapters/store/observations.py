"""What was seen: health per service with its history, verdicts, pull requests, what stands on them from us, deployments.

Decides when a change is worth a row; what it means is decided in planning and reporting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bot.adapters.store import codec
from bot.adapters.store.tables import BindingRow, DeploymentRow, HealthHistoryRow, HealthRow, PromotionRow, PullRow, VerdictRow
from bot.adapters.store.upsert import put, put_if_absent
from bot.domain.action import SaveDeployment
from bot.domain.facts import Health
from bot.domain.promotion import Promotion, PromotionState
from bot.domain.pull import PullRequest
from bot.domain.verdict import Verdict
from bot.ports.store import STATE

VERDICTS = tuple[Verdict, ...]


def health(session: Session, stage: str) -> Mapping[str, Health]:
    rows = session.exec(select(HealthRow).where(HealthRow.stage == stage))
    return {row.service: codec.load(Health, row.document) for row in rows}


def save_health(session: Session, stage: str, value: Health, *, now: datetime) -> None:
    """The present health; a row of history where state or version changed."""
    last = session.exec(
        select(HealthHistoryRow.state, HealthHistoryRow.version)
        .where(HealthHistoryRow.stage == stage, HealthHistoryRow.service == value.service)
        .order_by(col(HealthHistoryRow.id).desc())
        .limit(1)
    ).first()
    version = value.release.text if value.release else ""
    if last is None or (last[0], last[1]) != (value.state.value, version):
        session.add(
            HealthHistoryRow(
                stage=stage, service=value.service, state=value.state.value, version=version, at=value.since, reason=value.reason
            )
        )
        session.flush()
    values = {"stage": stage, "service": value.service, "saved_at": now, "document": codec.dump(value)}
    put(session, HealthRow, values, keys=("stage", "service"))


def health_history(session: Session, stage: str, service: str) -> Sequence[tuple[datetime, str, str, str]]:
    """Oldest first: since when, state, version, reason."""
    rows = session.exec(
        select(HealthHistoryRow)
        .where(HealthHistoryRow.stage == stage, HealthHistoryRow.service == service)
        .order_by(col(HealthHistoryRow.id))
    )
    return [(row.at, row.state, row.version, row.reason) for row in rows]


def health_changes(session: Session, stage: str, *, since: datetime) -> Sequence[tuple[str, datetime, str, str]]:
    """All services of a stage, oldest first: service, since when, state, version."""
    rows = session.exec(
        select(HealthHistoryRow.service, HealthHistoryRow.at, HealthHistoryRow.state, HealthHistoryRow.version)
        .where(HealthHistoryRow.stage == stage, HealthHistoryRow.at >= since)
        .order_by(col(HealthHistoryRow.id))
    )
    return [(service, at, state, version) for service, at, state, version in rows]


def verdicts(session: Session, promotion: str) -> Sequence[Verdict]:
    row = session.exec(select(VerdictRow).where(VerdictRow.promotion == promotion).order_by(col(VerdictRow.id).desc()).limit(1)).first()
    return codec.load(VERDICTS, row.document) if row else ()


def save_verdicts(session: Session, promotion: Promotion, found: Sequence[Verdict], *, now: datetime) -> None:
    """One row, unless the last one says the same."""
    if tuple(verdicts(session, promotion.id)) == tuple(found):
        return
    document = codec.dump(tuple(found), VERDICTS)
    session.add(VerdictRow(promotion=promotion.id, stage=promotion.stage, at=now, document=document))
    session.flush()


def verdict_history(session: Session, promotion: str) -> Sequence[tuple[datetime, tuple[Verdict, ...]]]:
    """Every recorded set of verdicts, oldest first."""
    rows = session.exec(select(VerdictRow).where(VerdictRow.promotion == promotion).order_by(col(VerdictRow.id)))
    return [(row.at, codec.load(VERDICTS, row.document)) for row in rows]


def open_verdicts(session: Session) -> Mapping[str, Sequence[Verdict]]:
    """What the gates said last of each open promotion, by stage."""
    newest = (
        sa.select(sa.func.max(col(VerdictRow.id)))
        .join(PromotionRow, col(PromotionRow.id) == col(VerdictRow.promotion))
        .where(col(PromotionRow.state) == PromotionState.OPEN.value)
        .group_by(col(VerdictRow.promotion))
    )
    found: dict[str, list[Verdict]] = {}
    for row in session.exec(select(VerdictRow).where(col(VerdictRow.id).in_(newest))):
        found.setdefault(row.stage, []).extend(codec.load(VERDICTS, row.document))
    return found


def pull(session: Session, repository: str, number: int) -> PullRequest | None:
    row = session.get(PullRow, (repository, number))
    return codec.load(PullRequest, row.document) if row else None


def save_pull(session: Session, value: PullRequest) -> None:
    """The newest reading wins; an older one that arrives late is passed over. Since when the head is the head is kept from the first
    reading that showed it."""
    row = session.get(PullRow, (value.repository, value.number))
    if row is not None and row.read_at > value.read_at:
        return
    known = codec.load(PullRequest, row.document) if row is not None else value
    value = replace(value, head_since=(known.head_since if known.head == value.head else None) or value.read_at)
    values = {"repository": value.repository, "number": value.number, "read_at": value.read_at, "document": codec.dump(value)}
    put(session, PullRow, values, keys=("repository", "number"))


def binding(session: Session, promotion: str) -> tuple[datetime, Mapping[str, str]] | None:
    """What stands on the pull request from us, and when it was written last."""
    row = session.get(BindingRow, promotion)
    return (row.shown_at, row.document) if row else None


def save_binding(session: Session, promotion: str, bound: Mapping[str, str], *, now: datetime) -> None:
    values = {"promotion": promotion, "shown_at": now, "document": dict(bound)}
    put(session, BindingRow, values, keys=("promotion",))


def unshown(session: Session, stage: str, *, since: datetime) -> frozenset[str]:
    """Promotions that ended after an instant and whose pull request shows an earlier state, or nothing. What an older program
    showed without saying which state it was counts as shown."""
    query = (
        select(PromotionRow.id, PromotionRow.state, BindingRow.document)
        .join(BindingRow, col(BindingRow.promotion) == col(PromotionRow.id), isouter=True)
        .where(PromotionRow.stage == stage, col(PromotionRow.ended_at) > since)
    )
    return frozenset(one for one, state, document in session.exec(query) if document is None or document.get(STATE, state) != state)


def save_deployment(session: Session, value: SaveDeployment) -> None:
    """One row per promotion, service, kind and status."""
    values = {
        "stage": value.promotion.stage,
        "service": value.service,
        "version": value.version,
        "kind": value.kind,
        "status": value.status,
        "at": value.at,
        "promotion": value.promotion.id,
        "document": codec.dump(value),
    }
    put_if_absent(session, DeploymentRow, values)


def deployments(session: Session, *, since: datetime | None = None, until: datetime | None = None) -> Sequence[SaveDeployment]:
    """Ended rollouts of all stages, oldest first, of a half-open window."""
    query = select(DeploymentRow).order_by(col(DeploymentRow.at), col(DeploymentRow.id))
    if since is not None:
        query = query.where(DeploymentRow.at >= since)
    if until is not None:
        query = query.where(DeploymentRow.at < until)
    return [codec.load(SaveDeployment, row.document) for row in session.exec(query)]
