"""The HTTP interface of a whole bot on the sandbox forge: nobody without a token, nothing without a right, the same verbs as elsewhere."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import web
from bot.commands.grammar import parse
from bot.commands.model import Call
from bot.commands.shelf import as_rows, verbs
from bot.domain.directive import Order
from bot.messages import slack_buttons
from bot.reconcile import labelling, pressing
from bot.web.api import PUBLIC
from tests.contract.people.api_world import Served

OUTSIDE = frozenset({"/healthz", "/readyz", "/metrics", "/api/openapi.json"})
"""Routes that tell nothing that is private."""
PROVEN = {
    "/webhooks/github": 401,
    "/slack/events": 401,
    "/link/slack/back": 400,
    "/link/slack/{link}": 400,
    "/api/v1/artifacts": 401,
    "/webhooks/registry/{secret}": 404,
    "/api/v1/incidents": 404,
    "/webhooks/alertmanager": 404,
    "/webhooks/pagerduty": 404,
}
"""Routes with a proof of their own (a signature, a token of the configuration, a link that is used once), and what they answer without."""
LISTS = ("promotions", "stages", "services", "versions", "orders", "freezes")
OWN = frozenset({"/api/v1/commands/run", *(f"/api/v1/{name}" for name in LISTS)})
"""Routes that ask for a GitHub token. What others bring is guarded by a proof of its own, and not there where it is switched off."""


def test_every_route_is_known_and_every_one_that_is_not_public_asks_who_is_there(served: Served) -> None:
    described = served.client.get("/api/openapi.json").json()["paths"]
    paths = {(method.upper(), path) for path, methods in described.items() for method in methods}
    assert {path for _, path in paths} == (OUTSIDE | PUBLIC | OWN | PROVEN.keys()) - {"/api/openapi.json"}
    decorated = sum(len(re.findall(r"@routes\.[a-z]+\(", file.read_text())) for file in Path(web.__file__).parent.glob("*.py"))
    assert len(paths) == decorated, "a route stands in the code that the description hides"
    for method, path in sorted(paths):
        if path in OUTSIDE or path in PUBLIC:
            continue
        answer = served.client.request(method, path, json={"line": "help"} if method == "POST" else None)
        own = path in OWN or (method, path) == ("GET", "/api/v1/incidents")
        assert answer.status_code == (401 if own else PROVEN[path]), (method, path)


def test_every_button_is_a_verb_of_the_table_and_goes_the_same_way() -> None:
    pressed = slack_buttons.Pressed(stage="qa", number=7, head="3f2c1ab", moves=(("payments", "1.0.0", "1.1.0"),))
    lines = [line for action in slack_buttons.ACTIONS for line in slack_buttons.lines(action, pressed)]
    assert len(lines) == len(slack_buttons.ACTIONS)
    lines += [*pressing.LINES.values()]
    calls = [parse(line, verbs()) for line in lines] + [call for label in labelling.INPUTS for call in (label.on, label.off)]
    for call in calls:
        assert isinstance(call, Call), call
        assert call.verb in LINES


def test_the_list_of_commands_is_public_and_the_same_as_the_command_line_prints(served: Served) -> None:
    answer = served.client.get("/api/v1/commands")
    assert answer.status_code == 200
    assert answer.json() == as_rows()
    for row in answer.json():
        assert list(row) == ["verb", "aliases", "role", "arguments", "surfaces", "help"]


def test_ping_tells_what_its_help_promises(served: Served) -> None:
    helped = verbs()["ping"].spec.help
    told = served.run("rea", "ping").json()["told"]
    for promised, line in (
        ("version", "- version: "),
        ("last heard an event", "- last event: none yet"),
        ("rate limit", "- rate limit left: core "),
    ):
        assert promised in helped
        assert line in told, told


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer not-a-token", "Bearer a b", "Bearer \u00e4".encode("latin-1"), "Bearer " + "x" * 5_000],
)
def test_no_token_no_answer(served: Served, header: str) -> None:
    answer = served.client.post("/api/v1/commands/run", json={"line": "whoami"}, headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.json()["problem"] == "unauthorised"


LINES = {
    "approve": "approve",
    "cancel": "cancel",
    "disable": "disable",
    "enable": "enable",
    "freeze": "freeze qa --until 1h --reason x",
    "hold": "hold --reason x",
    "merge": "merge cancel",
    "next": "next",
    "override": "override cancel upstream",
    "pin": "pin payments@1.0.0 qa --reason x",
    "rebase": "rebase",
    "retry": "retry payments qa",
    "rollback": "rollback payments qa --to 0.9.0 --reason x",
    "sync": "sync qa",
    "to": "to qa payments",
    "unapprove": "unapprove",
    "unfreeze": "unfreeze qa",
    "unhold": "unhold",
    "unpin": "unpin payments qa",
    "unveto": "unveto payments@1.1.0 qa",
    "veto": "veto payments@1.1.0 qa --reason x",
    "status": "status payments qa",
    "why": "why payments qa",
    "queue": "queue qa",
    "help": "help",
    "link": "link",
    "whoami": "whoami",
    "ping": "ping",
}


def test_every_verb_is_in_the_table() -> None:
    assert LINES.keys() == verbs().keys()


@pytest.mark.parametrize("verb", LINES)
def test_a_stranger_may_nothing(served: Served, verb: str) -> None:
    before = served.orders()
    answer = served.run("sam", LINES[verb], promotion=7)
    assert (answer.status_code, answer.json()["exit_code"]) == (403, 4), answer.json()
    assert served.orders() == before
    assert "payments-secret" not in answer.text


@pytest.mark.parametrize("verb", [verb for verb in LINES if verbs()[verb].spec.role.rank > 0])
def test_a_reader_orders_nothing(served: Served, verb: str) -> None:
    before = served.orders()
    answer = served.run("rea", LINES[verb], promotion=7)
    assert answer.json()["outcome"] == "refused", answer.json()
    assert served.orders() == before


def test_strangers_see_nothing_and_readers_their_stages(served: Served) -> None:
    assert served.get("/stages", "sam").json()["items"] == []
    assert served.get("/promotions", "sam").json()["items"] == []
    assert [item["stage"] for item in served.get("/stages", "rea").json()["items"]] == ["qa"]
    [item] = served.get("/promotions?number=7", "rea").json()["items"]
    assert (item["stage"], item["number"], item["state"], item["moves"][0]["to"]) == ("qa", 7, "open", "1.1.0")
    assert served.get("/promotions?number=8", "rea").json()["items"] == []


def test_an_order_is_stored_under_the_caller_s_name_once_per_id(served: Served) -> None:
    for _ in range(3):
        answer = served.run("wes", "hold --reason later", promotion=7, id="abc")
        assert answer.status_code == 200, answer.text
    assert served.orders().count((Order.HOLD, "api-wes")) == 1
    dry = served.run("mia", "unhold", promotion=7, dry_run=True).json()
    assert (dry["outcome"], dry["dry_run"]) == ("done", True)
    assert (Order.HOLD, "api-wes") in served.orders()
    assert served.run("mia", "unhold", promotion=7).json()["told"] == "Lifted the hold of @api-wes."
    assert (Order.HOLD, "api-wes") not in served.orders()


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({}, 422, "'line'"),
        ({"line": ""}, 422, "'line'"),
        ({"line": 5}, 422, "must be a text"),
        ({"line": "hold", "promotion": True}, 422, "number"),
        ({"line": "hold", "promotion": -1}, 422, "number"),
        ({"line": "approve", "promotion": 99}, 404, "#99"),
        ({"line": "approve", "promotion": 7, "stage": "nowhere"}, 404, "nowhere"),
        ({"line": "approve"}, 422, "is about one promotion"),
        ({"line": "aprove"}, 422, "Did you mean"),
        ({"line": "hold", "force": True}, 422, "'force'"),
        ({"line": 'hold --reason "a\0b"', "promotion": 7}, 422, "sign"),
        ({"line": 'hold --reason "a\ud800b"', "promotion": 7}, 422, "sign"),
        ({"line": "approve --sha 1234567", "promotion": 7}, 409, "The head is aaaaaaa now"),
        ({"line": "to qa nosuch"}, 404, "is no stage and no service"),
        ({"line": "hold --reason x\n/promote approve", "promotion": 7}, 422, "one line"),
    ],
)
def test_bad_requests_say_what_is_wrong(served: Served, body: dict[str, Any], status: int, told: str) -> None:
    answer = served.client.post("/api/v1/commands/run", content=json.dumps(body), headers=served.auth("ana"))
    assert (answer.status_code, told in answer.json()["told"]) == (status, True), answer.json()


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"line": "hold", "line": "x"}', b"\xff", b'"x"', b"null"])
def test_broken_bodies(served: Served, content: bytes) -> None:
    answer = served.client.post("/api/v1/commands/run", content=content, headers=served.auth("ana"))
    assert answer.status_code == 422
    assert answer.json()["problem"] == "usage"


def test_a_large_body_is_refused(served: Served) -> None:
    answer = served.client.post("/api/v1/commands/run", content=b"x" * 70_000, headers=served.auth("ana"))
    assert answer.status_code == 413


def test_no_token_is_ever_told(served: Served) -> None:
    for line in LINES.values():
        answer = served.run("ana", line, dry_run=True, promotion=7)
        assert not any(token in answer.text for token in served.tokens.values())


def test_whoami_says_role_and_origin(served: Served) -> None:
    told = served.run("wes", "whoami").json()["told"]
    assert "- qa: *operator* (everybody with write on the repository, default)" in told
    assert "- dev: *none*" in told


def test_b27_more_than_twenty_a_minute_are_turned_down(served: Served) -> None:
    served.clock.shift += timedelta(minutes=2)
    said = [served.client.post("/api/v1/commands/run", json={"line": "ping"}, headers=served.auth("mia")).status_code for _ in range(25)]
    assert said == [200] * 20 + [429] * 5
    served.clock.shift += timedelta(minutes=2)
    assert served.run("mia", "ping").status_code == 200


def test_who_may_read_one_stage_asks_for_all_and_sees_that_one(served: Served) -> None:
    assert served.run("rea", "status").status_code == 200
    assert served.run("rea", "status dev").status_code == 403
    assert served.run("sam", "status").status_code == 403


@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "authorization"])
def test_a_token_in_the_address_is_not_taken(served: Served, name: str) -> None:
    answer = served.client.get("/api/v1/stages", params={name: served.tokens["ana"]})
    assert answer.status_code == 401
    assert served.tokens["ana"] not in answer.text
