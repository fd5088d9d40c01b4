"""Tells people in Slack: one thread per promotion, each notice once, in the channel of the team, the stage, or everybody.

A message carries its key as Slack metadata, so that it is found again after a lost answer and never posted twice.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.adapters.slack.errors import mapped
from bot.config.schema import Config, Slack
from bot.messages.slack import blocks, fallback

EVENT = "promotion_bot_notice"
RANK = {"info": 0, "warning": 1, "critical": 2}
LOOK_BACK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thread:
    """A thread as it stands in Slack: its first message, and the timestamps of the notices in it by key."""

    root: str | None
    keys: Mapping[str, str]


class SlackChat:
    """The `Chat` port on Slack's Web API. Safe for several threads."""

    def __init__(self, client: WebClient, config: Config, slack: Slack) -> None:
        self._client = client
        self._config = config
        self._slack = slack
        self._threads: dict[tuple[str, str], _Thread] = {}
        self._lock = threading.Lock()

    def post(self, *, key: str, thread: str, severity: str, stage: str, service: str, text: str, fields: Mapping[str, str]) -> str:
        """Post unless a message with this key stands there; the reference is "channel:timestamp", empty where this severity is not told."""
        if RANK[severity] < RANK[self._slack.at_least]:
            return ""
        channel = self.channel(stage, service)
        with self._lock:
            known = self._threads.get((channel, thread)) or self._read(channel, thread)
            self._threads.pop((channel, thread), None)
            if key in known.keys:
                self._threads[channel, thread] = known
                return f"{channel}:{known.keys[key]}"
            answer = self._call(
                "chat.postMessage",
                channel=channel,
                text=fallback(severity, text),
                blocks=list(blocks(severity, stage, service, text, fields)),
                thread_ts=known.root,
                reply_broadcast=True if known.root and severity == "critical" else None,
                metadata={"event_type": EVENT, "event_payload": {"key": key, "thread": thread}},
                unfurl_links=False,
                unfurl_media=False,
            )
            stamp = str(answer["ts"])
            self._threads[channel, thread] = _Thread(root=known.root or stamp, keys={**known.keys, key: stamp})
        return f"{answer.get('channel', channel)}:{stamp}"

    def channel(self, stage: str, service: str) -> str:
        """Team before stage before the one for everything."""
        team = self._config.teams.get(self._config.service(service).team or "") if service else None
        return (team.slack if team is not None and team.slack else None) or self._slack.stages.get(stage) or self._slack.channel

    def _read(self, channel: str, thread: str) -> "_Thread":
        """What stands in Slack already, read once per thread and process, and again after a lost answer."""
        keys: dict[str, str] = {}
        root: str | None = None
        for message in self._messages(channel):
            if _payload(message).get("thread") == thread and message.get("thread_ts") in (None, message["ts"]):
                root = str(message["ts"])
        for message in self._replies(channel, root) if root else []:
            if _payload(message).get("thread") == thread:
                keys[str(_payload(message).get("key"))] = str(message["ts"])
        return _Thread(root=root, keys=keys)

    def _messages(self, channel: str) -> list[dict[str, Any]]:
        answer = self._call("conversations.history", channel=channel, limit=LOOK_BACK, include_all_metadata=True)
        return list(answer.get("messages") or [])

    def _replies(self, channel: str, root: str) -> list[dict[str, Any]]:
        answer = self._call("conversations.replies", channel=channel, ts=root, limit=LOOK_BACK, include_all_metadata=True)
        return list(answer.get("messages") or [])

    def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer = self._client.api_call(method, json={name: value for name, value in arguments.items() if value is not None})
        except (SlackApiError, SlackClientError, OSError, ValueError) as error:
            raise mapped(error, method) from None
        data = answer.data
        return data if isinstance(data, dict) else {}


def _payload(message: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") if metadata.get("event_type") == EVENT else None
    return payload if isinstance(payload, Mapping) else {}
