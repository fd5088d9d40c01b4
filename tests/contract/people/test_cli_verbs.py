"""The verbs on the command line, against a bot that really listens: output, exit codes, errors in three lines or as JSON."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import yaml
from fastapi import FastAPI

from bot.cli.verbs import quoted
from bot.commands.grammar import parse
from bot.commands.model import Call, Surface
from bot.commands.shelf import as_rows, verbs
from bot.domain.directive import Order
from bot.domain.facts import Quarantine
from bot.domain.incident import Incident
from bot.domain.promotion import PromotionState
from tests.contract.people.api_world import Served
from tests.support import builders

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def address(served: Served) -> Iterator[str]:
    with listening(served.app) as (url, _):
        yield url


@contextmanager
def listening(app: FastAPI) -> Iterator[tuple[str, Callable[[], None]]]:
    """The bot at an address of its own, and how it is ended."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.02)

    def stop() -> None:
        server.should_exit = True
        thread.join()

    host, port = server.servers[0].sockets[0].getsockname()
    yield f"http://{host}:{port}", stop
    stop()


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
    assert lines[0] == "error: approve was not applied"
    assert "needs the role approver" in lines[1]
    assert "whoami" in lines[2]
    assert run("approve", "-p", "99", url=address, token=ana).returncode == 5
    assert run("approve", "--sha", "1234567", "-p", "7", url=address, token=ana).returncode == 6
    assert run("wait", "promotion/7", "--timeout", "1s", "--every", "0.2", url=address, token=rea).returncode == 7
    assert run("wait", "promotion/99", url=address, token=rea).returncode == 5


def test_wait_outlives_a_bot_that_starts_anew_and_names_it_when_the_time_is_up(served: Served) -> None:
    """The bot goes away while somebody waits: no answer is no end."""
    with listening(served.app) as (address, stop):
        command = [sys.executable, "-c", "from bot.cli.main import main; main()"]
        line = ["wait", "promotion/7", "--timeout", "8s", "--every", "0.2"]
        told = os.environ | {"PROMO_URL": address, "PROMO_TOKEN": served.tokens["rea"]}
        waiting = subprocess.Popen([*command, *line], cwd=ROOT, env=told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=5)
        stop()
        out, errors = waiting.communicate(timeout=30)
    assert (waiting.returncode, out) == (7, "")
    assert "the bot could not be asked last" in errors


def test_why_asks_a_running_bot_too(served: Served, address: str) -> None:
    rea = served.tokens["rea"]
    for words in (["payments", "qa"], ["-p", "7"], ["upstream", "-p", "7"]):
        done = run("why", *words, url=address, token=rea)
        assert (done.returncode, " in qa" in done.stdout) == (0, True), done.stderr
    assert run("why", "nothing", "qa", url=address, token=rea).returncode == 5
    assert run("why", "--checkout", ".").returncode == 2
    assert json.loads(run("why", "-p", "7", "-o", "json", url=address, token=rea).stdout)["verb"] == "why"


def test_the_other_names_of_a_verb_work_and_are_not_listed(served: Served, address: str) -> None:
    done = run("close", "-p", "7", "--dry-run", url=address, token=served.tokens["wes"])
    assert (done.returncode, done.stdout) == (0, "Would: It is closed.\n")
    assert " remove-hold " not in run("--help").stdout


