"""The Slack app's manifest: what Slack takes of one, and what the bot needs of it, no more and no less."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bot.adapters.slack.hearing import COMMAND
from bot.web import slack_hook

ROOT = Path(__file__).parents[2]
ADDRESS = {"type": "string", "pattern": "^https://[^ ]+$", "maxLength": 3000}
TRUTH = {"type": "boolean"}


def thing(required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required.split(), "additionalProperties": False}


def text(most: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most}


# The limits of https://docs.slack.dev/reference/app-manifest for the parts that stand in ours.
MANIFEST = thing(
    "display_information features oauth_config settings",
    display_information=thing("name", name=text(35), description=text(140)),
    features=thing(
        "bot_user slash_commands",
        bot_user=thing("display_name", display_name={**text(80), "pattern": "^[a-z0-9._-]+$"}, always_online=TRUTH),
        slash_commands={
            "type": "array",
            "maxItems": 50,
            "items": thing(
                "command description",
                command={**text(32), "pattern": "^/[^ ]+$"},
                url=ADDRESS,
                description=text(2000),
                usage_hint=text(1000),
                should_escape=TRUTH,
            ),
        },
    ),
    oauth_config=thing("scopes", scopes=thing("bot", bot={"type": "array", "maxItems": 255, "uniqueItems": True, "items": text(100)})),
    settings=thing(
        "interactivity",
        interactivity=thing("is_enabled", is_enabled=TRUTH, request_url=ADDRESS),
        org_deploy_enabled=TRUTH,
        socket_mode_enabled=TRUTH,
        token_rotation_enabled=TRUTH,
    ),
)
SCOPES = {
    "auth.test": [],
    "chat.postMessage": ["chat:write"],
    "chat.postEphemeral": ["chat:write"],
    "chat.update": ["chat:write"],
    "conversations.list": ["channels:read", "groups:read"],
    "conversations.history": ["channels:history", "groups:history"],
    "conversations.replies": ["channels:history", "groups:history"],
    "users.info": ["users:read"],
    "views.open": [],
    "files.completeUploadExternal": ["files:write"],
}
"""What each method that the bot calls asks for, as its page on docs.slack.dev says."""


@pytest.fixture(scope="module")
def manifest() -> Any:
    return yaml.safe_load((ROOT / "deploy" / "slack-app.yml").read_text())


def test_slack_would_take_it(manifest: Any) -> None:
    Draft202012Validator(MANIFEST).validate(manifest)


def test_it_names_our_command_and_our_address(manifest: Any) -> None:
    [command] = manifest["features"]["slash_commands"]
    assert command["command"] == COMMAND
    assert command["usage_hint"].endswith("approve #123"), "a hash begins a comment unless the text is quoted"
    for address in (command["url"], manifest["settings"]["interactivity"]["request_url"]):
        assert address.endswith(slack_hook.PATH)


def test_its_scopes_are_those_of_the_methods_that_are_called(manifest: Any) -> None:
    code = "".join(file.read_text() for file in (ROOT / "bot" / "adapters" / "slack").glob("*.py"))
    called = set(re.findall(r'"((?:auth|chat|conversations|users|views|files|reactions)\.[a-zA-Z]+)"', code))
    called |= {f"{family}.{name}" for family, name in re.findall(r"client\.(chat|views|users)_([a-zA-Z]+)\(", code)}
    assert {"chat.postEphemeral", "views.open", "chat.update"} <= called
    assert called <= SCOPES.keys()
    needed = {scope for method in called for scope in SCOPES[method]}
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed | {"commands"}
