"""Slash commands and buttons, by HTTP and by Socket Mode: the same line, the same desk, the same answer."""

import json

import pytest

from bot.domain.directive import Order
from bot.messages import slack_buttons
from tests.contract.slack.slack_world import CHANNEL, SlackWorld, until


@pytest.fixture(params=["http", "socket"])
def way(request: pytest.FixtureRequest, world: SlackWorld):
    with world.by_http() if request.param == "http" else world.by_socket():
        yield request.param


def test_a_typed_approval_is_bound_to_the_head(world: SlackWorld, way: str) -> None:
    promotion = world.opened()
    ack = world.slack.slash("ana", CHANNEL, "/promote", f"approve #{promotion.number}")
    assert ack.in_time, ack
    assert "Approved" in world.answer("ana")
    [order] = world.orders()
    assert (order.order, order.head, order.number, order.source) == (Order.APPROVE, promotion.head, promotion.number, "slack")
    assert order.actor.login == "ana"
    assert world.woken == ["qa"]


def test_a_button_is_the_same_command_bound_to_the_head_beside_it(world: SlackWorld, way: str) -> None:
    promotion = world.opened()
    ack = world.slack.press("ana", world.card(promotion), slack_buttons.APPROVE)
    assert ack.in_time
    assert "Approved" in world.answer("ana")
    [order] = world.orders()
    assert (order.order, order.head, order.source) == (Order.APPROVE, promotion.head, "slack")


def test_service_and_stage_name_the_promotion(world: SlackWorld) -> None:
    promotion = world.opened()
    with world.by_http():
        world.slack.slash("ana", CHANNEL, "/promote", "approve payments qa")
        assert "Approved" in world.answer("ana")
        assert world.orders()[0].number == promotion.number


def test_an_approve_button_of_an_older_head_approves_nothing(world: SlackWorld) -> None:
    promotion = world.opened()
    card = world.card(promotion)
    buttons = card.blocks[0]["elements"]
    for button in buttons:
        if "value" in button:
            button["value"] = button["value"].replace(promotion.head, "0" * 40)
    with world.by_http():
        world.slack.press("ana", card, slack_buttons.APPROVE)
        assert "Look again" in world.answer("ana")
    assert world.orders() == []


@pytest.mark.parametrize("way", ["http", "socket"])
def test_hold_asks_why_and_is_answered_where_it_was_pressed(world: SlackWorld, way: str) -> None:
    promotion = world.opened()
    card = world.card(promotion)
    with world.by_http() if way == "http" else world.by_socket():
        world.slack.press("ana", card, slack_buttons.HOLD)
        assert world.give("ana", 'numbers\nlook "odd" --until 4h').in_time
        assert "is held" in world.answer("ana")
        [order] = world.orders()
        assert (order.order, order.number) == (Order.HOLD, promotion.number)
        assert (order.reason, order.until) == ('numbers look "odd" --until 4h', None)
        assert world.answers("ana")[0].channel == card.channel


def test_a_window_without_a_reason_stays_open_and_nothing_is_held(world: SlackWorld) -> None:
    card = world.card(world.opened())
    with world.by_http():
        world.slack.press("ana", card, slack_buttons.HOLD)
        ack = world.give("ana", " \n ")
        assert json.loads(ack.body) == {"response_action": "errors", "errors": {"reason": "Say why in a few words."}}
    assert world.orders() == []


def test_a_window_that_is_sent_twice_is_one_order(world: SlackWorld) -> None:
    card = world.card(world.opened())
    with world.by_http():
        world.slack.press("ana", card, slack_buttons.HOLD)
        for _ in range(3):
            world.give("ana", "x")
        assert "is held" in world.answer("ana")
        world.slack.slash("ana", CHANNEL, "/promote", "unhold #1")
        world.answer("ana", after=1)
        world.give("ana", "x")
        world.slack.slash("ana", CHANNEL, "/promote", "ping")
        world.answer("ana", after=2)
    assert [one.withdrawn_at is None for one in world.orders()] == [False]


def test_who_may_not_is_refused_when_the_window_is_sent(world: SlackWorld) -> None:
    card = world.card(world.opened())
    with world.by_http():
        world.slack.press("zoe", card, slack_buttons.HOLD)
        world.give("zoe", "mine")
        assert "was not applied" in world.answer("zoe")
    assert world.orders() == []


def test_a_window_that_does_not_open_keeps_nobody_from_holding(world: SlackWorld) -> None:
    card = world.card(world.opened())
    world.slack.fault("internal_error", method="views.open", times=5)
    with world.by_http():
        world.slack.press("ana", card, slack_buttons.HOLD)
        assert "is held" in world.answer("ana")
    assert [order.reason for order in world.orders()] == ["held with the button in Slack"]


def test_why_by_button(world: SlackWorld) -> None:
    card = world.card(world.opened())
    with world.by_http():
        world.slack.press("ana", card, slack_buttons.WHY)
        assert "nothing to tell" in world.answer("ana")


def test_a_double_click_is_one_click(world: SlackWorld) -> None:
    card = world.card(world.opened())
    with world.by_http():
        acks = [world.slack.press("ana", card, slack_buttons.APPROVE) for _ in range(3)]
        assert all(ack.in_time for ack in acks)
        assert "Approved" in world.answer("ana")
        world.slack.slash("ana", CHANNEL, "/promote", "ping")
        until(lambda: len(world.answers("ana")) >= 2)
    assert len(world.orders()) == 1
    assert len(world.answers("ana")) == 2


def test_somebody_without_a_role_is_told_which_one_and_who_has_it(world: SlackWorld) -> None:
    promotion = world.opened()
    with world.by_http():
        world.slack.press("zoe", world.card(promotion), slack_buttons.APPROVE)
        told = world.answer("zoe")
    assert "was not applied" in told
    assert "who can read" in told or "needs" in told
    assert world.orders() == []


def test_a_mistyped_command_is_answered_to_whoever_typed_it_alone(world: SlackWorld) -> None:
    with world.by_http():
        assert world.slack.slash("ana", CHANNEL, "/promote", "aprove #1").in_time
        assert "No promotion with the number #1" in world.answer("ana")
        world.slack.slash("ana", CHANNEL, "/promote", "aprove")
        assert "Did you mean" in world.answer("ana", after=1)
    assert all(message.ephemeral_for for message in world.slack.messages())


def test_help_is_what_this_person_may(world: SlackWorld) -> None:
    with world.by_http():
        world.slack.slash("ana", CHANNEL, "/promote", "")
        told = world.answer("ana")
    assert "/promote approve" in told
    assert "/promote link" in told
