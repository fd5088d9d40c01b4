"""Insert-or-update and insert-or-nothing, which both databases spell alike but SQLAlchemy keeps in two dialects."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel


def _insert(session: Session, table: type[SQLModel]) -> Any:
    is_postgres = session.connection().dialect.name == "postgresql"
    return postgresql.insert(table) if is_postgres else sqlite.insert(table)


def put(session: Session, table: type[SQLModel], values: Mapping[str, Any], *, keys: Sequence[str]) -> None:
    """Insert the row, or replace everything but its keys."""
    statement = _insert(session, table).values(values)
    changed = {name: statement.excluded[name] for name in values if name not in keys}
    session.connection().execute(statement.on_conflict_do_update(index_elements=list(keys), set_=changed))


def put_if_absent(session: Session, table: type[SQLModel], values: Mapping[str, Any]) -> bool:
    """Insert the row unless one with its key is there; True when it was inserted."""
    statement = _insert(session, table).values(values).on_conflict_do_nothing().returning(sa.literal(1))
    return session.connection().execute(statement).first() is not None
