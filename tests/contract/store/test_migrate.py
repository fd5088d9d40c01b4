"""The schema: made from nothing, brought up by several processes at once, refused when it is newer or somebody else's."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from bot.adapters.store import migrate, queue_tables, report_tables, tables
from bot.adapters.store.database import Database
from bot.domain.errors import UserError


def test_the_revisions_make_exactly_the_tables_of_the_program(database: Database) -> None:
    assert tables.PromotionRow.metadata is queue_tables.DeliveryRow.metadata is SQLModel.metadata
    assert report_tables.IncidentRow.metadata is SQLModel.metadata
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    migrate.upgrade(database)
    assert migrate.current(database) == migrate.head()


def test_many_processes_may_upgrade_at_once(database_url: str) -> None:
    opened = [Database(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate.upgrade, opened))
    assert {migrate.current(database) for database in opened} == {migrate.head()}
    for database in opened:
        database.close()


@pytest.mark.parametrize("revision", migrate.revisions())
def test_every_earlier_revision_is_brought_up(database_url: str, revision: str) -> None:
    database = Database(database_url)
    migrate.upgrade(database, to=revision)
    assert migrate.current(database) == revision
    migrate.upgrade(database)
    assert migrate.current(database) == migrate.head()
    database.close()


def test_a_newer_schema_is_refused_with_a_sentence_and_left_as_it_is(database: Database) -> None:
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(migrate.DatabaseTooNew) as caught:
        migrate.upgrade(database)
    assert "9999" in caught.value.what
    assert "promotion-bot" in caught.value.fix
    assert migrate.current(database) == "9999"


def test_somebody_elses_database_is_refused(database_url: str) -> None:
    database = Database(database_url)
    with database.write() as session:
        session.connection().exec_driver_sql("CREATE TABLE customers (id INTEGER)")
    with pytest.raises(migrate.NotOurDatabase, match="customers"):
        migrate.upgrade(database)
    assert sa.inspect(database.engine).get_table_names() == ["customers"]
    database.close()


def test_a_damaged_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    path.write_bytes(b"this is no database" * 500)
    with pytest.raises(UserError, match="damaged"):
        migrate.upgrade(Database(str(path)))
    assert path.read_bytes().startswith(b"this is no database")


def test_an_unknown_kind_of_database_is_refused() -> None:
    with pytest.raises(UserError, match="mysql"):
        Database("mysql://root@localhost/bot")


def test_an_older_schema_is_only_looked_at_once_serve_has_brought_it_up(database_url: str) -> None:
    database, oldest = Database(database_url), migrate.revisions()[0]
    migrate.upgrade(database, to=oldest)
    with pytest.raises(UserError, match=f"is at revision {oldest}") as caught:
        migrate.require_current(database)
    assert "promotion-bot serve" in caught.value.fix
    assert migrate.current(database) == oldest
    database.close()


def test_looking_needs_the_present_schema(database_url: str) -> None:
    with pytest.raises(UserError, match="is empty"):
        migrate.require_current(Database(database_url))
