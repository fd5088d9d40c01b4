"""Tells people in Slack: one thread per promotion, each notice once, in the channel of the team, the stage, or everybody.

A message carries its key as Slack metadata, so that it is found again after a lost answer and never posted twice.
"""

import base64
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from bot.adapters.slack.errors import mapped
from bot.adapters.slack.roots import MOST_PAGES, PAGE, Roots
from bot.config.schema import Config, Slack
from bot.domain.action import Picture
from bot.domain.card import Card
from bot.domain.errors import Refused, TransientError, UserError
from bot.messages.slack import blocks, escape, fallback
from bot.messages.slack_card import card_blocks, card_text

EVENT = "promotion_bot_notice"
RANK = {"info": 0, "warning": 1, "critical": 2}
MOST_THREADS = 2_000
"""So many threads are kept in mind as they stand in Slack."""
READS = frozenset({"conversations.list", "conversations.history", "conversations.replies"})
"""Slack takes no JSON for these."""
REST = timedelta(seconds=5)
GONE = ("message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed", "channel_not_found")
_ID = re.compile(r"[CDG][A-Z0-9]{6,}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thread:
    """A thread as it stands in Slack: its first message, and the timestamps of the notices in it by key."""

    root: str | None
    keys: Mapping[str, str]


class SlackChat:
    """The `Chat` port on Slack's Web API. Safe for several threads. After a failure nothing is sent for as long as Slack asks for."""

    def __init__(self, client: WebClient, config: Config, slack: Slack) -> None:
        self._client = client
        self._config = config
        self._slack = slack
        self._threads: dict[tuple[str, str], _Thread] = {}
        self._roots = Roots(self._call, lambda message: str(_payload(message).get("thread") or ""))
        self._lock = threading.Lock()
        self._ids: dict[str, str] = {}
        self._rests_until = 0.0

    def post(self, *, key: str, thread: str, severity: str, stage: str, service: str, text: str, fields: Mapping[str, str]) -> str:
        """Post unless a message with this key stands there; the reference is "channel:timestamp", empty where this severity is not told.

        Where the incident has a channel of its own, everything of it is told there as well, from the failure to the recovery.
        """
        if RANK[severity] < RANK[self._slack.at_least]:
            return ""
        content = {
            "text": fallback(severity, text),
            "blocks": list(blocks(severity, stage, service, text, fields)),
            "metadata": {"event_type": EVENT, "event_payload": {"key": key, "thread": thread}},
        }
        with self._lock:
            usual = self._id(self.channel(stage, service))
            for channel in self._incidents(severity, usual, thread):
                self._into(channel, thread, key, content, loud=False)
            return self._into(usual, thread, key, content, loud=severity == "critical")

    def forget(self, thread: str) -> None:
        """Another process may have written into the thread: it is read anew before anything more is posted."""
        with self._lock:
            for known in [one for one in self._threads if one[1] == thread]:
                del self._threads[known]

    def post_picture(self, *, thread: str, severity: str, stage: str, service: str, text: str, picture: Picture) -> str:
        """Upload the picture into the thread of its text, unless it stands there: it is known by its file's name, or by its words.

        Slack keeps no metadata with a file, so that the thread itself is read before anything is sent.
        """
        if RANK[severity] < RANK[self._slack.at_least]:
            return ""
        with self._lock:
            channel = self._id(self.channel(stage, service))
            self._threads.pop((channel, thread), None)
            root = self._known(channel, thread).root
            if root is None:
                raise TransientError("The text that the picture belongs to does not stand in Slack yet")
            words = escape(text)
            for message in self._replies(channel, root):
                named = any(found.get("name") == picture.name for found in message.get("files") or [])
                if named or (message.get("text") == words and message["ts"] != root and not _payload(message)):
                    return f"{channel}:{message['ts']}"
            self._guarded(
                "files.completeUploadExternal",
                lambda: self._client.files_upload_v2(
                    filename=picture.name,
                    title=text,
                    content=base64.b64decode(picture.content),
                    alt_txt=picture.alt,
                    channel=channel,
                    thread_ts=root,
                    initial_comment=words,
                ),
            )
            return f"{channel}:{root}"

    def show(self, card: Card, references: Mapping[str, str]) -> Mapping[str, str]:
        """Bring the promotion's message to this state, in each channel that tells of it: in place where it stands, else new.

        `references` is what the last call returned: channel -> timestamp.
        """
        promotion = card.promotion
        content = {
            "text": card_text(card),
            "blocks": list(card_blocks(card)),
            "metadata": {"event_type": EVENT, "event_payload": {"key": f"card:{card.thread}", "thread": card.thread}},
        }
        found: dict[str, str] = {}
        with self._lock:
            usual = self._id(self.channel(promotion.stage, promotion.name))
            for channel in [usual, *self._incidents(card.severity.value, usual, card.thread)]:
                found[channel] = self._standing(channel, card.thread, references.get(channel, ""), content)
        return found

    def _standing(self, channel: str, thread: str, stamp: str, content: Mapping[str, Any]) -> str:
        """The card's timestamp, after it was changed where it stands, or posted where it does not."""
        key = f"card:{thread}"
        if stamp and self._changed(channel, stamp, content):
            return stamp
        if stamp:
            self._threads.pop((channel, thread), None)
        stood = self._known(channel, thread).keys.get(key, "")
        if stood and self._changed(channel, stood, content):
            return stood
        return self._into(channel, thread, key, content, loud=False).rpartition(":")[2]

    def channel(self, stage: str, service: str) -> str:
        """Team before stage before the one for everything."""
        team = self._config.teams.get(self._config.service(service).team or "") if service else None
        return (team.slack if team is not None and team.slack else None) or self._slack.stages.get(stage) or self._slack.channel

    def _incidents(self, severity: str, usual: str, thread: str) -> list[str]:
        """The further channels of this seriousness, and those in which this thread was begun before."""
        found = []
        for level, name in self._slack.severities.items():
            channel = self._id(name)
            if channel == usual or channel in found:
                continue
            if RANK[severity] >= RANK[level] or self._known(channel, thread).root is not None:
                found.append(channel)
        return found

    def _into(self, channel: str, thread: str, key: str, content: Mapping[str, Any], *, loud: bool) -> str:
        """One message into the thread, unless it stands there. After a failure the thread is read anew."""
        known = self._known(channel, thread)
        self._threads.pop((channel, thread), None)
        if key not in known.keys:
            answer = self._call(
                "chat.postMessage",
                channel=channel,
                thread_ts=known.root,
                reply_broadcast=True if known.root and loud else None,
                unfurl_links=False,
                unfurl_media=False,
                **content,
            )
            stamp = str(answer["ts"])
            if known.root is None:
                self._roots.learn(channel, thread, stamp)
            known = _Thread(root=known.root or stamp, keys={**known.keys, key: stamp})
        self._threads[channel, thread] = known
        return f"{channel}:{known.keys[key]}"

    def _changed(self, channel: str, stamp: str, content: Mapping[str, Any]) -> bool:
        """Change a message in place; False when it is gone."""
        try:
            self._call("chat.update", channel=self._id(channel), ts=stamp, **content)
        except UserError as error:
            if any(code in error.what for code in GONE):
                return False
            raise
        return True

    def _id(self, channel: str) -> str:
        """Slack reads and changes messages by a channel's id only; behind which name it stands is asked once per process."""
        if _ID.match(channel):
            return channel
        name, cursor = channel.removeprefix("#"), ""
        while name not in self._ids:
            answer = self._call(
                "conversations.list", types="public_channel,private_channel", exclude_archived=True, limit=1000, cursor=cursor or None
            )
            self._ids |= {str(found["name"]): str(found["id"]) for found in answer.get("channels") or []}
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor and name not in self._ids:
                raise Refused(
                    f"The bot sees no Slack channel named #{name}.",
                    fix="invite the app to the channel, or correct `notifications.slack` in the configuration",
                )
        return self._ids[name]

    def _known(self, channel: str, thread: str) -> "_Thread":
        if (channel, thread) not in self._threads:
            self._threads[channel, thread] = self._read(channel, thread)
            while len(self._threads) > MOST_THREADS:
                self._threads.pop(next(iter(self._threads)))
        return self._threads[channel, thread]

    def _read(self, channel: str, thread: str) -> "_Thread":
        """What stands in Slack already, read once per thread and process, and again after a lost answer."""
        keys: dict[str, str] = {}
        root = self._roots.find(channel, thread)
        if root is not None:
            replies = self._standing_replies(channel, root)
            for message in replies:
                if _payload(message).get("thread") == thread:
                    keys[str(_payload(message).get("key"))] = str(message["ts"])
            if root not in keys.values():
                self._roots.forget(channel, thread)
                return _Thread(root=None, keys={})
        return _Thread(root=root, keys=keys)

    def _standing_replies(self, channel: str, root: str) -> list[dict[str, Any]]:
        """All of the thread; nothing where somebody deleted it."""
        try:
            return self._replies(channel, root)
        except UserError as error:
            if any(code in error.what for code in GONE):
                return []
            raise

    def _replies(self, channel: str, root: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            answer = self._call(
                "conversations.replies", channel=channel, ts=root, limit=PAGE, cursor=cursor or None, include_all_metadata=True
            )
            found += answer.get("messages") or []
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found

    def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        given = {name: value for name, value in arguments.items() if value is not None}
        if method in READS:
            return self._guarded(method, lambda: self._client.api_call(method, params=given))
        return self._guarded(method, lambda: self._client.api_call(method, json=given))

    def _guarded(self, method: str, ask: Callable[[], SlackResponse]) -> dict[str, Any]:
        left = self._rests_until - time.monotonic()
        if left > 0:
            raise TransientError("Slack failed a moment ago and is left in peace", retry_after=timedelta(seconds=left))
        try:
            answer = ask()
        except (SlackApiError, SlackClientError, OSError, ValueError) as error:
            found = mapped(error, method)
            if isinstance(found, TransientError):
                self._rests_until = time.monotonic() + (found.retry_after or REST).total_seconds()
            raise found from None
        data = answer.data
        return data if isinstance(data, dict) else {}


def _payload(message: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") if metadata.get("event_type") == EVENT else None
    return payload if isinstance(payload, Mapping) else {}
