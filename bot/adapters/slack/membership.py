"""Which members of which workspaces may give commands at all: full members of our workspace and of those that are listed.

Decides from Slack's own record of the user (asked for and kept for five minutes), never from names or e-mail addresses. Guests, bots,
strangers of a shared channel and people whom Slack cannot tell about are refused; what a member may do is the forge's word.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.adapters.slack.errors import mapped
from bot.domain.errors import UserError

LASTS = timedelta(minutes=5)
MOST_KEPT = 5_000


class Members:
    """Asks once per user and five minutes. `workspaces` are team ids beside our own."""

    def __init__(self, client: WebClient, workspaces: tuple[str, ...], clock: Callable[[], datetime]) -> None:
        self._client = client
        self._workspaces = frozenset(workspaces)
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[datetime, str]] = {}
        self._ours: tuple[str, str] = ("", "")

    def us(self) -> tuple[str, str]:
        """The ids of our workspace and of our own user there. One call in the life of the process."""
        if not self._ours[0]:
            found = self._ask("auth.test")
            self._ours = (str(found.get("team_id") or ""), str(found.get("user_id") or ""))
        return self._ours

    def refusal(self, team: str, user: str) -> str:
        """Why this user may give no commands; empty when he may. Raises what Slack's answers are mapped to."""
        allowed = {self.us()[0], *self._workspaces} - {""}
        if team not in allowed:
            return "commands count only from members of the bot's own workspace (others are listed under `notifications.slack.workspaces`)"
        now = self._clock()
        with self._lock:
            kept = self._kept.get(user)
        if kept is not None and now < kept[0]:
            return kept[1]
        why = self._why_not(user, allowed)
        with self._lock:
            self._kept[user] = (now + LASTS, why)
            if len(self._kept) > MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
        return why

    def _why_not(self, user: str, allowed: set[str]) -> str:
        found = self._ask("users.info", user=user).get("user")
        if not isinstance(found, dict) or found.get("id") != user:
            return "Slack does not know this account"
        if found.get("deleted"):
            return "this Slack account is switched off"
        if found.get("is_bot") or found.get("is_workflow_bot"):
            return "bots of the workspace give no commands"
        if found.get("is_stranger") or found.get("team_id") not in allowed:
            return "this account belongs to another workspace; guests from elsewhere give no commands"
        if found.get("is_restricted") or found.get("is_ultra_restricted"):
            return "guests of the workspace give no commands; a full member has to do it"
        return ""

    def _ask(self, method: str, **arguments: str) -> dict[str, object]:
        try:
            answer = self._client.api_call(method, params=arguments)
        except (SlackApiError, SlackClientError, OSError, ValueError) as error:
            raise mapped(error, method) from None
        data = answer.data
        if not isinstance(data, dict):
            raise UserError(f"Slack's answer to {method} cannot be read.")
        return data
