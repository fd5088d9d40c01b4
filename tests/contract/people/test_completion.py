"""What a shell is offered: verbs, then services and stages of the configuration or of a running bot; silence where something is wrong."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from tests.contract.people.api_world import Served
from tests.support import builders

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-c", "import sys; sys.argv[0] = 'promotion-bot'; from bot.cli.main import main; main()"]
CONFIG = """
version: 1
services: {payments: {images: [ghcr.io/acme/payments]}, "pay-later": {images: [x]}}
pipeline: {stages: {dev: {repository: acme/env-dev}, prod: {repository: nonsense, of: what}}}
"""


@pytest.fixture(scope="module")
def address(served: Served) -> Iterator[str]:
    now = served.bot.parts.clock()
    served.bot.parts.history.save_health("qa", builders.health("1.0.0", since=now), now=now)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(served.app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


def offered(line: str, **environment: str) -> list[str]:
    """What bash offers at the end of the line; that nothing else is said."""
    words = f"promotion-bot {line}"
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1), "_PROMOTION_BOT_COMPLETE": "complete_bash"}
    kept = {name: value for name, value in os.environ.items() if name not in ("PROMO_URL", "PROMO_TOKEN", "GH_TOKEN", "GITHUB_TOKEN")}
    done = subprocess.run(COMMAND, cwd=ROOT, env=kept | asked | environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("why --config {} ", ["payments", "pay-later"]),
        ("why --config {} pay-", ["pay-later"]),
        ("why --config {} payments ", ["dev", "prod"]),
        ("plan --config {} --stage p", ["prod"]),
        ("report --config {} --service pa", ["payments", "pay-later"]),
        ("explain --config {} --stage d", ["dev"]),
        ("why --config {}.missing ", []),
    ],
)
def test_names_of_the_configuration_that_the_line_names(tmp_path: Path, line: str, names: list[str]) -> None:
    path = tmp_path / "bot.yaml"
    path.write_text(CONFIG)
    assert offered(line.format(path)) == names


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("get services --service ", ["payments"]),
        ("get promotions --stage q", ["qa"]),
        ("rollback ", ["payments", "qa"]),
        ("rollback payments ", ["qa"]),
        ("rollback payments qa ", []),
        ("approve ", ["qa"]),
        ("approve --in ", ["qa"]),
        ("wait promotion/7 --in ", ["qa"]),
        ("ask why pay", ["payments"]),
        ("hold --reason ", []),
    ],
)
def test_names_that_a_running_bot_knows(served: Served, address: str, line: str, names: list[str]) -> None:
    assert offered(line, PROMO_URL=address, PROMO_TOKEN=served.tokens["rea"]) == names


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"PROMO_TOKEN": "t", "PROMO_URL": "http://127.0.0.1:9"},
        {"PROMO_TOKEN": "t", "PROMO_URL": "http://bot.example.com"},
        {"PROMO_TOKEN": "t", "PROMO_URL": "no address"},
    ],
    ids=["no token", "no bot", "plain text", "nonsense"],
)
def test_what_is_wrong_is_silence(environment: dict[str, str]) -> None:
    assert offered("approve ", **environment) == []


def test_who_may_see_nothing_is_offered_nothing(served: Served, address: str) -> None:
    assert offered("approve ", PROMO_URL=address, PROMO_TOKEN=served.tokens["sam"]) == []
    assert offered("approve ", PROMO_URL=address, PROMO_TOKEN="not-a-token") == []


def test_a_bot_that_does_not_answer_costs_about_a_second() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        began = time.monotonic()
        assert offered("why --config /nowhere ") == []
        alone = time.monotonic() - began
        began = time.monotonic()
        assert offered("approve ", PROMO_URL=f"http://127.0.0.1:{deaf.getsockname()[1]}", PROMO_TOKEN="t") == []
        assert time.monotonic() - began < alone + 3
