"""Slash commands and buttons, by HTTP and by Socket Mode: the same line, the same desk, the same answer."""

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


def test_hold_and_why(world: SlackWorld) -> None:
    promotion = world.opened()
    card = world.card(promotion)
    with world.by_http():
        world.slack.press("ana", card, slack_buttons.HOLD)
        assert "is held" in world.answer("ana")
        [order] = world.orders()
        assert (order.order, order.number) == (Order.HOLD, promotion.number)
        world.slack.press("ana", card, slack_buttons.WHY)
        assert "nothing to tell" in world.answer("ana", after=1)


def test_a_double_click_is_one_click(world: SlackWorld) -> None:
    card = world.card(world.opened())
    with world.by_http():
        acks = [world.slack.press("ana", card, slack_buttons.HOLD) for _ in range(3)]
        assert all(ack.in_time for ack in acks)
        assert "is held" in world.answer("ana")
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
