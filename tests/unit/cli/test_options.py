"""What all commands have in common: the same options have the same short forms, and what our files tell people to type can be typed."""

import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from bot.adapters.store import migrate
from bot.adapters.store.database import Database
from bot.cli.main import load_commands

ROOT = Path(__file__).parents[3]
SHORT = {"--output": "-o", "--config": "-c"}


def commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, group
    for word, below in getattr(group, "commands", {}).items():
        yield from commands(below, f"{name} {word}")


def test_an_option_has_the_same_short_form_everywhere() -> None:
    found = [
        (name, long, option.opts)
        for name, command in commands(typer.main.get_command(load_commands()), "promotion-bot")
        for option in command.params
        for long in SHORT.keys() & set(option.opts)
    ]
    assert len(found) > 20
    assert not [one for one in found if SHORT[one[1]] not in one[2]]


def test_the_version_is_told() -> None:
    told = CliRunner().invoke(load_commands(), ["--version"])
    assert (told.exit_code, told.stdout) == (0, f"promotion-bot {version('promotion-bot')}\n")


def test_what_an_alert_says_to_type_can_be_typed(tmp_path: Path) -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/delivery-alerts.yaml").read_text())
    actions = [rule["annotations"]["action"] for group in rules["groups"] for rule in group["rules"]]
    history = tmp_path / "history.json"
    history.write_text('{"events": []}')
    assert actions
    for action in actions:
        typed = re.match(r"promotion-bot ((?:[a-z_-]+ )+?--stage) \{\{ \$labels\.stage \}\}", action)
        assert typed is not None, action
        done = CliRunner().invoke(load_commands(), [*typed[1].split(), "prod", "--events", str(history)])
        assert done.exit_code == 0, done.stderr


@pytest.mark.parametrize(
    ("more", "told"), [([], "nothing was changed yet\n"), (["--subject", "qa/web"], "nothing was changed yet about qa/web\n")]
)
def test_an_empty_audit_log_is_told(tmp_path: Path, more: list[str], told: str) -> None:
    address = f"sqlite:///{tmp_path / 'bot.db'}"
    database = Database(address)
    migrate.upgrade(database)
    database.close()
    done = CliRunner().invoke(load_commands(), ["audit", "--database", address, *more])
    assert (done.exit_code, done.stdout) == (0, told), done.stderr
