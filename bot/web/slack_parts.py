"""Puts Slack's ears together for one bot: the same handlers behind HTTP (`slack_hook`) and behind Socket Mode.

Decides which of the two is there: HTTP where a signing secret is set, Socket Mode where an app token is set, both where both are.
"""

import threading
from dataclasses import dataclass
from functools import partial

import structlog
from fastapi import APIRouter
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.adapters.github.oauth import OAuthClient
from bot.adapters.slack.answering import Answering
from bot.adapters.slack.hearing import Hearing
from bot.adapters.slack.membership import Members
from bot.adapters.store.effects import EffectJournal
from bot.adapters.store.ties import StoredTies
from bot.app import Bot
from bot.collectors.identities import ChatIdentities
from bot.config.notifications import Slack
from bot.reconcile.chatting import ChatDesk, once
from bot.settings import Settings
from bot.web import link_page, slack_hook

log = structlog.get_logger("slack")

TIMEOUT_SECONDS = 10
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0


class SlackParts:
    """What of Slack listens. Nothing where Slack is not configured, or neither secret is set."""

    def __init__(self, bot: Bot) -> None:
        settings, slack = bot.parts.settings, bot.parts.config.notifications.slack
        self.routers: list[APIRouter] = []
        self._hearing: Hearing | None = None
        self._socket: SocketModeHandler | None = None
        self._connecting: threading.Thread | None = None
        self._stopping = threading.Event()
        listens = settings.slack_signing_secret is not None or settings.slack_app_token is not None
        if slack is None or settings.slack_bot_token is None or not listens:
            return
        ties = StoredTies(bot.parts.database)
        external, client = settings.external_url, _oauth(bot, settings)
        linking = None
        if external and client is not None:
            linking = link_page.Linking(ties, bot.parts.history, external=external, clock=bot.parts.clock)
            self.routers.append(link_page.router(ties, client, external=external, clock=bot.parts.clock))
        self._hearing = _hearing(bot, settings, slack, ChatTies(ties=ties, linking=linking))
        if settings.slack_signing_secret is not None:
            secret = settings.slack_signing_secret.get_secret_value().encode()
            self.routers.append(slack_hook.router(self._hearing.app, secret, clock=bot.parts.clock))
        if settings.slack_app_token is not None:
            base = _client(settings, slack)
            self._socket = SocketModeHandler(self._hearing.app, settings.slack_app_token.get_secret_value(), web_client=base)

    def start(self) -> None:
        """Connect, where Socket Mode is used. In the background: a Slack that is down holds nothing up and is tried again."""
        if self._socket is not None:
            self._connecting = threading.Thread(target=self._connect, args=(self._socket,), name="slack-connect", daemon=True)
            self._connecting.start()

    def stop(self) -> None:
        """Take no more commands; those under way are ended."""
        self._stopping.set()
        if self._socket is not None:
            if self._connecting is not None:
                self._connecting.join(timeout=TIMEOUT_SECONDS + 1)
            self._socket.client.close()
        if self._hearing is not None:
            self._hearing.close()

    def _connect(self, handler: SocketModeHandler) -> None:
        """Until it stands; from then on slack_sdk itself keeps it up."""
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                handler.client.connect()
            except (SlackApiError, SlackClientError, OSError, ValueError) as error:
                log.warning("slack.not_connected", reason=type(error).__name__, again_in=pause)
                self._stopping.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                return


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTies:
    """The ties that users made, and what makes them; `linking` is None where they cannot be made."""

    ties: StoredTies
    linking: link_page.Linking | None


def _oauth(bot: Bot, settings: Settings) -> OAuthClient | None:
    if not settings.github_client_id or settings.github_client_secret is None:
        return None
    forge = bot.parts.config.forge
    secret = settings.github_client_secret.get_secret_value()
    return OAuthClient(url=forge.url, api_url=forge.api_url, client_id=settings.github_client_id, client_secret=secret)


def _hearing(bot: Bot, settings: Settings, slack: Slack, chat: ChatTies) -> Hearing:
    parts = bot.parts
    client = _client(settings, slack)
    journal = EffectJournal(parts.database)
    identities = ChatIdentities(slack.people, parts.forge, journal, chat.ties, clock=parts.clock, linking=chat.linking)
    desk = ChatDesk(parts.config, bot.desk, parts.history, identities)
    return Hearing(
        Members(client, slack.workspaces, parts.clock),
        Answering(client, slack.api_url),
        take=desk.take,
        first=partial(once, journal, clock=parts.clock),
        clock=parts.clock,
    )


def _client(settings: Settings, slack: Slack) -> WebClient:
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token is not None else ""
    return WebClient(token=token, base_url=slack.api_url.rstrip("/") + "/", timeout=TIMEOUT_SECONDS)
