"""Opens the database by its URL, and hands out transactions: SQLite in one file, or PostgreSQL.

Decides how each database is spoken to (WAL, busy timeout, immediate write transactions; pool and schema search) and which
of their errors pass by themselves. What stands in the tables is left to the files beside it, their shape to `migrate`.

SQLite: a write transaction takes the write lock when it begins (`BEGIN IMMEDIATE`), because a read transaction that
is upgraded later fails at once with "database is locked" (https://sqlite.org/isolation.html, SQLITE_BUSY_SNAPSHOT).
"""

import math
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlmodel import Session

from bot.domain.errors import TransientError, UserError

BUSY_TIMEOUT_MS = 10_000
QUICK_SECONDS = 0.5
ASK_AGAIN_SECONDS = 0.002
POOL_SIZE = 8
RESTED_SECONDS = 1.0
READ_ONLY = "25006"
"""https://www.postgresql.org/docs/current/errcodes-appendix.html"""
WRITE = {"bot_begin": "IMMEDIATE"}
SESSION = {
    "idle_in_transaction_session_timeout": "8s",
    "statement_timeout": "60s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
}
"""PostgreSQL's settings of our sessions (https://www.postgresql.org/docs/current/runtime-config-client.html)."""


def normalise(url: str) -> str:
    """The URL with the driver that the bot brings: a path or `sqlite:///file`, `postgresql://user@host/name`. `UserError` for others."""
    if "://" not in url:
        return f"sqlite:///{Path(url).absolute()}"
    scheme, _, rest = url.partition("://")
    match scheme:
        case "sqlite":
            return url
        case "postgresql" | "postgres" | "postgresql+psycopg":
            return f"postgresql+psycopg://{rest}"
        case _:
            raise UserError(
                f"the database URL begins with {scheme!r}, which is not known",
                why="the bot keeps its records in SQLite or PostgreSQL",
                fix="use sqlite:///path/to/file.db or postgresql://user@host/database",
            )


def make_engine(url: str, *, pool_size: int = POOL_SIZE) -> sa.Engine:
    """An engine for our own tables."""
    if url.startswith("sqlite"):
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}, pool_size=pool_size)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return _postgres(url, pool_size)


def make_queue_engine(url: str) -> sa.Engine:
    """An engine for the durable queue, which begins its SQLite transactions itself and expects the driver's own mode."""
    if url.startswith("sqlite"):
        engine = sa.create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, pool_size=POOL_SIZE)
        event.listen(engine, "connect", _prepare_sqlite_for_queue)
        return engine
    return _postgres(url, POOL_SIZE)


def _postgres(url: str, pool_size: int) -> sa.Engine:
    engine = sa.create_engine(url, pool_size=pool_size, max_overflow=pool_size, connect_args={"connect_timeout": 5})
    event.listen(engine, "connect", _prepare_postgres)
    event.listen(engine, "checkin", _rests)
    event.listen(engine, "checkout", partial(_ask_the_rested, engine.dialect))
    event.listen(engine, "handle_error", _leave_what_only_reads)
    return engine


def _leave_what_only_reads(context: ExceptionContext) -> None:
    """A session that began while the server allowed reading only stays so, whatever the server allows later: the pool opens anew."""
    if getattr(context.original_exception, "sqlstate", "") == READ_ONLY:
        context.is_disconnect = True


def _rests(_connection: Any, record: Any) -> None:
    record.info["rests_since"] = monotonic()


def _ask_the_rested(dialect: sa.Dialect, connection: Any, record: Any, _proxy: Any) -> None:
    """A connection that was used a moment ago is there still. One that has rested may be gone, and all that rested beside it: the pool
    opens anew then (https://docs.sqlalchemy.org/en/21/core/pooling.html#disconnect-handling-pessimistic)."""
    if monotonic() - record.info.get("rests_since", math.inf) < RESTED_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except Exception as error:
        raise sa.exc.InvalidatePoolError from error


def _prepare_postgres(connection: Any, _record: Any) -> None:
    """A process that is paused, or cut off, in the middle of a transaction must not hold its locks: the server ends it then."""
    autocommit = connection.autocommit
    connection.autocommit = True
    for name, value in SESSION.items():
        connection.execute(f"SET {name} = '{value}'")
    connection.autocommit = autocommit