def test_answers_in_every_form(served: Served, address: str) -> None:
    rea = served.tokens["rea"]
    texts = {form: run("whoami", "-o", form, url=address, token=rea) for form in ("text", "json", "yaml", "markdown", "csv")}
    assert {done.returncode for done in texts.values()} == {0}
    assert "qa: viewer" in texts["text"].stdout
    assert "qa: *viewer*" in texts["markdown"].stdout
    assert json.loads(texts["json"].stdout) == yaml.safe_load(texts["yaml"].stdout)
    assert next(csv.reader(texts["csv"].stdout.splitlines())) == ["outcome", "told"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["ping"], "pong"),
        (["hold", "--reason", "x", "-p", "7", "--dry-run"], "Would: This pull request is held."),
        (["ask", "hold", "--reason", "x", "-p", "7", "--dry-run"], "Would: This pull request is held."),
        (["freeze", "qa", "--until", "1h", "--reason", "x", "--dry-run"], ""),
    ],
)
def test_a_dry_run_stores_nothing(served: Served, address: str, line: list[str], told: str) -> None:
    before = served.orders()
    done = run(*line, url=address, token=served.tokens["ana"])
    assert (done.returncode, done.stdout.startswith(told)) == (0, True), done.stderr
    assert served.orders() == before


@pytest.mark.parametrize("line", ["aprove", "get nothing", "plan --nope", "wait 7", "wait promotion/7 --timeout soon"])
def test_every_mistake_has_three_lines_or_is_json(line: str) -> None:
    done = run(*line.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert [told.partition(":")[0] for told in done.stderr.splitlines()] == ["error", "why", "fix"]
    assert "Value error" not in done.stderr
    as_json = run(*line.split(), "-o", "json")
    assert (as_json.returncode, set(json.loads(as_json.stderr))) == (2, {"error", "why", "fix", "exit_code"})


def test_without_anything_the_help_is_printed() -> None:
    done = run()
    assert (done.returncode, done.stderr.startswith("Usage: ")) == (2, True)


def test_a_reader_who_leaves_is_no_fault() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", "from bot.cli.main import main; main()", "commands", "-o", "json"]
    done = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_an_interrupt_leaves_with_130(served: Served, address: str) -> None:
    environment = os.environ | {"PROMO_URL": address, "PROMO_TOKEN": served.tokens["rea"]}
    listens = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # a shell's background job begins deaf to it
    command = [sys.executable, "-u", "-c", f"{listens}; from bot.cli.main import main; main()", "wait", "promotion/7", "--every", "0.1"]
    waiting = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=6)
        waiting.send_signal(signal.SIGINT)
        out, told = waiting.communicate(timeout=20)
    finally:
        waiting.kill()
    assert (waiting.returncode, out, "Traceback" in told) == (130, "", False)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_has_its_completion(shell: str) -> None:
    assert "_PROMOTION_BOT_COMPLETE" in run("completion", shell).stdout


