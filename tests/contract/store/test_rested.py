"""A connection to PostgreSQL that was lost while it rested is replaced before anybody misses it; one in use costs no question."""

import pytest
import sqlalchemy as sa

from bot.adapters.store import database as opened
from bot.adapters.store.database import Database

pytestmark = pytest.mark.postgres
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def pid(database: Database) -> int:
    with database.read() as session:
        return int(session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


def test_what_was_lost_while_it_rested_is_opened_anew(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "RESTED_SECONDS", 0.0)
    database, other = Database(postgres_url), Database(postgres_url)
    before = pid(database)
    with other.read() as session:
        session.connection().exec_driver_sql(OTHERS)
    assert pid(database) != before
    database.close()
    other.close()


def test_only_what_rested_is_asked(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database, asked = Database(postgres_url), list[str]()
    sa.event.listen(database.engine, "checkout", lambda *_: asked.append("checkout"))
    ping = database.engine.dialect.do_ping
    monkeypatch.setattr(database.engine.dialect, "do_ping", lambda connection: (asked.append("ping"), ping(connection))[1])
    pid(database)
    pid(database)
    monkeypatch.setattr(opened, "RESTED_SECONDS", 0.0)
    pid(database)
    assert asked == ["checkout", "checkout", "ping", "checkout"]
    database.close()
