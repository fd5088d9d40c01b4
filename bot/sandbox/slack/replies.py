"""What an app answers to a command or a button: at once, or later by its response URL.

Decides which message comes of it (only for the one who asked, for all, in the place of the old one) and how often and
how long a response URL may be used, as Slack has it: five times within thirty minutes.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.sandbox.slack.workspace import BOT_USER, Message, Obj, Workspace

USES, LIVES = 5, timedelta(minutes=30)


@dataclass(slots=True, kw_only=True)
class _Place:
    channel: str
    user: str
    message: Message | None
    at: datetime
    uses: int = 0


class Replies:
    """The response URLs of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._places: dict[str, _Place] = {}

    def open(self, channel: str, user: str, message: Message | None = None) -> str:
        """A key for a response URL."""
        key = secrets.token_hex(12)
        self._places[key] = _Place(channel=channel, user=user, message=message, at=self.workspace.clock())
        return key

    def respond(self, key: str, body: Obj) -> str | None:
        """An answer by response URL; the error's code where it may not be used (any more)."""
        place = self._places.get(key)
        if place is None:
            return "no_such_response_url"
        if place.uses >= USES or self.workspace.clock() - place.at > LIVES:
            return "used_url" if place.uses >= USES else "expired_url"
        place.uses += 1
        self.show(place.channel, place.user, body, place.message)
        return None

    def show(self, channel: str, user: str, body: Obj, original: Message | None = None) -> Message | None:
        """Makes the message that an answer asks for; None where it asks for none."""
        with self.workspace.lock:
            if body.get("delete_original") and original is not None:
                if original in self.workspace.messages:
                    self.workspace.messages.remove(original)
                return None
            text, blocks = str(body.get("text") or ""), list(body.get("blocks") or [])
            if not text and not blocks:
                return None
            replaces = body.get("replace_original", original is not None and original.ephemeral_for is None and "response_type" not in body)
            if original is not None and replaces:
                original.text, original.blocks, original.edited = text, blocks, self.workspace.timestamp()
                return original
            only_for = None if body.get("response_type") == "in_channel" else user
            made = Message(channel=channel, ts=self.workspace.timestamp(), user=BOT_USER, text=text, blocks=blocks, ephemeral_for=only_for,
                           thread_ts=original.thread_ts if original else None)  # fmt: skip
            return self.workspace.add(made)