def test_a_shell_that_asks_is_told_the_verbs() -> None:
    asked = {"COMP_WORDS": "promotion-bot appr", "COMP_CWORD": "1", "_PROMOTION_BOT_COMPLETE": "complete_bash"}
    command = [sys.executable, "-c", "import sys; sys.argv[0] = 'promotion-bot'; from bot.cli.main import main; main()"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | asked, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["approve"]


def test_no_colour_goes_into_a_pipe(served: Served, address: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm-256color"}
    for line in (["--help"], ["get", "stages"], ["aprove"]):
        command = [sys.executable, "-c", "from bot.cli.main import main; main()", *line]
        told = environment | {"PROMO_URL": address, "PROMO_TOKEN": served.tokens["rea"]}
        done = subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, check=False)
        assert "\x1b" not in done.stdout + done.stderr


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


def test_everything_that_can_be_listed(served: Served, address: str) -> None:
    rea, parts = served.tokens["rea"], served.bot.parts
    now = parts.clock()
    parts.history.save_health("qa", builders.health("1.0.0", since=now), now=now)
    banned = Quarantine(
        stage="qa", service="payments", release=builders.release("0.9.0"), at=now, reason="crash loop", promotion=builders.promotion().id
    )
    parts.history.save_quarantine(banned, now=now)
    parts.delivery.save_incident(Incident(id="api:1", source="api", at=now, stage="qa", service="payments", cause="=disk"))
    parts.delivery.save_incident(Incident(id="api:2", source="api", at=now, stage="dev", service="secret", cause="hidden"))
    for line in ('freeze qa --until 2d --reason "stock taking"', "veto payments@2.0.0 --reason broken", "hold --reason wait"):
        assert served.run("ana", line, promotion=7).status_code == 200, line

    def listed(*words: str) -> list[dict[str, Any]]:
        done = run("get", *words, "-o", "json", url=address, token=rea)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["apiVersion"] == "promotion-bot/v1"
        return list(found["items"])

    [service] = listed("services")
    [place] = service["stages"]
    assert (service["service"], place["stage"], place["version"], place["state"]) == ("payments", "qa", "1.0.0", "healthy")
    assert (place["promotion"]["number"], place["promotion"]["to"]) == (7, "1.1.0")
    assert {(one["version"], one["state"]) for one in listed("versions")} == {("1.0.0", "healthy"), ("0.9.0", "quarantined")}
    assert {one["order"] for one in listed("orders")} == {"freeze", "veto", "hold", "quarantine"}
    assert [(one["stage"], one["frozen"], one["reason"]) for one in listed("freezes")] == [("qa", True, "stock taking")]
    assert [(one["id"], one["state"]) for one in listed("incidents")] == [("api:1", "open")], "dev is not hers to see"
    assert listed("incidents", "--state", "recovered") == listed("versions", "--service", "other") == []
    assert listed("services", "--stage", "dev") == []
    board = run("get", "board", url=address, token=rea).stdout.splitlines()
    assert board[0].split() == ["service", "team", "qa"]
    assert board[1].startswith("payments")
    assert "1.0.0 healthy, #7 to 1.1.0: " in board[1]
    assert run("get", "incidents", "-o", "csv", url=address, token=rea).stdout.splitlines()[1].endswith(",'=disk")
    assert run("get", "orders", "-o", "markdown", url=address, token=rea).stdout.startswith("| order | by | stage | service |")
    assert yaml.safe_load(run("get", "freezes", "-o", "yaml", url=address, token=rea).stdout)["kind"] == "FreezeList"


def test_commands_as_json_is_the_list() -> None:
    done = run("commands", "--output", "json")
    assert json.loads(done.stdout) == as_rows() == yaml.safe_load(run("commands", "-o", "yaml").stdout)
    assert {frozenset(row) for row in as_rows()} == {frozenset({"verb", "aliases", "role", "arguments", "surfaces", "help"})}
    assert [row["verb"] for row in csv.DictReader(run("commands", "-o", "csv").stdout.splitlines())] == list(verbs())
    assert "approve" in run("commands").stdout


def test_every_verb_for_the_command_line_is_there() -> None:
    told = run("--help").stdout
    for verb in verbs().values():
        assert (Surface.CLI in verb.spec.surfaces) is (f" {verb.spec.verb} " in told), verb.spec.verb


@pytest.mark.parametrize(
    "word",
    ["x", "", "two words", 'a"b', "back\\slash", "--reason=two words", "--reason=x", "tab\tx", "*", "a@1.0", "say “hello you” twice", "“x"],
)
def test_a_word_of_the_shell_stays_one_word(word: str) -> None:
    call = parse(f"hold {quoted('--reason=' + word)}", verbs()) if not word.startswith("--") else parse(f"hold {quoted(word)}", verbs())
    if word:
        assert isinstance(call, Call)
        assert call.flags["reason"] == word.removeprefix("--reason=")


def test_wait_does_not_guess_which_of_two_is_meant(served: Served, address: str) -> None:
    history, now = served.bot.parts.history, served.bot.parts.clock()
    twin = replace(builders.promotion(stage="dev", id="twin"), state=PromotionState.HEALTHY, version=0)
    history.save_promotion(twin, why="test", actor="test", now=now)
    refused = run("wait", "promotion/7", url=address, token=served.tokens["ana"])
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "#7 is a promotion in each of" in refused.stderr
    assert "--in " in refused.stderr
    assert run("wait", "promotion/7", "--in", "dev", url=address, token=served.tokens["ana"]).returncode == 0
