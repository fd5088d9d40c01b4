"""The buttons of the stage's check, pressed on the sandbox forge, told by its webhook, carried out by the desk."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.adapters.store.wakeups import Wakeups
from bot.domain.action import Show
from bot.domain.press import RERUN
from bot.messages.check_buttons import BUTTONS
from bot.reconcile import telling
from bot.reconcile.listening import Listener
from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.state import CheckRun
from bot.web.hints import hints_of
from bot.web.intake import Intake, StageMap, StagePlace
from tests.contract.people.desk_world import DeskWorld
from tests.contract.reconcile.stage_world import Crashed, DiesAt
from tests.support.github_schema import hook_errors
from tests.support.hook_sink import HookSink
from tests.support.web import Runs


class Checked:
    """A promotion whose check stands on the forge, and the intake that hears of presses."""

    def __init__(self, world: DeskWorld, sink: HookSink) -> None:
        self.world = world
        self._sink = sink
        self.runs = Runs()
        place = StagePlace(name="qa", repository=world.repo, branch="main")
        self.intake = Intake(
            world.database, Wakeups(world.database, self.runs), StageMap([place]), clock=world.clock, ours=world.forge.identity
        )
        world.read()
        self.show()

    def show(self) -> None:
        show = Show(
            promotion=self.world.open_promotion(),
            comment="### it waits",
            check_title="soak: it waits",
            check_summary="| gate |",
            conclusion="failure",
            labels=("promotion",),
        )
        telling.show(self.world.tools(), show)

    @property
    def run(self) -> CheckRun:
        [found] = self.world.hub.world.repository(self.world.repo).check_runs.values()
        return found

    def press(self, login: str, button: str) -> tuple[str, bytes]:
        """Press it, and wait for the webhook: its delivery id and body."""
        before = len(self._sink.received)
        self.world.hub.press_button(self.world.repo, self.run.id, login, button)
        for _ in range(250):
            for one in self._sink.received[before:]:
                if one.event == "check_run" and one.body["action"] in ("requested_action", "rerequested"):
                    [sent] = [item for item in self.world.hub.deliveries.log if item.guid == one.guid]
                    assert hook_errors(sent) == []
                    return one.guid, json.dumps(one.body).encode()
            time.sleep(0.02)
        raise AssertionError("the forge told nothing")

    def hear(self, guid: str, body: bytes) -> str:
        return asyncio.run(self.intake.accept("github", guid, hints_of("check_run", json.loads(body)), body))

    def pressed(self, login: str, button: str) -> None:
        assert self.hear(*self.press(login, button)) == "accepted"
        assert self.runs.stages[-1] == "qa"


@pytest.fixture
def checked(world: DeskWorld) -> Iterator[Checked]:
    sink = HookSink(secret="s")
    sink.start()
    world.hub.set_webhook(sink.url, "s")
    yield Checked(world, sink)
    world.hub.set_webhook(None, None)
    sink.stop()


def test_the_check_shows_three_buttons_within_github_s_limits_and_none_that_approves(checked: Checked) -> None:
    shown = [action["identifier"] for action in checked.run.actions]
    assert shown == ["explain", "hold", "retry"]
    for button in BUTTONS:
        assert (len(button.label) <= 20, len(button.description) <= 40, len(button.identifier) <= 20) == (True, True, True)
        assert not button.line.startswith("approve")


@pytest.mark.parametrize(("field", "size"), [("label", 21), ("description", 41), ("identifier", 21)])
def test_the_sandbox_refuses_what_github_refuses(checked: Checked, field: str, size: int) -> None:
    good = {"label": "a", "description": "b", "identifier": "c"}
    for actions in ([good | {field: "x" * size}], [good] * 4, [{name: text for name, text in good.items() if name != field}]):
        with pytest.raises(ApiError) as refused:
            checked.world.hub.set_check(checked.world.repo, checked.run.head_sha, "x", None, actions=actions)
        assert refused.value.status == 422


def test_hold_holds_and_says_nothing_more(checked: Checked) -> None:
    checked.pressed("wes", "hold")
    assert checked.world.listen().anything
    assert checked.world.orders() == [("hold", "wes")]
    assert checked.world.replies() == ["### it waits\n<!-- promotion-bot:status -->"]


def test_explain_answers_with_one_comment(checked: Checked) -> None:
    checked.pressed("rea", "explain")
    checked.world.listen()
    checked.world.listen()
    [_, why] = checked.world.replies()
    assert "It waits for @\u200bmia." in why


def test_retry_lets_in_again(checked: Checked) -> None:
    checked.pressed("wes", "retry")
    checked.world.listen()
    assert checked.world.orders() == [("retry", "wes")]


def test_who_may_not_is_told_once_and_nothing_changes(checked: Checked) -> None:
    checked.pressed("rea", "hold")
    checked.world.listen()
    checked.world.listener = Listener(checked.world.new_desk())
    checked.world.listen()
    assert checked.world.orders() == []
    [_, reply] = checked.world.replies()
    assert reply.startswith("@rea `hold --reason")
    assert "needs the role *operator*" in reply


def test_a_press_is_carried_out_once_however_often_it_is_told(checked: Checked) -> None:
    told = checked.press("wes", "hold")
    for _ in range(3):
        checked.hear(*told)
        checked.world.listen()
    checked.world.say("wes", "/promote unhold")
    checked.world.listen()
    checked.hear(*told)
    checked.world.listener = Listener(checked.world.new_desk())
    checked.world.listen()
    assert checked.world.orders() == []


def test_a_double_click_is_answered_once(checked: Checked) -> None:
    for _ in range(2):
        checked.pressed("rea", "explain")
    checked.world.listen()
    assert len(checked.world.replies()) == 2
    assert checked.world.history.presses("qa") == []


def test_the_same_button_may_be_pressed_again_later(checked: Checked) -> None:
    for _ in range(2):
        checked.pressed("rea", "explain")
        checked.world.listen()
        checked.world.clock.shift += timedelta(minutes=5)
    assert len(checked.world.replies()) == 3


def test_a_press_outlives_the_process_that_heard_it(checked: Checked) -> None:
    checked.pressed("wes", "hold")
    checked.world.listener = Listener(checked.world.new_desk())
    checked.world.listen()
    assert checked.world.orders() == [("hold", "wes")]


def test_run_again_looks_again_and_writes_the_check_once(checked: Checked) -> None:
    checked.show()
    before: datetime | None = checked.run.completed_at
    checked.world.clock.shift += timedelta(minutes=1)
    checked.pressed("rea", RERUN)
    assert checked.world.listen().anything
    checked.world.hub.ledger.reset()
    checked.show()
    checked.show()
    assert len(checked.world.hub.ledger.graphql) == 1
    assert before is not None
    assert checked.run.completed_at is not None
    assert checked.run.completed_at >= before
    assert checked.world.orders() == []


def test_run_all_again_of_a_commit_is_the_same(checked: Checked) -> None:
    guid, body = checked.press("rea", RERUN)
    told = json.loads(body)
    run = told.pop("check_run")
    told["check_suite"] = {"head_sha": run["head_sha"], "pull_requests": [], "app": run["app"]}
    raw = json.dumps(told).encode()
    assert asyncio.run(checked.intake.accept("github", guid, hints_of("check_suite", told), raw)) == "accepted"
    checked.world.listen()
    before = len(checked.world.hub.ledger.graphql)
    checked.show()
    assert len(checked.world.hub.ledger.graphql) == before + 1


@pytest.mark.parametrize(
    "change",
    [
        {"app": {"slug": "stranger"}},
        {"name": "promotion/prod"},
        {"head_sha": "0" * 40, "pull_requests": []},
    ],
)
def test_another_s_check_or_an_unknown_commit_means_nothing(checked: Checked, change: dict[str, Any]) -> None:
    guid, body = checked.press("wes", "hold")
    told = json.loads(body)
    told["check_run"] |= change
    checked.hear(guid, json.dumps(told).encode())
    checked.world.listen()
    assert checked.world.orders() == []
    assert checked.world.history.presses("qa") == []


def test_a_bot_presses_nothing(checked: Checked) -> None:
    guid, body = checked.press("wes", "hold")
    told = json.loads(body)
    told["sender"] |= {"type": "Bot", "id": 999_999, "login": "robo[bot]"}
    checked.hear(guid, json.dumps(told).encode())
    checked.world.listen()
    assert checked.world.orders() == []


def test_hold_on_a_pull_request_that_is_over_says_what_to_do(opened: Callable[..., DeskWorld], checked: Checked) -> None:
    checked.pressed("wes", "hold")
    checked.world.hub.close_pr(checked.world.repo, checked.world.number, "ana")
    checked.world.listen()
    assert checked.world.orders() == []
    assert "`hold qa --reason TEXT` holds the stage" in checked.world.replies()[-1]


POINTS = [f"{name}:{when}" for name in ("ordered", "replied") for when in ("before", "after", "saved")]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize(("login", "button", "orders", "replies"), [("wes", "hold", 1, 1), ("rea", "explain", 0, 2), ("rea", "hold", 0, 2)])
def test_a_process_that_dies_over_a_press_leaves_one_order_and_one_answer(
    checked: Checked, point: str, login: str, button: str, orders: int, replies: int
) -> None:
    world = checked.world
    checked.pressed(login, button)
    points = DiesAt(point)
    with contextlib.suppress(Crashed):
        world.listener.listen(world.tools(points), world.facts())
    assert points.died or point not in points.seen
    for _ in range(2):
        world.listener = Listener(world.new_desk())
        world.listen()
    assert (len(world.orders()), len(world.replies())) == (orders, replies)
    assert world.history.presses("qa") == []
