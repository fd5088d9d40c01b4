"""Tells a channel of Microsoft Teams: an Adaptive Card to the address of its workflow.

Decides the card. The address holds its own secret, so it is a credential, and no error names it.
https://learn.microsoft.com/connectors/teams/#microsoft-teams-webhook
"""

import json
from collections.abc import Mapping
from datetime import datetime

from bot.adapters.notify.audience import wants
from bot.adapters.notify.posting import post
from bot.adapters.notify.shelf import Means
from bot.config.notifications import Teams
from bot.domain.action import Notify
from bot.domain.errors import UserError
from bot.messages.cloudevents import EVENT
from bot.messages.slack import SIGNS

COLOURS = {"info": "Good", "warning": "Warning", "critical": "Attention"}
LONGEST = 8_000


class TeamsTeller:
    """One channel."""

    def __init__(self, name: str, teams: Teams, means: Means) -> None:
        self._name = f"the Teams channel {name}"
        self._teams = teams
        self._means = means

    def wants(self, notice: Notify) -> bool:
        """Messages for people only."""
        return EVENT not in notice.fields and wants(self._teams, notice)

    def tell(self, notice: Notify, *, now: datetime) -> None:
        """One try."""
        address = self._means.credentials.named(self._teams.address)
        if not address.startswith("https://") and not self._teams.allow_private:
            raise UserError(f"The address of {self._name} does not begin with https://.", fix="copy the workflow's own address")
        body = json.dumps(card(notice)).encode()
        post(self._means.http, address, body, {"content-type": "application/json"}, private=self._teams.allow_private, name=self._name)


def card(notice: Notify) -> dict[str, object]:
    """The message that the workflow posts. Texts from outside are plain runs: Teams reads no Markdown in them."""
    head = f"{SIGNS.get(notice.severity.value, '')} {notice.service + ' in ' if notice.service else ''}{notice.stage}".strip()
    body: list[dict[str, object]] = [
        _run(head, size="Medium", weight="Bolder", color=COLOURS[notice.severity.value]),
        *(_run(line) for line in notice.text[:LONGEST].split("\n")[:40] if line.strip()),
    ]
    facts = [{"title": name[:100], "value": _literal(value)[:500]} for name, value in notice.fields.items() if value]
    body += [{"type": "FactSet", "facts": facts[:10]}] if facts else []
    link = next((value for value in notice.fields.values() if value.startswith("https://") or value.startswith("http://")), "")
    actions = [{"type": "Action.OpenUrl", "title": "Open", "url": link}] if link else []
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": actions,
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}],
    }


def _run(text: str, **look: str) -> dict[str, object]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **look}]}


def _literal(text: str) -> str:
    """Facts are read as Markdown: what makes links or emphasis is taken out of service."""
    return "".join(f"\\{sign}" if sign in "*_[]~`" else sign for sign in text)


def build(means: Means) -> Mapping[str, TeamsTeller]:
    """Those of the configuration."""
    return {name: TeamsTeller(name, teams, means) for name, teams in means.notifications.teams.items()}
