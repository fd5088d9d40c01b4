"""Promotions: read per stage, and written by compare-and-swap on their row version with an audit row beside it.

Decides what is stored and when a write is refused as `Stale`; what a promotion's next state is, is decided in planning.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bot.adapters.store import audit, codec
from bot.adapters.store.tables import PromotionRow
from bot.domain.errors import Stale
from bot.domain.promotion import IN_FLIGHT, Promotion, PromotionState

ENDED_KEPT = 5
"""How many ended promotions per name are read back with those in flight."""


def read(session: Session, stage: str) -> Sequence[Promotion]:
    """Those in flight, oldest first, and before them per name the newest ended ones."""
    states = [state.value for state in IN_FLIGHT]
    ended = (
        select(
            PromotionRow.id,
            sa.func.row_number()
            .over(
                partition_by=col(PromotionRow.name),
                order_by=(sa.func.coalesce(col(PromotionRow.ended_at), col(PromotionRow.opened_at)).desc(), col(PromotionRow.id)),
            )
            .label("place"),
        )
        .where(PromotionRow.stage == stage, col(PromotionRow.state).not_in(states))
        .subquery()
    )
    kept = select(ended.c.id).where(ended.c.place <= ENDED_KEPT)
    rows = session.exec(
        select(PromotionRow)
        .where(PromotionRow.stage == stage, sa.or_(col(PromotionRow.state).in_(states), col(PromotionRow.id).in_(kept)))
        .order_by(col(PromotionRow.state).in_(states), col(PromotionRow.opened_at), col(PromotionRow.id))
    )
    return [_noun(row) for row in rows]


def find(session: Session, promotion: str) -> Promotion | None:
    """One promotion by its id."""
    row = session.get(PromotionRow, promotion)
    return _noun(row) if row else None


def recent(session: Session, *, limit: int) -> Sequence[Promotion]:
    """The newest promotions of all stages, newest first."""
    return [_noun(row) for row in session.exec(select(PromotionRow).order_by(col(PromotionRow.opened_at).desc()).limit(limit))]


def save(session: Session, promotion: Promotion, *, why: str, actor: str, now: datetime) -> Promotion:
    """Insert (version 0) or update; the answer carries the new version. `Stale` when the row stands at another version.

    A promotion of version 0 whose id belongs to an ended one is that one, begun again: its row goes on.
    """
    stored = session.exec(select(PromotionRow.version, PromotionRow.state).where(PromotionRow.id == promotion.id)).first()
    before = promotion.version
    if stored is not None and promotion.version == 0 and not PromotionState(stored[1]).in_flight:
        before = stored[0]
    saved = replace(promotion, version=before + 1)
    if stored is None:
        if promotion.version != 0:
            raise Stale(f"promotion {promotion.id} is not in the database any more")
        session.add(PromotionRow(**_columns(saved)))
        session.flush()
    else:
        changed = session.connection().execute(
            sa.update(PromotionRow)
            .where(col(PromotionRow.id) == promotion.id, col(PromotionRow.version) == before)
            .values(**_columns(saved))
        )
        if changed.rowcount != 1:
            raise Stale(f"promotion {promotion.id} was changed since it was read (version {before} expected, {stored[0]} found)")
    details = {"promotion": saved.id, "to": saved.state.value, "head": saved.head, "base": saved.base}
    if stored is not None:
        details["from"] = stored[1]
    if saved.number is not None:
        details["number"] = str(saved.number)
    audit.append(
        session,
        actor=actor,
        action=f"promotion {saved.state.value}",
        subject=f"{saved.stage}/{saved.name}",
        why=why,
        now=now,
        details=details,
    )
    return saved


def _columns(promotion: Promotion) -> dict[str, Any]:
    return {
        "id": promotion.id,
        "stage": promotion.stage,
        "name": promotion.name,
        "state": promotion.state.value,
        "version": promotion.version,
        "number": promotion.number,
        "opened_at": promotion.opened_at,
        "ended_at": promotion.ended_at,
        "document": codec.dump(promotion),
    }


def _noun(row: PromotionRow) -> Promotion:
    return replace(codec.load(Promotion, row.document), version=row.version)
