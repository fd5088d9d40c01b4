"""What people ordered and what the bot itself has stopped: directives, quarantines, holds of a stage.

Decides what is stored once and what is read back for a stage; what an order means is decided in planning and gates.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bot.adapters.store import audit, codec, promotions
from bot.adapters.store.tables import DirectiveRow, QuarantineRow, StageHoldRow
from bot.adapters.store.upsert import put, put_if_absent
from bot.domain.directive import Directive
from bot.domain.facts import Quarantine, StageHold

BOT = "promotion-bot"


def directives(session: Session, stage: str) -> Sequence[Directive]:
    """All for this stage or for every stage, in the order given; withdrawn ones only while their pull request is of interest."""
    numbers = {promotion.number for promotion in promotions.read(session, stage) if promotion.number is not None}
    rows = session.exec(
        select(DirectiveRow)
        .where(
            col(DirectiveRow.stage).in_([stage, ""]),
            sa.or_(
                col(DirectiveRow.number).in_(numbers), sa.and_(col(DirectiveRow.number).is_(None), col(DirectiveRow.withdrawn_at).is_(None))
            ),
        )
        .order_by(col(DirectiveRow.at), col(DirectiveRow.key))
    )
    return [codec.load(Directive, row.document) for row in rows]


def add_directive(session: Session, directive: Directive) -> bool:
    """False when the key is there already; then nothing is written."""
    values = {
        "key": directive.key,
        "stage": directive.stage,
        "order_": directive.order.value,
        "number": directive.number,
        "at": directive.at,
        "withdrawn_at": directive.withdrawn_at,
        "document": codec.dump(directive),
    }
    if not put_if_absent(session, DirectiveRow, values):
        return False
    target = "/".join(part for part in (directive.stage or "every stage", directive.service) if part)
    details = {"key": directive.key, "actor_id": str(directive.actor.id), "source": directive.source, "head": directive.head}
    details |= {"number": str(directive.number)} if directive.number is not None else {}
    audit.append(
        session,
        actor=directive.actor.login,
        action=f"order {directive.order.value}",
        subject=target,
        why=directive.reason or "ordered",
        now=directive.at,
        details=details,
    )
    return True


def withdraw_directives(session: Session, keys: Iterable[str], *, now: datetime, actor: str, why: str) -> None:
    """Take orders back; those that are withdrawn already stay as they are."""
    rows = session.exec(select(DirectiveRow).where(col(DirectiveRow.key).in_(list(keys)), col(DirectiveRow.withdrawn_at).is_(None)))
    for row in rows.all():
        directive = replace(codec.load(Directive, row.document), withdrawn_at=now)
        row.withdrawn_at = now
        row.document = codec.dump(directive)
        session.add(row)
        audit.append(
            session,
            actor=actor,
            action=f"withdraw {directive.order.value}",
            subject="/".join(part for part in (directive.stage or "every stage", directive.service) if part),
            why=why,
            now=now,
            details={"key": directive.key},
        )


def quarantines(session: Session) -> Sequence[Quarantine]:
    """All, the lifted ones too: that a version was let in again is a fact."""
    rows = session.exec(select(QuarantineRow).order_by(col(QuarantineRow.stage), col(QuarantineRow.service), col(QuarantineRow.version)))
    return [codec.load(Quarantine, row.document) for row in rows]


def save_quarantine(session: Session, quarantine: Quarantine, *, now: datetime) -> None:
    """One row per stage, service and release; the newest saving wins."""
    values = {
        "stage": quarantine.stage,
        "service": quarantine.service,
        "version": quarantine.release.text,
        "lifted_at": quarantine.lifted_at,
        "document": codec.dump(quarantine),
    }
    put(session, QuarantineRow, values, keys=("stage", "service", "version"))
    audit.append(
        session,
        actor=BOT,
        action="lift quarantine" if quarantine.lifted_at else "quarantine",
        subject=f"{quarantine.stage}/{quarantine.service}",
        why=quarantine.reason,
        now=now,
        details={"version": quarantine.release.text, "promotion": quarantine.promotion},
    )


def stage_holds(session: Session, stage: str) -> Sequence[StageHold]:
    """All of a stage, oldest first."""
    rows = session.exec(select(StageHoldRow).where(StageHoldRow.stage == stage).order_by(col(StageHoldRow.at)))
    return [codec.load(StageHold, row.document) for row in rows]


def save_stage_hold(session: Session, hold: StageHold, *, now: datetime) -> None:
    values = {"stage": hold.stage, "at": hold.at, "lifted_at": hold.lifted_at, "document": codec.dump(hold)}
    put(session, StageHoldRow, values, keys=("stage", "at"))
    action = "lift stage hold" if hold.lifted_at else "stage hold"
    audit.append(session, actor=BOT, action=action, subject=hold.stage, why=hold.reason, now=now, details={})
