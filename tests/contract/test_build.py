"""What is missing is told before anything is made: a first start with a wrong setting leaves nothing behind."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.app import build
from bot.cli.demo.settings import SandboxSettings
from bot.config.load import load
from bot.domain.errors import UserError

APP = {"app_id": 1, "installation_id": 2}
SLACK = {"slack": {"channel": "C0123456789"}}


@pytest.mark.parametrize(
    ("forge", "notifications", "token", "named"),
    [
        ({"app": APP}, {}, "t", "PRIVATE_KEY"),
        ({}, {}, None, "PROMOTION_BOT_GITHUB_TOKEN"),
        ({}, SLACK, "t", "SLACK_BOT_TOKEN"),
    ],
)
def test_a_missing_secret_leaves_nothing_behind(
    forge: dict[str, object], notifications: dict[str, object], token: str | None, named: str, tmp_path: Path
) -> None:
    stages = {"dev": {"repository": "acme/dev"}, "qa": {"repository": "acme/qa", "after": ["dev"]}}
    file = tmp_path / "promotion-bot.json"
    file.write_text(json.dumps({"version": 1, "forge": forge, "notifications": notifications, "pipeline": {"stages": stages}}))
    settings = SandboxSettings(state_dir=tmp_path / "state", github_token=None if token is None else SecretStr(token))
    with pytest.raises(UserError) as raised:
        build(load(file), settings)
    assert named in str(raised.value.where)
    assert not (tmp_path / "state").exists()
