"""People in the Slack sink, against Slack's own server library: commands, buttons and views, signed as Slack signs."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from slack_bolt import App
from slack_bolt.adapter.starlette import SlackRequestHandler
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from bot.sandbox.slack import SlackSandbox, signature
from bot.sandbox.slack.listener import Listener


@pytest.fixture
def slack() -> Iterator[SlackSandbox]:
    with SlackSandbox() as running:
        running.add_channel("releases")
        running.add_user("ana")
        yield running


@pytest.fixture
def heard(slack: SlackSandbox) -> Iterator[list[dict[str, Any]]]:
    """A bolt app that notes what it hears; its address is the workspace's request URL."""
    notes: list[dict[str, Any]] = []
    app = App(token=slack.bot_token, signing_secret=slack.signing_secret, process_before_response=True, token_verification_enabled=False)
    app.client.base_url = slack.api_url

    @app.command("/promote")
    def command(ack: Any, body: dict[str, Any], respond: Any) -> None:
        ack("noted")
        notes.append(body)
        respond(text="later", response_type="in_channel")

    @app.action("approve")
    def button(ack: Any, body: dict[str, Any], respond: Any) -> None:
        ack()
        notes.append(body)
        respond(text="approved", replace_original=True)

    @app.view("why")
    def view(ack: Any, body: dict[str, Any]) -> None:
        ack()
        notes.append(body)

    handler = SlackRequestHandler(app)

    async def endpoint(request: Request) -> Any:
        return await handler.handle(request)

    listener = Listener(Starlette(routes=[Route("/slack", endpoint, methods=["POST"])]), name="bolt")
    listener.start()
    slack.people.request_url = f"{listener.url}/slack"
    yield notes
    listener.stop()


def test_a_command_is_understood_and_answered(slack: SlackSandbox, heard: list[dict[str, Any]]) -> None:
    ack = slack.slash("ana", "releases", "/promote", "status payments")
    assert (ack.status, ack.in_time) == (200, True)
    assert (heard[0]["text"], heard[0]["user_name"], heard[0]["channel_name"]) == ("status payments", "ana", "releases")
    shown = {message.text: message.ephemeral_for for message in slack.messages("releases")}
    assert shown == {"noted": heard[0]["user_id"], "later": None}


def test_a_button_replaces_its_message(slack: SlackSandbox, heard: list[dict[str, Any]]) -> None:
    button = {"type": "button", "action_id": "approve", "value": "abc", "text": {"type": "plain_text", "text": "Approve"}}
    body = {"channel": "releases", "text": "approve?", "blocks": [{"type": "actions", "elements": [button]}]}
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    assert httpx.post(f"{slack.api_url}chat.postMessage", json=body, headers=headers, trust_env=False).json()["ok"]
    ack = slack.press("ana", slack.messages("releases")[0], "approve")
    assert ack.status == 200
    assert heard[0]["actions"][0]["value"] == "abc"
    assert [message.text for message in slack.messages("releases")] == ["approved"]


def test_a_view_is_opened_and_submitted(slack: SlackSandbox, heard: list[dict[str, Any]]) -> None:
    trigger = slack.workspace.trigger(slack.add_user("ana"))
    view = {"type": "modal", "callback_id": "why", "title": {"type": "plain_text", "text": "Why"}, "blocks": [{"type": "divider"}]}
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    opened = httpx.post(f"{slack.api_url}views.open", json={"trigger_id": trigger, "view": view}, headers=headers, trust_env=False).json()
    again = httpx.post(f"{slack.api_url}views.open", json={"trigger_id": trigger, "view": view}, headers=headers, trust_env=False).json()
    assert again == {"ok": False, "error": "invalid_trigger_id"}
    ack = slack.submit("ana", opened["view"]["id"], {"b": {"a": {"type": "plain_text_input", "value": "because"}}})
    assert ack.status == 200
    assert heard[0]["view"]["state"]["values"]["b"]["a"]["value"] == "because"


def test_a_forged_signature_is_refused_by_the_library(slack: SlackSandbox, heard: list[dict[str, Any]]) -> None:
    body = b"command=%2Fpromote&text=x"
    assert slack.people.replay(body, "1", signature(slack.signing_secret, "1", body)).status == 401
    assert heard == []


def test_the_signature_is_the_one_that_slack_documents() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
        b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
        b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    made = signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body)
    assert made == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    verifier = SignatureVerifier("8f742231b10e8888abcd99yyyzzz85a5")
    assert verifier.generate_signature(timestamp="1531420618", body=body) == made


def test_a_response_url_works_five_times(slack: SlackSandbox) -> None:
    channel = slack.add_channel("releases")
    key = slack._replies.open(channel, slack.add_user("ana"))
    address = f"{slack.url}/response/{key}"
    codes = [httpx.post(address, json={"text": str(n)}, trust_env=False).status_code for n in range(6)]
    assert codes == [200] * 5 + [404]


def test_a_slow_app_is_told_from_one_that_answers_in_time(slack: SlackSandbox) -> None:
    class Mute(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(500)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Mute)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    slack.people.request_url = f"http://127.0.0.1:{server.server_port}/"
    assert not slack.slash("ana", "releases", "/promote", "x").in_time
    server.shutdown()
    server.server_close()
    assert slack.slash("ana", "releases", "/promote", "x").status == 0


def test_socket_mode_carries_commands_where_no_address_is_set(slack: SlackSandbox) -> None:
    client = SocketModeClient(app_token=slack.app_token, web_client=WebClient(base_url=slack.api_url))
    heard: list[dict[str, Any]] = []

    def listen(socket: SocketModeClient, request: SocketModeRequest) -> None:
        heard.append(request.payload)
        socket.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload={"text": "noted"}))

    client.socket_mode_request_listeners.append(listen)  # type: ignore[arg-type]
    client.connect()
    ack = slack.slash("ana", "releases", "/promote", "status")
    client.close()
    assert (ack.status, heard[0]["text"]) == (200, "status")
    assert [message.text for message in slack.messages("releases")] == ["noted"]
    assert slack.slash("ana", "releases", "/promote", "status").status == 0
