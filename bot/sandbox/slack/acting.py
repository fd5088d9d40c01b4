"""People in the workspace: they type slash commands, press buttons, submit views, mention the app.

Decides the payloads that Slack would send and signs them as Slack does. They go to the app's request URL, or through
Socket Mode where no URL is set and an app is connected.
"""

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx

from bot.sandbox.slack.replies import Replies
from bot.sandbox.slack.server import SlackServer
from bot.sandbox.slack.workspace import APP, DOMAIN, TEAM, Channel, Message, Obj, Workspace

PATIENCE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """How the app took a request: HTTP status (0: it never came), the body, how many seconds it took."""

    status: int
    body: str
    seconds: float

    @property
    def in_time(self) -> bool:
        """Slack shows an error to the user after three seconds."""
        return self.status == 200 and self.seconds <= PATIENCE


def signature(secret: str, at: str, body: bytes) -> str:
    """`X-Slack-Signature` of a body."""
    return "v0=" + hmac.new(secret.encode(), b"v0:" + at.encode() + b":" + body, hashlib.sha256).hexdigest()


class People:
    """Acts as members of the workspace. `request_url` is the app's address for commands, buttons and events alike, unless
    `urls` names one for "command", "interactive" or "event"."""

    def __init__(self, workspace: Workspace, server: SlackServer, replies: Replies, now: Callable[[], float] = time.time) -> None:
        self.workspace, self.server, self.replies, self.now = workspace, server, replies, now
        self.request_url = ""
        self.urls: dict[str, str] = {}

    def slash(self, user: str, channel: str, command: str, text: str = "") -> Ack:
        """`/command text`, typed by a user (id or name) in a channel (id or name)."""
        who, where = self._user(user), self._channel(channel)
        key = self.replies.open(where.id, who["id"])
        form = {
            "token": "deprecated",
            "team_id": who["team_id"],
            "team_domain": DOMAIN,
            "channel_id": where.id,
            "channel_name": where.name,
            "user_id": who["id"],
            "user_name": who["name"],
            "command": command if command.startswith("/") else f"/{command}",
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": f"{self.server.url}/response/{key}",
            "trigger_id": self.workspace.trigger(who["id"]),
        }
        ack = self._deliver("command", "slash_commands", form, urlencode(form).encode())
        self._immediate(ack, where.id, who["id"])
        return ack

    def press(self, user: str, message: Message, action_id: str, *, value: str | None = None) -> Ack:
        """Presses the button with this action id (and value, where several have the id) in a message."""
        who = self._user(user)
        block_id, element = self._element(message, action_id, value)
        key = self.replies.open(message.channel, who["id"], message)
        action = {name: element[name] for name in ("action_id", "type", "text", "value", "style", "url") if name in element}
        container: Obj = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": message.channel,
            "is_ephemeral": message.ephemeral_for is not None,
        }
        shown: Obj = {"type": "message", "ts": message.ts, "text": message.text, "blocks": message.blocks, "user": message.user}
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
            shown["thread_ts"] = message.thread_ts
        if message.metadata:
            shown["metadata"] = message.metadata
        payload = self._common("block_actions", who) | {
            "container": container,
            "channel": {"id": message.channel, "name": self.workspace.channels[message.channel].name},
            "message": shown,
            "state": {"values": {}},
            "response_url": f"{self.server.url}/response/{key}",
            "actions": [action | {"block_id": block_id, "action_ts": self.workspace.timestamp()}],
        }
        return self._interact(payload)

    def submit(self, user: str, view_id: str, values: dict[str, dict[str, Obj]]) -> Ack:
        """Submits a view; `values` by block id and action id."""
        who, known = self._user(user), self.workspace.views[view_id]
        view = known.view | {"id": known.id, "hash": known.hash, "team_id": TEAM, "app_id": APP, "state": {"values": values}}
        return self._interact(self._common("view_submission", who) | {"view": view, "response_urls": []})

    def shortcut(self, user: str, callback_id: str, message: Message | None = None) -> Ack:
        """A global shortcut, or one on a message."""
        who = self._user(user)
        payload = self._common("message_action" if message else "shortcut", who) | {"callback_id": callback_id}
        if message is not None:
            key = self.replies.open(message.channel, who["id"], message)
            payload |= {
                "message": {"type": "message", "ts": message.ts, "text": message.text, "user": message.user},
                "channel": {"id": message.channel, "name": self.workspace.channels[message.channel].name},
                "message_ts": message.ts,
                "response_url": f"{self.server.url}/response/{key}",
            }
        return self._interact(payload)

    def event(self, kind: str, user: str, **more: object) -> Ack:
        """An event of the Events API, such as app_mention or app_home_opened."""
        who = self._user(user)
        payload = {
            "token": "deprecated",
            "team_id": TEAM,
            "api_app_id": APP,
            "event": {"type": kind, "user": who["id"], "event_ts": self.workspace.timestamp()} | more,
            "type": "event_callback",
            "event_id": f"Ev{self.workspace.number():08d}",
            "event_time": int(self.now()),
            "authorizations": [],
        }
        return self._deliver("event", "events_api", payload, json.dumps(payload).encode(), kind="application/json")

    def replay(self, body: bytes, at: str, sign: str, *, url: str = "", kind: str = "application/x-www-form-urlencoded") -> Ack:
        """Sends exactly these bytes with exactly this timestamp and signature: forged or old requests."""
        return _post(url or self.request_url, body, {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": sign, "Content-Type": kind})

    def _common(self, kind: str, who: Obj) -> Obj:
        return {
            "type": kind,
            "user": {"id": who["id"], "username": who["name"], "name": who["name"], "team_id": who["team_id"]},
            "api_app_id": APP,
            "token": "deprecated",
            "trigger_id": self.workspace.trigger(who["id"]),
            "team": {"id": who["team_id"], "domain": DOMAIN},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _interact(self, payload: Obj) -> Ack:
        return self._deliver("interactive", "interactive", payload, urlencode({"payload": json.dumps(payload)}).encode())

    def _deliver(self, purpose: str, envelope: str, payload: Obj, body: bytes, *, kind: str = "application/x-www-form-urlencoded") -> Ack:
        url = self.urls.get(purpose) or self.request_url
        if url:
            at = str(int(self.now()))
            sign = signature(self.workspace.signing_secret, at, body)
            return _post(url, body, {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": sign, "Content-Type": kind})
        envelope_id, began = str(uuid.uuid4()), time.monotonic()
        sent = self.server.send({"envelope_id": envelope_id, "type": envelope, "payload": payload, "accepts_response_payload": True})
        while sent and time.monotonic() - began < PATIENCE:
            if (answer := self.server.answers.pop(envelope_id, None)) is not None:
                return Ack(status=200, body=json.dumps(answer.get("payload") or ""), seconds=time.monotonic() - began)
            time.sleep(0.005)
        return Ack(status=0, body="no request URL is set and no app took it by Socket Mode", seconds=time.monotonic() - began)

    def _immediate(self, ack: Ack, channel: str, user: str) -> None:
        """The answer in the acknowledgement itself: text or JSON."""
        if ack.status != 200 or not ack.body.strip():
            return
        try:
            read = json.loads(ack.body)
        except ValueError:
            read = {"text": ack.body}
        if isinstance(read, dict):
            self.replies.show(channel, user, read)

    def _user(self, named: str) -> Obj:
        found = self.workspace.users.get(named) or next((one for one in self.workspace.users.values() if one["name"] == named), None)
        if found is None:
            raise KeyError(f"nobody is called {named!r} in the sandbox's workspace")
        return found

    def _channel(self, named: str) -> Channel:
        found = self.workspace.channel(named)
        if found is None:
            raise KeyError(f"no channel is called {named!r} in the sandbox's workspace")
        return found

    def _element(self, message: Message, action_id: str, value: str | None) -> tuple[str, Obj]:
        for place, block in enumerate(message.blocks):
            accessory = [block["accessory"]] if isinstance(block.get("accessory"), dict) else []
            for element in [*accessory, *(block.get("elements") or [])]:
                if element.get("action_id") == action_id and value in (None, element.get("value")):
                    return str(block.get("block_id") or f"b{place}"), element
        raise KeyError(f"no button {action_id!r} in the message {message.ts}")


def _post(url: str, body: bytes, headers: dict[str, str]) -> Ack:
    began = time.monotonic()
    try:
        answer = httpx.post(
            url, content=body, headers=headers | {"User-Agent": "Slackbot 1.0 (sandbox)"}, timeout=PATIENCE * 3, trust_env=False
        )
    except httpx.HTTPError as error:
        return Ack(status=0, body=type(error).__name__, seconds=time.monotonic() - began)
    return Ack(status=answer.status_code, body=answer.text, seconds=time.monotonic() - began)
