"""Insert-or-update and insert-or-nothing, which both databases spell alike but SQLAlchemy keeps in two dialects.

Statements are built once per table and set of columns: a webhook makes several, and building costs more than running them.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel


def table_of(model: type[SQLModel]) -> sa.Table:
    """The plain table of a model, past the object mapper."""
    found: sa.Table = model.__table__  # type: ignore[attr-defined]
    return found


def put(session: Session, model: type[SQLModel], values: Mapping[str, Any], *, keys: Sequence[str]) -> None:
    """Insert the row, or replace everything but its keys."""
    connection = session.connection()
    connection.execute(_upsert(model, connection.dialect.name, tuple(values), tuple(keys)), dict(values))


def put_if_absent(session: Session, model: type[SQLModel], values: Mapping[str, Any]) -> bool:
    """Insert the row unless one with its key is there; True when it was inserted."""
    connection = session.connection()
    return connection.execute(_insert_if_absent(model, connection.dialect.name), dict(values)).first() is not None


@cache
def _insert_if_absent(model: type[SQLModel], dialect: str) -> Any:
    return _insert(model, dialect).on_conflict_do_nothing().returning(sa.literal(1))


@cache
def _upsert(model: type[SQLModel], dialect: str, columns: tuple[str, ...], keys: tuple[str, ...]) -> Any:
    statement = _insert(model, dialect)
    return statement.on_conflict_do_update(
        index_elements=list(keys), set_={name: statement.excluded[name] for name in columns if name not in keys}
    )


def _insert(model: type[SQLModel], dialect: str) -> Any:
    return postgresql.insert(table_of(model)) if dialect == "postgresql" else sqlite.insert(table_of(model))
