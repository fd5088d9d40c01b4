"""A Slack workspace in memory: people, channels, messages, files, views, and the tokens that reach them.

Decides ids and timestamps, and what is found by them. What a Web API method answers is `methods`; how people press
and type is `acting`.
"""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Obj = dict[str, Any]
TEAM, DOMAIN, APP = "T0SANDBOX", "acme-sandbox", "A0SANDBOX"
BOT_USER, BOT = "U0BOT", "B0BOT"


@dataclass(slots=True, kw_only=True)
class Channel:
    """A channel or a direct message; `members` are user ids."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    is_im: bool = False
    is_private: bool = False
    is_archived: bool = False


@dataclass(slots=True, kw_only=True)
class Message:
    """One message; `ephemeral_for` is the user who alone sees it; times are Slack's `seconds.micros` texts."""

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Obj] = field(default_factory=list)
    attachments: list[Obj] = field(default_factory=list)
    metadata: Obj | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    edited: str | None = None
    ephemeral_for: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class File:
    """An upload; `done` once it was completed."""

    id: str
    name: str
    title: str = ""
    alt: str = ""
    content: bytes = b""
    done: bool = False


@dataclass(slots=True, kw_only=True)
class View:
    """A modal or a home tab that the app opened for a user."""

    id: str
    user: str
    view: Obj
    hash: str


@dataclass(slots=True, kw_only=True)
class Call:
    """One request to the Web API, for counting: method, when, whether it was ok."""

    method: str
    at: datetime
    ok: bool
    arguments: Obj


@dataclass(slots=True)
class Workspace:
    """Everything in it. Hold `lock` around several calls."""

    clock: Callable[[], datetime]
    lock: threading.RLock = field(default_factory=threading.RLock)
    users: dict[str, Obj] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    files: dict[str, File] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    triggers: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    bot_token: str = field(default_factory=lambda: f"xoxb-sandbox-{secrets.token_hex(12)}")
    app_token: str = field(default_factory=lambda: f"xapp-sandbox-{secrets.token_hex(12)}")
    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    _count: int = 0

    def __post_init__(self) -> None:
        self.add_user("promotion-bot", id=BOT_USER, is_bot=True)
        self.add_channel("general")

    def number(self) -> int:
        """The next number; every id and timestamp has its own."""
        self._count += 1
        return self._count

    def add_user(self, name: str, *, id: str = "", is_bot: bool = False, **more: Any) -> str:
        """A member; answers the id. `more`: is_restricted, is_ultra_restricted, team_id, deleted ..."""
        with self.lock:
            known = next((user["id"] for user in self.users.values() if user["name"] == name), None)
            user_id = known or id or f"U{self.number():08d}"
            self.users[user_id] = {
                "id": user_id,
                "team_id": TEAM,
                "name": name,
                "real_name": name,
                "deleted": False,
                "is_bot": is_bot,
                "is_restricted": False,
                "is_ultra_restricted": False,
                "tz": "Europe/Berlin",
                "profile": {"real_name": name, "display_name": name},
            } | more
            return user_id

    def add_channel(self, name: str, *, member: bool = True, private: bool = False) -> str:
        """A channel; answers its id. `member`: the app is in it."""
        with self.lock:
            known = next((channel for channel in self.channels.values() if channel.name == name.lstrip("#")), None)
            if known is not None:
                return known.id
            made = Channel(id=f"C{self.number():08d}", name=name.lstrip("#"), is_private=private)
            made.members = {BOT_USER} if member else set()
            self.channels[made.id] = made
            return made.id

    def channel(self, named: str) -> Channel | None:
        """A channel by id, by name, or the direct message with a user by the user's id."""
        with self.lock:
            if named in self.channels:
                return self.channels[named]
            if named in self.users:
                return self.direct(named)
            return next((channel for channel in self.channels.values() if channel.name == named.lstrip("#") and named), None)

    def direct(self, user: str) -> Channel:
        """The direct message between the app and a user."""
        with self.lock:
            channel_id = f"D{user[1:]}"
            if channel_id not in self.channels:
                name = f"@{self.users[user]['name']}"
                self.channels[channel_id] = Channel(id=channel_id, name=name, members={BOT_USER, user}, is_im=True)
            return self.channels[channel_id]

    def timestamp(self) -> str:
        """The next message's `ts`; grows always."""
        with self.lock:
            return f"{int(self.clock().timestamp())}.{self.number():06d}"

    def add(self, message: Message) -> Message:
        """Puts a message into its channel."""
        with self.lock:
            self.messages.append(message)
            return message

    def find(self, channel: str, ts: str) -> Message | None:
        """A message by channel id and ts."""
        with self.lock:
            return next((message for message in self.messages if (message.channel, message.ts) == (channel, ts)), None)

    def trigger(self, user: str) -> str:
        """A trigger id for `views.open`: good for three seconds."""
        with self.lock:
            made = f"{self.number()}.{secrets.token_hex(8)}"
            self.triggers[made] = (self.clock(), user)
            return made


def shown(workspace: Workspace, message: Message, *, metadata: bool = False) -> Obj:
    """A message as the Web API returns it."""
    own = message.user == BOT_USER
    body: Obj = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text, "team": TEAM}
    if own:
        body |= {"bot_id": BOT, "app_id": APP}
    if message.blocks:
        body["blocks"] = message.blocks
    if message.attachments:
        body["attachments"] = message.attachments
    if message.edited:
        body["edited"] = {"user": message.user, "ts": message.edited}
    if message.thread_ts:
        body["thread_ts"] = message.thread_ts
    replies = [one for one in workspace.messages if one.thread_ts == message.ts and one.ts != message.ts and one.channel == message.channel]
    if replies:
        body |= {"thread_ts": message.ts, "reply_count": len(replies), "latest_reply": replies[-1].ts}
    if message.reactions:
        body["reactions"] = [{"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()]
    if message.files:
        files = [workspace.files[one] for one in message.files]
        body["files"] = [{"id": one.id, "name": one.name, "title": one.title, "alt_txt": one.alt} for one in files]
    if metadata and message.metadata:
        body["metadata"] = message.metadata
    return body
