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
    put_all(session, model, [values], keys=keys)


def put_all(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]], *, keys: Sequence[str]) -> None:
    """The same for several rows of the same columns, in their order."""
    if rows:
        connection = session.connection()
        connection.execute(_upsert(model, connection.dialect.name, tuple(rows[0]), tuple(keys)), [dict(row) for row in rows])


def put_if_absent(session: Session, model: type[SQLModel], values: Mapping[str, Any]) -> bool:
    """Insert the row unless one with its key is there; True when it was inserted."""
    connection = session.connection()
    return connection.execute(_insert_if_absent(model, connection.dialect.name), dict(values)).first() is not None


def put_absent(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert those of the rows whose keys are not there."""
    if rows:
        connection = session.connection()
        connection.execute(_insert_absent(model, connection.dialect.name), [dict(row) for row in rows])


@cache
def _insert_if_absent(model: type[SQLModel], dialect: str) -> Any:
    return _insert_absent(model, dialect).returning(sa.literal(1))


@cache
def _insert_absent(model: type[SQLModel], dialect: str) -> Any:
    return insert(table_of(model), dialect).on_conflict_do_nothing()


@cache
def _upsert(model: type[SQLModel], dialect: str, columns: tuple[str, ...], keys: tuple[str, ...]) -> Any:
    statement = insert(table_of(model), dialect)
    return statement.on_conflict_do_update(
        index_elements=list(keys), set_={name: statement.excluded[name] for name in columns if name not in keys}
    )


def insert(table: sa.Table, dialect: str) -> Any:
    """The dialect's own insert, which knows what to do on a conflict."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
