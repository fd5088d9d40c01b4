"""Brings the schema to the newest revision at start, under a lock, and refuses a schema that this program does not know.

Revisions stand in `migrations/versions`. They only add: an older program goes on reading a newer schema's tables, but is
refused here with a sentence, since it cannot know what else has changed.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot.adapters.store.database import Database, mapped_errors
from bot.domain.errors import UserError

FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x6D696772


class DatabaseTooNew(UserError):
    """The schema was written by a newer version of the bot."""

    code = "DatabaseTooNew"


class NotOurDatabase(UserError):
    """The database holds tables, but not ours."""

    code = "NotOurDatabase"


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The newest revision that this program knows."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None
    return found


def revisions() -> list[str]:
    """All known revisions, oldest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


def current(database: Database) -> str | None:
    """The revision that the database is at; None for an empty one."""
    with mapped_errors(), database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database: Database, *, to: str = "head") -> None:
    """Apply what is missing. `DatabaseTooNew` for a revision that is not known, `NotOurDatabase` for foreign tables."""
    with mapped_errors(), database.engine.connect() as plain:
        connection = plain.execution_options(bot_begin="IMMEDIATE")
        with connection.begin():
            if not database.is_sqlite:
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            _check(connection)
            command.upgrade(_config(connection), to)


def known(database: Database) -> str | None:
    """Its revision, None while it is empty. `DatabaseTooNew` for a revision that is not known, `NotOurDatabase` for foreign tables."""
    with mapped_errors(), database.engine.connect() as connection:
        return _check(connection)


def require_current(database: Database) -> None:
    """For commands that read without serving: the schema must be the one this program knows."""
    found = known(database)
    if found != head():
        state = "is empty" if found is None else f"is at revision {found}"
        raise UserError(
            f"the database {state}; this program needs revision {head()}",
            why="only `serve` changes the tables of a database that is in use",
            fix="start `promotion-bot serve` once: it brings the schema up to date",
        )


def _check(connection: sa.Connection) -> str | None:
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None:
        foreign = [name for name in sa.inspect(connection).get_table_names() if name != "alembic_version" and not _of_queue(name)]
        if foreign:
            raise NotOurDatabase(
                f"the database holds tables that are not the bot's (for example {sorted(foreign)[0]!r})",
                why="somebody else keeps their records in it, and the bot changes none but its own",
                fix="give the bot a database of its own",
            )
        return None
    if found not in revisions():
        raise DatabaseTooNew(
            f"the database is at schema revision {found}, which this version of promotion-bot (newest known: {head()}) does not know",
            why="a newer version has written it, and what it changed is not known here",
            fix="run the promotion-bot version that wrote it, or a newer one; nothing was changed",
        )
    return found


DBOS_TABLES = frozenset(
    {"operation_outputs", "queues", "notifications", "streams", "application_versions", "workflow_status", "dbos_migrations"}
)
"""The queue's tables, which stand beside ours on SQLite (on PostgreSQL they have a schema of their own)."""


def _of_queue(name: str) -> bool:
    return name.startswith("workflow_") or name in DBOS_TABLES
