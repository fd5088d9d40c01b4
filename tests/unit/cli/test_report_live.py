"""`report` and `explain` without a file read the bot's own database."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.adapters.store.database import Database
from bot.adapters.store.history import StoredHistory
from bot.adapters.store.migrate import upgrade
from bot.cli.main import app, load_commands
from bot.domain.action import SaveDeployment
from bot.domain.errors import UserError
from tests.support.builders import NOW, promotion

DAYS = ["--from", "2026-11-16", "--to", "2026-11-23", "--stage", "qa", "--as-of", "2026-11-23T00:00:00Z"]


@pytest.fixture
def address(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/bot.db"
    database = Database(url)
    upgrade(database)
    history = StoredHistory(database)
    for status in ("failed", "success"):
        row = SaveDeployment(promotion=promotion(id=status), service="payments", at=NOW, status=status, kind="promotion", version="0=1.1.0")
        history.save_deployment(row)
    history.save_promotion(promotion(opened_at=NOW), why="x", actor="b", now=NOW)
    database.close()
    return url


def test_the_database_is_reported_by_the_same_code_as_a_file(address: str) -> None:
    done = CliRunner().invoke(load_commands(), ["report", *DAYS, "--database", address, "-o", "json"])
    found = json.loads(done.stdout)
    assert (found["deployments"], found["changes"], found["failed_changes"]) == (1, 1, 1)
    assert [row["service"] for row in found["blocked_promotions"]] == ["payments"]
    told = CliRunner().invoke(load_commands(), ["explain", "change_fail_rate", *DAYS, "--database", address])
    assert "failed:payments:promotion:failed" in told.stdout


def test_without_a_database_it_is_said_where_one_was_looked_for(tmp_path: Path) -> None:
    done = CliRunner().invoke(load_commands(), ["report", *DAYS, "--database", f"sqlite:///{tmp_path}/none.db"])
    assert isinstance(done.exception, UserError)
    assert "none.db" in done.exception.what
    assert not (tmp_path / "none.db").exists()


def test_commands_are_registered_once_however_often_they_are_loaded() -> None:
    load_commands()
    before = len(app.registered_commands)
    load_commands()
    assert len(app.registered_commands) == before
