"""The window that asks for a reason: valid for Slack, bound to its button, and nothing but its own kind is taken back."""

import json
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.models.views import View

from bot.commands.grammar import parse
from bot.commands.model import Call
from bot.commands.shelf import verbs
from bot.domain.promotion import Move
from bot.messages import slack_buttons, slack_reason
from tests.support.builders import promotion, release
from tests.support.slack_blocks import check

ONE = replace(promotion(), number=7, head="f" * 40)


def opened(action: str, **more: Any) -> dict[str, Any]:
    found = slack_reason.window(action, slack_buttons.value(replace(ONE, **more)), channel="C0123456", thread="1.2")
    assert found is not None
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def sent(view: dict[str, Any], reason: object) -> dict[str, Any]:
    return {**view, "id": "V1", "state": {"values": {"reason": {"reason": {"type": "plain_text_input", "value": reason}}}}}


@pytest.mark.parametrize("action", slack_reason.ASKED)
@pytest.mark.parametrize("many", [1, 10, 40])
def test_slack_takes_the_window(action: str, many: int) -> None:
    moves = tuple(Move(service=f"service-{n}-{'x' * 30}", old=release("1.0.0"), new=release("1.1.0")) for n in range(many))
    view = opened(action, moves=moves)
    View(**view).validate_json()
    check([block for block in view["blocks"] if block["type"] == "section"])
    assert all(len(view[name]["text"]) <= 24 for name in ("title", "submit", "close"))
    assert len(view["private_metadata"]) <= 3_000


@pytest.mark.parametrize(("action", "verb"), [(slack_buttons.HOLD, "hold"), (slack_buttons.REVERT, "rollback")])
@pytest.mark.parametrize(
    "reason",
    ["odd numbers", 'a "quoted" \\ one', "--until 4h", "two\nlines\r\n", "$(id); `x`", "x" * 4_000, "say \u201chello you\u201d twice"],
)
def test_the_reason_is_one_flag_of_the_line_whatever_stands_in_it(action: str, verb: str, reason: str) -> None:
    given = slack_reason.read(sent(opened(action), reason))
    assert given is not None
    assert (given.channel, given.thread, given.pressed.number) == ("C0123456", "1.2", 7)
    [line] = given.lines
    call = parse(line, verbs())
    assert isinstance(call, Call), call
    assert (call.verb, call.flags["reason"]) == (verb, " ".join(reason.split())[: slack_reason.LONGEST])
    assert "until" not in call.flags


@pytest.mark.parametrize("reason", ["", "  \n ", None, 7, ["x"]])
def test_no_reason_is_none(reason: object) -> None:
    assert slack_reason.read(sent(opened(slack_buttons.HOLD), reason)) is None


@pytest.mark.parametrize(
    "metadata",
    ["", "null", "{", "[]", '{"action": "promotion_approve", "value": "{}", "channel": "", "thread": ""}', '{"action": 1}', "x" * 9_000],
)
def test_what_is_none_of_our_windows_is_none(metadata: str) -> None:
    assert slack_reason.read(sent({**opened(slack_buttons.HOLD), "private_metadata": metadata}, "x")) is None
    assert slack_reason.read({"private_metadata": metadata}) is None


def test_other_buttons_ask_for_nothing() -> None:
    for action in (slack_buttons.APPROVE, slack_buttons.WHY, "x"):
        assert slack_reason.window(action, slack_buttons.value(ONE), channel="", thread="") is None
    assert slack_reason.window(slack_buttons.HOLD, "nonsense", channel="", thread="") is None
