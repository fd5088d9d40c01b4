"""Buttons of our checks that were pressed: kept with the event that told of it, until the stage's run has carried them out."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bot.adapters.store.queue_tables import PressRow
from bot.adapters.store.upsert import put_if_absent
from bot.domain.people import Person
from bot.domain.press import Press


def keep(session: Session, press: Press, stage: str) -> None:
    """Once per press and stage."""
    row = {
        "key": press.key,
        "stage": stage,
        "repository": press.repository,
        "button": press.button,
        "app": press.app,
        "head": press.head,
        "check_name": press.check,
        "number": press.number,
        "actor_id": press.actor.id,
        "actor": press.actor.login,
        "bot": press.actor.bot,
        "at": press.at,
    }
    put_if_absent(session, PressRow, row)


def waiting(session: Session, stage: str) -> Sequence[Press]:
    """Those that were not carried out, oldest first."""
    rows = session.exec(select(PressRow).where(PressRow.stage == stage).order_by(col(PressRow.at), col(PressRow.key)))
    return [
        Press(
            key=row.key,
            repository=row.repository,
            button=row.button,
            actor=Person(id=row.actor_id, login=row.actor, bot=row.bot),
            at=row.at,
            app=row.app,
            head=row.head,
            check=row.check_name,
            number=row.number,
        )
        for row in rows
    ]


def done(session: Session, stage: str, key: str) -> None:
    """Carried out, answered, or found to mean nothing."""
    session.connection().execute(sa.delete(PressRow).where(col(PressRow.stage) == stage, col(PressRow.key) == key))
