"""`doctor` against a sandbox: all is well, and each thing that is not is named with what mends it."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.store import migrate
from bot.adapters.store.database import Database
from bot.cli.demo import world as demo
from bot.cli.sandbox import addresses
from bot.sandbox.cluster.accounts import Rule
from tests.support.model_world import manifest

COMMAND = [sys.executable, "-c", "from bot.cli.main import main; main()", "doctor"]


@dataclass
class Place:
    """A sandbox, and how the bot is told about it."""

    world: demo.World
    config: Path
    environment: dict[str, str]

    def doctor(self, **more: str) -> tuple[int, dict[str, Any]]:
        """Exit status, and the findings by subject."""
        done = subprocess.run(
            [*COMMAND, "--config", str(self.config), "-o", "json"],
            env={**os.environ, **self.environment, **more},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        answer = json.loads(done.stdout)
        assert answer["ok"] is (done.returncode == 0)
        return done.returncode, {one["subject"]: one for one in answer["findings"]}

    @property
    def file(self) -> Path:
        return Path(self.environment["PROMOTION_BOT_STATE_DIR"]) / "promotion-bot.db"

    def database(self, revision: str = "head") -> Path:
        """The bot's database, at a revision."""
        self.file.parent.mkdir()
        database = Database(f"sqlite:///{self.file}")
        migrate.upgrade(database, to=revision)
        database.close()
        return self.file


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    for stage in ("dev", "qa"):
        (tmp_path / stage).mkdir()
        (tmp_path / stage / "web.yaml").write_text(manifest("web", "1.0.0"))
    world = demo.build(tmp_path, rollout_seconds=1.0, progress_deadline=30.0)
    told = addresses(world, tmp_path)
    lines = Path(told["bot"]["environment"]).read_text().splitlines()
    given = dict(shlex.split(line.removeprefix("export "))[0].split("=", 1) for line in lines)
    yield Place(world, Path(told["bot"]["config"]), given)
    world.stop()


def test_all_is_well(place: Place) -> None:
    status, found = place.doctor()
    assert not place.file.exists(), "the first start makes it"
    assert {subject: one["grade"] for subject, one in found.items()} == {
        "webhook secret": "ok",
        "git": "ok",
        "database": "ok",
        "forge": "ok",
        "clock": "ok",
        "repository of dev": "ok",
        "repository of qa": "ok",
        "cluster of dev": "ok",
        "cluster of qa": "ok",
    }
    assert status == 0


def test_what_is_missing_outside_is_named(place: Place) -> None:
    place.world.clusters["qa"].faults.forbid(verbs=("watch",), resources=("deployments",))
    place.world.clusters["dev"].stop()
    for installation in place.world.github.world.installations.values():
        installation.permissions["checks"] = "read"
    place.config.write_text(place.config.read_text().replace("acme/env-qa", "acme/env-gone"))
    status, found = place.doctor()
    assert status == 1
    assert "checks: write" in found["forge"]["sentence"]
    assert "watch deployments.apps" in found["cluster of qa"]["sentence"]
    assert found["cluster of dev"]["grade"] == "failed"
    assert "acme/env-gone" in found["repository of qa"]["sentence"]
    assert found["repository of dev"]["grade"] == "ok", "one that fails hides no other"
    assert all(one["fix"] for one in found.values() if one["grade"] == "failed")


def test_an_account_that_can_read_secrets_is_told(place: Place) -> None:
    accounts = place.world.clusters["qa"].accounts
    for user in accounts.rules:
        accounts.rules[user] = (*accounts.rules[user], Rule(groups=("",), resources=("secrets",), verbs=("get",)))
    _, found = place.doctor()
    assert found["cluster of qa"]["grade"] == "warning"
    assert "can read secrets" in found["cluster of qa"]["sentence"]
    assert found["cluster of dev"]["grade"] == "ok"


def test_a_damaged_database_is_found_before_it_is_opened_to_write(place: Place) -> None:
    file = place.database()
    content = bytearray(file.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    file.write_bytes(bytes(content))
    status, found = place.doctor()
    assert (status, found["database"]["grade"]) == (1, "failed")
    assert file.read_bytes() == bytes(content)


def test_an_older_database_is_left_as_it_is(place: Place) -> None:
    """Another program may be serving it."""
    place.database("0004")
    _, found = place.doctor()
    assert "next start" in found["database"]["sentence"]
    database = Database(f"sqlite:///{place.file}")
    assert migrate.current(database) == "0004"
    database.close()


def test_without_a_webhook_secret_serve_would_not_start(place: Place) -> None:
    place.environment.pop("PROMOTION_BOT_GITHUB_WEBHOOK_SECRETS_FILE")
    status, found = place.doctor()
    assert (status, found["webhook secret"]["grade"]) == (1, "failed")
