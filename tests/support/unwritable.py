"""A database that takes nothing for a while: full or read-only, as SQLite and PostgreSQL themselves say it.

SQLite: limits of the connection that is taken out of the pool (https://sqlite.org/pragma.html#pragma_max_page_count, `query_only`).
PostgreSQL: sessions of this database begin read-only, as managed servers do when their disk is nearly full; those that are open are ended.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from bot.adapters.store.database import Database

ALL_PAGES = 4294967294
"""SQLite's own limit."""


@contextmanager
def full(database: Database) -> Iterator[None]:
    """The SQLite file may not grow by a page."""
    with _limited(database, "PRAGMA max_page_count=1"):
        yield
    _free(database)


@contextmanager
def read_only(database: Database) -> Iterator[None]:
    """Reading alone is allowed."""
    if database.is_sqlite:
        with _limited(database, "PRAGMA query_only=ON"):
            yield
        _free(database)
        return
    _for_new_sessions(database, "SET default_transaction_read_only = on")
    try:
        yield
    finally:
        _for_new_sessions(database, "RESET default_transaction_read_only", end_open=False)


@contextmanager
def _limited(database: Database, pragma: str) -> Iterator[None]:
    def limit(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute(pragma).fetchall()

    event.listen(database.engine, "checkout", limit)
    try:
        yield
    finally:
        event.remove(database.engine, "checkout", limit)


def _free(database: Database) -> None:
    """Whatever connection is taken next is a new one."""
    database.engine.dispose()


def _for_new_sessions(database: Database, setting: str, *, end_open: bool = True) -> None:
    url = sa.engine.make_url(database.url)
    admin = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f'ALTER DATABASE "{url.database}" {setting}')
        if end_open:
            connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{url.database}'")
    admin.dispose()
