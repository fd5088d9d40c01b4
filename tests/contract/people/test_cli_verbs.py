"""The verbs on the command line, against a bot that really listens: output, exit codes, errors in three lines or as JSON."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from bot.cli.verbs import quoted
from bot.commands.grammar import parse
from bot.commands.model import Call, Surface
from bot.commands.shelf import as_rows, verbs
from bot.domain.directive import Order
from tests.contract.people.api_world import Served

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def address(served: Served) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(served.app, port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.02)
    host, port = server.servers[0].sockets[0].getsockname()
    yield f"http://{host}:{port}"
    server.should_exit = True
    thread.join()


def run(*arguments: str, url: str = "", token: str = "") -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("GH_TOKEN", "GITHUB_TOKEN")}
    environment |= {"PROMO_URL": url, "PROMO_TOKEN": token, "PATH": "/nowhere", "NO_COLOR": "1", "COLUMNS": "200"}
    command = [sys.executable, "-c", "from bot.cli.main import main; main()", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
    )


def test_an_order_and_its_end(served: Served, address: str) -> None:
    done = run("hold", "--reason", 'two "quoted" words', "-p", "7", url=address, token=served.tokens["wes"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "This pull request is held.\n", "")
    [order] = [one for one in served.bot.parts.history.directives("qa") if one.order is Order.HOLD]
    assert (order.reason, order.actor.login, order.number) == ('two "quoted" words', "api-wes", 7)
    served.clock.shift *= 2
    done = run("unhold", "-p", "7", "-o", "json", url=address, token=served.tokens["wes"])
    assert json.loads(done.stdout)["outcome"] == "done"


def test_exit_codes(served: Served, address: str) -> None:
    rea, ana = served.tokens["rea"], served.tokens["ana"]
    refused = run("approve", "-p", "7", url=address, token=rea)
    assert (refused.returncode, refused.stdout) == (4, "")
    lines = refused.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["error", "why", "fix"]
    assert "needs an *approver*" in lines[1]
    assert run("approve", "-p", "99", url=address, token=ana).returncode == 5
    assert run("approve", "--sha", "1234567", "-p", "7", url=address, token=ana).returncode == 6
    assert run("wait", "promotion/7", "--timeout", "1s", "--every", "0.2", url=address, token=rea).returncode == 7
    assert run("wait", "promotion/99", url=address, token=rea).returncode == 5


def test_mistyped_costs_no_request_and_needs_no_bot() -> None:
    done = run("hold", "-o", "json")
    assert done.returncode == 2
    assert "needs --reason" in json.loads(done.stderr)["error"]
    weighty = run("rollback", "payments", "qa", "--reason", "x", token="t")
    assert (weighty.returncode, "--yes" in weighty.stderr) == (2, True)


def test_without_a_token_or_a_bot() -> None:
    assert run("ping").returncode == 4
    away = run("ping", url="http://127.0.0.1:9", token="t")
    assert (away.returncode, "no bot answers" in away.stderr) == (1, True)
    plain = run("ping", url="http://bot.example.com", token="t")
    assert (plain.returncode, "plain text" in plain.stderr) == (2, True)


def test_lists_and_any_line(served: Served, address: str) -> None:
    rea = served.tokens["rea"]
    listed = run("get", "promotions", "-o", "csv", url=address, token=rea)
    assert listed.stdout.splitlines()[1] == "qa,payments,7,open,payments 1.0.0 -> 1.1.0,"
    assert json.loads(run("get", "stages", "-o", "json", url=address, token=rea).stdout)["items"][0]["stage"] == "qa"
    asked = run("ask", "why", "payments", "qa", url=address, token=rea)
    assert asked.returncode == 0, asked.stderr


def test_commands_as_json_is_the_list() -> None:
    done = run("commands", "--output", "json")
    assert json.loads(done.stdout) == as_rows()
    assert "approve" in run("commands").stdout


def test_every_verb_for_the_command_line_is_there() -> None:
    told = run("--help").stdout
    for verb in verbs().values():
        assert (Surface.CLI in verb.spec.surfaces) is (f" {verb.spec.verb} " in told), verb.spec.verb


@pytest.mark.parametrize("word", ["x", "", "two words", 'a"b', "back\\slash", "--reason=two words", "--reason=x", "tab\tx", "*", "a@1.0"])
def test_a_word_of_the_shell_stays_one_word(word: str) -> None:
    call = parse(f"hold {quoted('--reason=' + word)}", verbs()) if not word.startswith("--") else parse(f"hold {quoted(word)}", verbs())
    if word:
        assert isinstance(call, Call)
        assert call.flags["reason"] == word.removeprefix("--reason=")