def _pragmas(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    _pragmas(connection)


def _prepare_sqlite_for_queue(connection: Any, _record: Any) -> None:
    _pragmas(connection)
    connection.execute("PRAGMA busy_timeout=30000")
    connection.isolation_level = "IMMEDIATE"


def _begin_sqlite(connection: sa.Connection) -> None:
    mode = connection.get_execution_options().get("bot_begin", "DEFERRED")
    if mode != WRITE["bot_begin"] or not _begun_soon(connection):
        connection.exec_driver_sql(f"BEGIN {mode}")


def _begun_soon(connection: sa.Connection) -> bool:
    """Whether the write lock was had by asking every few milliseconds. SQLite's own busy handler sleeps longer each time, up to
    100 ms, and so a writer that comes late is served late (https://sqlite.org/src/file/src/main.c, sqliteDefaultBusyCallback)."""
    plain: Any = connection.connection.dbapi_connection
    deadline = monotonic() + QUICK_SECONDS
    plain.execute("PRAGMA busy_timeout=0")
    try:
        while monotonic() < deadline:
            try:
                plain.execute(f"BEGIN {WRITE['bot_begin']}")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    return False
                sleep(ASK_AGAIN_SECONDS)
            else:
                return True
    finally:
        plain.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    return False


class Database:
    """An open database. `read` and `write` give a session in one transaction; both raise `TransientError` when it cannot be had."""

    def __init__(self, url: str) -> None:
        self.url = normalise(url)
        self.engine = make_engine(self.url)
        self._turn = threading.Lock()

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent look; nothing is written."""
        with mapped_errors(), self.engine.connect() as connection, connection.begin(), Session(connection) as session:
            yield session

    @contextmanager
    def write(self, *, repeatable: bool = False) -> Iterator[Session]:
        """One write transaction, committed at the end, rolled back on any error.

        `repeatable`: what stands in it would be written again after a crash of the database. PostgreSQL then does not wait for its
        disk, and so holds no row that others wait for; a later commit that waits makes this one last too
        (https://www.postgresql.org/docs/current/wal-async-commit.html).
        """
        with self._my_turn(), mapped_errors(), self.engine.connect() as plain:
            connection = plain.execution_options(**WRITE)
            with connection.begin(), Session(connection, autoflush=False, join_transaction_mode="rollback_only") as session:
                if repeatable and not self.is_sqlite:
                    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                yield session
                session.flush()

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        """SQLite has one writer, and its busy handler is no queue: threads that only sleep and try again starve each other."""
        if not self.is_sqlite:
            yield
            return
        if not self._turn.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
            raise TransientError("the database is locked by other writers of this process")
        try:
            yield
        finally:
            self._turn.release()

    def clock(self, session: Session) -> datetime:
        """The database's own clock (UTC): several processes compare their heartbeats by one clock."""
        if self.is_sqlite:
            text: str = session.connection().exec_driver_sql("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')").scalar_one()
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        found: datetime = session.connection().exec_driver_sql("SELECT clock_timestamp()").scalar_one()
        return found.astimezone(UTC)

    def check(self) -> None:
        """Ask the database something; `TransientError` when it does not answer."""
        with self.read() as session:
            session.connection().exec_driver_sql("SELECT 1")

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Errors of the database as ours: what passes by itself is transient, the rest is a bug or a broken file."""
    try:
        yield
    except IntegrityError:
        raise
    except (OperationalError, DBAPIError) as error:
        raise _as_ours(error) from error
    except SQLAlchemyError as error:
        if isinstance(error, sa.exc.TimeoutError):
            raise TransientError("no connection to the database came free in time") from error
        raise


def _as_ours(error: DBAPIError) -> Exception:
    text = str(error.orig)
    lower = text.lower()
    first = text.strip().splitlines()[0] if text.strip() else type(error.orig).__name__
    if "malformed" in lower or "not a database" in lower:
        return UserError(
            f"the database file is damaged ({first})",
            why="SQLite does not find its own format in it",
            fix="restore the file from a backup, or move it away: all but unproven approvals is rebuilt",
        )
    if "readonly" in lower or "read-only" in lower:
        return UserError(
            f"the database cannot be written ({first})",
            why="the file, its folder or the server allows reading only",
            fix="give the process write access to the file and its folder",
        )
    if "full" in lower or "no space" in lower:
        return TransientError(f"the disk of the database is full ({first})")
    if "no such table" in lower or "undefined" in type(error.orig).__name__.lower():
        return error
    if isinstance(error, OperationalError) or error.connection_invalidated:
        return TransientError(f"the database cannot be used now ({first})")
    return error
