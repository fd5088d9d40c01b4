"""What is done by the clock: learn who we are, fetch missed webhooks back, tell people, look up commits, make reports, forget old rows."""

from collections.abc import Callable
from datetime import timedelta

import structlog

from bot.adapters.github.auth import AppInstallation
from bot.adapters.github.deliveries import redeliver_missed
from bot.adapters.slack.chat import SlackChat
from bot.adapters.store.outbox import StoredOutbox
from bot.adapters.store.pruning import pruner
from bot.app.parts import Parts
from bot.collectors.carried import look_up_carried
from bot.collectors.proposals import tell_proposals
from bot.collectors.reports import send_due
from bot.reconcile.daily import keep_digest
from bot.reconcile.rota import Duty
from bot.reconcile.telling import post
from bot.reconcile.tools import Tools

log = structlog.get_logger("duties")

RETELL = timedelta(seconds=20)
MISSED = timedelta(minutes=5)
HOURLY = timedelta(hours=1)
KEPT_BY_GITHUB = timedelta(days=3)


class Duties:
    """What the bot does by the clock beside running stages. `tools` gives what a message to people is sent with."""

    def __init__(self, parts: Parts, outbox: StoredOutbox, tools: Callable[[str], Tools]) -> None:
        self.parts = parts
        self.outbox = outbox
        self._tools = tools
        self.login = ""
        """Under which login the bot writes; empty until the forge was asked."""
        self._proposed: set[tuple[int, str]] = set()
        self._missed_since = parts.clock() - KEPT_BY_GITHUB

    def own(self) -> list[Duty]:
        """Those beside the heartbeat: they ask nobody but the database."""
        return [Duty("prune rows", HOURLY, pruner(self.parts.database, self.parts.clock))]

    def outside(self) -> list[Duty]:
        """Those that speak to others, who may answer late or never: no heartbeat waits for them."""
        return [
            Duty("identity", RETELL, self.learn_login),
            Duty("notices", RETELL, self.retell),
            Duty("digest", RETELL, self.tell_daily),
            Duty("missed webhooks", MISSED, self.fetch_missed),
        ]

    def slow(self) -> list[Duty]:
        """Those of the background: a clone of a source repository may take minutes."""
        return [
            Duty("commits", MISSED, self.look_up_commits),
            Duty("reports", HOURLY / 12, self.send_reports),
            Duty("proposals", MISSED, self.tell_proposals),
        ]

    def learn_login(self) -> None:
        """Ask the forge once under which login we write: events of our own writing are told apart by it."""
        if not self.login:
            self.login = self.parts.forge.identity()

    def fetch_missed(self) -> None:
        """Ask GitHub to send again what we did not take (an App's deliveries only; with a token the resync has to do)."""
        credentials = self.parts.forge.credentials
        if isinstance(credentials, AppInstallation) and self.parts.settings.github_webhook_secrets:
            missed = redeliver_missed(credentials, since=self._missed_since)
            if missed.again:
                log.info("webhooks.fetched_back", count=len(missed.again))
            self._missed_since = missed.since

    def retell(self) -> None:
        """Messages that the chat did not take, or whose teller died: again, once each."""
        config, chat = self.parts.config, self.parts.chat
        for notice in self.outbox.due(now=self.parts.clock()):
            if isinstance(chat, SlackChat):
                chat.forget(notice.thread)
            post(self._tools(notice.stage if notice.stage in config.order() else config.order()[0]), notice)

    def look_up_commits(self) -> None:
        """Find out what new rollouts carried, where their services' source repositories are configured."""
        look_up_carried(self.parts.config, self.parts.delivery, self.parts.sources, self.parts.clock)

    def send_reports(self) -> None:
        """Make the delivery reports that are due; they are sent with the other messages."""
        send_due(self.parts.config, self.parts.delivery, self.outbox, self.parts.clock, self.parts.forge)

    def tell_proposals(self) -> None:
        """Tell pull requests that change this configuration what it would have done."""
        parts = self.parts
        tell_proposals(parts.config, parts.forge, parts.repositories, parts.delivery, parts.clock(), self._proposed)

    def tell_daily(self) -> None:
        """Keep the day's digest when it is due; it is sent with the other messages."""
        keep_digest(self.parts.config, self.parts.history, self.outbox, now=self.parts.clock())
