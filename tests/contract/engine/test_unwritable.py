"""Runs while the database is full or read-only: put off with the sentence that says so, and done once it is written to again."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.adapters.store import migrate
from bot.adapters.store.database import Database
from bot.adapters.store.history import StoredHistory
from bot.reconcile.run import RunResult
from tests.contract.engine.test_engine import Runs, idle, wait_for
from tests.support.engine import QUICK, engine_on, now
from tests.support.unwritable import full, read_only


def writes(database: Database) -> Runs:
    history = StoredHistory(database)

    def audit(stage: str, _count: int) -> RunResult:
        history.audit(actor="promotion-bot", action="run", subject=stage, why="x" * 50_000, now=now(), details={})
        return RunResult()

    return Runs(audit)


def rows(database: Database) -> int:
    with database.read() as session:
        return int(session.connection().exec_driver_sql("SELECT count(*) FROM audit WHERE action = 'run'").scalar_one())


def test_a_run_that_finds_the_disk_full_is_put_off_with_the_sentence(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    database = Database(url)
    migrate.upgrade(database)
    runs = writes(database)
    with engine_on(url, runs) as engine:
        with full(database):
            wait_for(lambda: runs.of("qa") >= 2 and "the disk of the database is full" in engine.wakeups.work()["qa"].error)
            assert rows(database) == 0
        wait_for(lambda: idle(engine) and engine.wakeups.work()["qa"].error == "")
    assert rows(database) == 1
    database.close()


def test_a_run_that_may_not_write_is_refused_with_the_sentence(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    database = Database(url)
    migrate.upgrade(database)
    runs = writes(database)
    with read_only(database), engine_on(url, runs) as engine:
        wait_for(lambda: "the database cannot be written" in engine.wakeups.work()["qa"].error)
        assert rows(database) == 0
    with engine_on(url, runs) as engine:
        wait_for(lambda: idle(engine) and engine.wakeups.work()["qa"].error == "")
    assert rows(database) == 1
    database.close()


@pytest.mark.postgres
def test_a_postgresql_that_may_not_be_written_is_told_and_runs_go_on_afterwards(postgres_url: str) -> None:
    """The engine's own rows cannot be written either: the log tells it, nothing of it ends the engine, and the resync looks again."""
    database = Database(postgres_url)
    migrate.upgrade(database)
    runs = writes(database)
    timing = replace(QUICK, resync=timedelta(seconds=2))
    with capture_logs() as told, engine_on(postgres_url, runs, timing=timing) as engine:
        wait_for(lambda: runs.of("qa") == 1 and idle(engine))
        with read_only(database):
            database.engine.dispose()
            wait_for(lambda: any("cannot be written" in str(line) for line in told))
            written = rows(database)
        database.engine.dispose()
        wait_for(lambda: rows(database) > written and engine.wakeups.work()["qa"].error == "", 60)
    database.close()
