"""Who and what is not listened to: forged, old and replayed requests, strangers, guests, look-alikes, foreign addresses."""

import json
from urllib.parse import urlencode

import pytest

from bot.messages import slack_buttons
from bot.sandbox.slack import signature
from bot.sandbox.slack.acting import Ack
from bot.sandbox.slack.workspace import TEAM
from tests.contract.slack.slack_world import CHANNEL, SlackWorld, until
from tests.support.far_side import answer, far_side, saying


def form(world: SlackWorld, user: str = "ana", text: str = "ping", **more: str) -> bytes:
    """A slash command as Slack sends it."""
    channel = world.slack.add_channel(CHANNEL)
    fields = {
        "team_id": TEAM,
        "channel_id": channel,
        "user_id": world.users.get(user, user),
        "command": "/promote",
        "text": text,
        "trigger_id": "1.1",
        "api_app_id": "A0SANDBOX",
    }
    return urlencode({**fields, **more}).encode()


def signed(world: SlackWorld, body: bytes, *, late: float = 0.0, secret: str | None = None) -> Ack:
    """The request, signed `late` seconds after now."""
    at = str(int(world.slack.people.now() + late))
    return world.slack.people.replay(body, at, signature(secret or world.slack.signing_secret, at, body))


@pytest.mark.parametrize(("late", "status"), [(-302, 401), (302, 401), (-297, 200), (297, 200)])
def test_c1_a_timestamp_counts_for_five_minutes(world: SlackWorld, late: float, status: int) -> None:
    with world.by_http():
        ack = signed(world, form(world), late=late)
    assert ack.status == status
    if status == 401:
        assert json.loads(ack.body)["reason"] == "stale"


@pytest.mark.parametrize("at", ["", "now", "1e9", "-1", "9" * 40, "0x10", "12.5"])
def test_a_timestamp_that_is_no_number_is_401_and_no_fault(world: SlackWorld, at: str) -> None:
    body = form(world)
    with world.by_http():
        ack = world.slack.people.replay(body, at, signature(world.slack.signing_secret, at, body))
    assert ack.status == 401
    assert world.answers("ana") == []


def test_c3_only_the_very_bytes_that_were_signed_count(world: SlackWorld) -> None:
    body = form(world, text="hold me")
    at = str(int(world.slack.people.now()))
    good = signature(world.slack.signing_secret, at, body)
    with world.by_http():
        for sent, sign in [
            (body.replace(b"hold+me", b"hold%20me"), good),
            (body, good[:-1] + ("0" if good[-1] != "0" else "1")),
            (body, good.removeprefix("v0=")),
            (body, ""),
            (body + b"&text=approve", good),
            (body, signature("another secret", at, body)),
        ]:
            ack = world.slack.people.replay(sent, at, sign)
            assert (ack.status, json.loads(ack.body)["reason"]) == (401, "signature")
        assert world.slack.people.replay(body, at, good).status == 200


def test_bytes_that_are_no_text_are_400(world: SlackWorld) -> None:
    with world.by_http():
        assert signed(world, b"text=\xff\xfe").status == 400


def test_a_body_that_is_too_large_is_not_read(world: SlackWorld) -> None:
    with world.by_http():
        assert signed(world, b"text=" + b"a" * (1 << 20)).status == 413


def test_a_replay_and_a_retry_change_nothing_twice_and_are_not_answered_twice(world: SlackWorld) -> None:
    promotion = world.opened()
    body = form(world, text=f"hold #{promotion.number} --reason again")
    with world.by_http():
        for _ in range(3):
            assert signed(world, body).status == 200
        until(lambda: bool(world.answers("ana")))
        world.slack.slash("ana", CHANNEL, "/promote", "ping")
        until(lambda: len(world.answers("ana")) >= 2)
    assert len(world.orders()) == 1
    assert len(world.answers("ana")) == 2


def test_c6_a_name_and_an_address_prove_nothing(world: SlackWorld) -> None:
    profile = {"real_name": "ana", "display_name": "ana", "email": "ana@acme.example"}
    world.users["double"] = world.slack.add_user("ana.", real_name="ana", profile=profile)
    promotion = world.opened()
    with world.by_http():
        world.slack.slash("ana.", CHANNEL, "/promote", f"approve #{promotion.number}")
        told = world.answer("double")
    assert "nobody knows which GitHub account" in told
    assert world.orders() == []


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"is_restricted": True}, "guests"),
        ({"is_ultra_restricted": True}, "guests"),
        ({"deleted": True}, "switched off"),
        ({"is_bot": True}, "bots"),
        ({"is_stranger": True}, "another workspace"),
        ({"team_id": "T0ELSEWHERE"}, "own workspace"),
    ],
)
def test_c8_guests_and_strangers_give_no_commands_even_when_they_are_on_the_map(
    world: SlackWorld, more: dict[str, object], why: str
) -> None:
    world.slack.workspace.users[world.users["ana"]].update(more)
    promotion = world.opened()
    with world.by_http():
        for deed in (
            lambda: world.slack.slash("ana", CHANNEL, "/promote", f"approve #{promotion.number}"),
            lambda: world.slack.press("ana", world.card(promotion), slack_buttons.APPROVE),
        ):
            before = len(world.answers("ana"))
            assert deed().in_time
            assert why in world.answer("ana", after=before)
    assert world.orders() == []


def test_c8_a_request_that_names_our_workspace_for_a_user_of_another_is_refused(world: SlackWorld) -> None:
    world.slack.workspace.users[world.users["ana"]]["team_id"] = "T0ELSEWHERE"
    with world.by_http():
        assert signed(world, form(world)).status == 200
        assert "another workspace" in world.answer("ana")


def test_c10_slack_is_answered_at_once_however_long_the_work_takes(world: SlackWorld) -> None:
    world.slack.fault("delay", method="users.info", seconds=3.5)
    with world.by_http():
        ack = world.slack.slash("ana", CHANNEL, "/promote", "ping")
        assert (ack.status, ack.seconds < 1.0) == (200, True)
        assert world.answers("ana") == []
        assert "pong" in world.answer("ana")


@pytest.mark.parametrize(
    "address", ["{evil}/collect", "http://hooks.slack.com.evil.example/x", "http://hooks.slack.com@127.0.0.1/x", "file:///etc/passwd"]
)
def test_c11_only_slacks_own_response_urls_are_called(world: SlackWorld, address: str) -> None:
    with far_side(saying(answer(b"ok"))) as evil, world.by_http():
        body = form(world, response_url=address.format(evil=evil.url))
        assert signed(world, body).status == 200
        assert "pong" in world.answer("ana")
        assert evil.asked == []
    assert [call.method for call in world.slack.calls("chat.postEphemeral")] == ["chat.postEphemeral"]


def test_a_button_that_is_none_of_ours_does_nothing_and_says_so(world: SlackWorld) -> None:
    card = world.card(world.opened())
    for button in card.blocks[0]["elements"]:
        button["value"] = '{"stage":"qa","number":"1"}'
    with world.by_http():
        assert world.slack.press("ana", card, slack_buttons.APPROVE).in_time
    assert world.orders() == []


def test_a_slack_that_cannot_say_who_somebody_is_refuses_him(world: SlackWorld) -> None:
    promotion = world.opened()
    world.slack.fault("status:500", method="users.info", times=5)
    with world.by_http():
        world.slack.slash("ana", CHANNEL, "/promote", f"approve #{promotion.number}")
        assert "Nothing was done" in world.answer("ana")
    assert world.orders() == []
