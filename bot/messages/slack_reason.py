"""The window in which Slack asks for a reason before something is held or taken back, and what comes back from it.

Decides what the window shows and what it keeps (the button's own value, and where to answer). Pure; within Slack's limits: 24 characters
a title or button, 3,000 of metadata.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.messages import slack_buttons as buttons
from bot.messages.words import listing

CALLBACK = "promotion_reason"
BLOCK = "reason"
ASKED = (buttons.HOLD, buttons.REVERT)
"""Buttons that ask for a reason first."""
LONGEST = 500
LONGEST_METADATA = 3_000
TITLES = {buttons.HOLD: "Hold", buttons.REVERT: "Revert"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A window that was sent: the button that opened it, what that was bound to, the reason, and where to answer."""

    action: str
    pressed: buttons.Pressed
    reason: str
    channel: str = ""
    thread: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """The command lines that it means."""
        return buttons.lines(self.action, self.pressed, reason=self.reason)


def window(action: str, value: str, *, channel: str, thread: str) -> dict[str, object] | None:
    """The view to open; None where the button asks for no reason, or holds more than a window can keep."""
    pressed = buttons.read(value)
    metadata = json.dumps({"action": action, "value": value, "channel": channel, "thread": thread}, separators=(",", ":"))
    if action not in ASKED or pressed is None or len(metadata) > LONGEST_METADATA:
        return None
    title = TITLES[action]
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": metadata,
        "title": _plain(title),
        "submit": _plain(title),
        "close": _plain("Cancel"),
        "blocks": [
            {"type": "section", "text": _plain(_what(action, pressed))},
            {
                "type": "input",
                "block_id": BLOCK,
                "label": _plain("Reason"),
                "hint": _plain("It stands in the history, and on the pull request."),
                "element": {"type": "plain_text_input", "action_id": BLOCK, "max_length": LONGEST, "focus_on_load": True},
            },
        ],
    }


def read(view: Mapping[str, Any]) -> Given | None:
    """What was sent; None for anything that is not exactly one of our windows, or holds no reason."""
    try:
        kept = json.loads(str(view.get("private_metadata", ""))[: LONGEST_METADATA + 1])
        reason = view["state"]["values"][BLOCK][BLOCK]["value"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(kept, Mapping) or kept.keys() != {"action", "value", "channel", "thread"} or not isinstance(reason, str):
        return None
    if any(not isinstance(part, str) for part in kept.values()) or kept["action"] not in ASKED:
        return None
    pressed, words = buttons.read(kept["value"]), " ".join(reason.split())[:LONGEST]
    if pressed is None or not words:
        return None
    return Given(action=kept["action"], pressed=pressed, reason=words, channel=kept["channel"], thread=kept["thread"])


def _what(action: str, pressed: buttons.Pressed) -> str:
    if action == buttons.HOLD:
        return f"#{pressed.number} to {pressed.stage} is not merged until somebody lifts it."[:2_900]
    back = listing([f"{service} {old}" for service, old, new in pressed.moves if old and new])
    return f"{back} comes back to {pressed.stage}, in the place of what #{pressed.number} brought."[:2_900]


def _plain(text: str) -> dict[str, object]:
    return {"type": "plain_text", "text": text}
