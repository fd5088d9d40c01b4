"""One stage on the sandbox forge with an open promotion, a Slack workspace, and the bot's real ears, desk and web server between them."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.adapters.slack.answering import Answering
from bot.adapters.slack.chat import SlackChat
from bot.adapters.slack.hearing import Hearing
from bot.adapters.slack.membership import Members
from bot.adapters.store.effects import EffectJournal
from bot.adapters.store.ties import StoredTies
from bot.collectors.identities import ChatIdentities, Linking
from bot.collectors.rights import Accounts, RightsBook
from bot.config.schema import Config
from bot.domain.directive import Directive
from bot.domain.promotion import Promotion
from bot.messages import slack_buttons
from bot.planning.standing import Plan
from bot.reconcile.apply import apply
from bot.reconcile.chatting import ChatDesk, once
from bot.reconcile.orders import Desk
from bot.reconcile.questions import Questions
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.acting import Ack
from bot.sandbox.slack.workspace import Message
from bot.web import slack_hook
from bot.web.health import Readiness
from bot.web.server import create_app
from tests.contract.reconcile.stage_world import Hub, StageWorld
from tests.support.web import served

CHANNEL = "deployments"


class SlackWorld(StageWorld):
    """`users` are Slack ids by name; ana (admin of the repository) and zoe (nobody's friend) are tied to accounts of the forge."""

    def __init__(self, root: Path, hub: Hub, slack: SlackSandbox) -> None:
        super().__init__(root, hub)
        hub.sandbox.add_user("zoe")
        self.slack = slack
        self.users = {name: slack.add_user(name) for name in ("ana", "zoe", "nobody")}
        slack.add_channel(CHANNEL)
        self.config = self.configured()
        self.woken: list[str] = []
        self.journal = EffectJournal(self.database)
        self.ties = StoredTies(self.database)
        self.desk = self._desk()
        self.linking: Linking | None = None

    def configured(self, **more: Any) -> Config:
        people = {self.users["ana"]: "ana", self.users["zoe"]: "zoe"}
        slack = {"channel": f"#{CHANNEL}", "api_url": self.slack.api_url, "people": people, **more}
        stages = {"qa": {"repository": self.repo, "gates": [{"gate": "approval", "count": 1}]}}
        document = {"version": 1, "forge": {"url": self.hub.url, "api_url": self.hub.api_url}, "pipeline": {"stages": stages}}
        return Config.model_validate({**document, "notifications": {"slack": slack}})

    def _desk(self) -> Desk:
        accounts = Accounts(self.config, self.forge, self.journal, self.clock)
        rights = RightsBook(self.config, self.forge, accounts, self.repositories, self.clock)
        questions = Questions(self.config, plan=lambda stage: Plan(stage=stage, actions=(), reports=()), pulse=lambda: {"version": "1"})
        return Desk(
            self.config,
            history=self.history,
            repositories=self.repositories,
            rights=rights,
            questions=questions,
            clock=self.clock,
            wake=lambda stage, _reason: self.woken.append(stage),
        )

    @property
    def client(self) -> WebClient:
        return WebClient(token=self.slack.bot_token, base_url=self.slack.api_url, timeout=5)

    def chat(self, **more: Any) -> SlackChat:
        config = self.configured(**more)
        assert config.notifications.slack is not None
        return SlackChat(self.client, config, config.notifications.slack)

    def hearing(self) -> Hearing:
        slack = self.config.notifications.slack
        assert slack is not None
        people = ChatIdentities(slack.people, self.forge, self.journal, self.ties, clock=self.clock, linking=self.linking)
        return Hearing(
            Members(self.client, slack.workspaces, self.clock),
            Answering(self.client, slack.api_url),
            take=ChatDesk(self.config, self.desk, self.history, people).take,
            first=partial(once, self.journal, clock=self.clock),
            clock=self.clock,
        )

    @contextmanager
    def by_http(self) -> Iterator[str]:
        """The web server is up, and Slack sends to it."""
        hearing = self.hearing()
        routes = slack_hook.router(hearing.app, self.slack.signing_secret.encode(), clock=self.clock)
        with served(create_app([routes], readiness=Readiness())) as url:
            self.slack.people.request_url = url + slack_hook.PATH
            yield self.slack.people.request_url
            self.slack.people.request_url = ""
            hearing.close()

    @contextmanager
    def by_socket(self) -> Iterator[None]:
        """The app is connected by Socket Mode, and no URL is known to Slack."""
        self.slack.people.request_url = ""
        hearing = self.hearing()
        handler = SocketModeHandler(hearing.app, self.slack.app_token, web_client=self.client)
        handler.client.connect()
        yield
        handler.client.close()
        hearing.close()

    def opened(self) -> Promotion:
        """An open promotion, read back from the forge."""
        apply(self.tools(), self.opening())
        promotion = self.only()
        assert promotion.number is not None
        for pull in self.forge.pulls(self.repo, base_branch="main", prefix="promote/qa/", numbers=[promotion.number]):
            self.history.save_pull(pull)
        return promotion

    def card(self, promotion: Promotion) -> Message:
        """A message with the buttons of a promotion, as the bot posts it."""
        answer = self.client.chat_postMessage(channel=CHANNEL, text="payments", blocks=slack_buttons.row(promotion, slack_buttons.ACTIONS))
        return next(one for one in self.slack.messages(CHANNEL) if one.ts == answer["ts"])

    def orders(self) -> list[Directive]:
        return list(self.history.directives("qa"))

    def give(self, user: str, reason: str) -> Ack:
        """Send the window that was opened last with this reason."""
        until(lambda: bool(self.slack.workspace.views))
        view = list(self.slack.workspace.views)[-1]
        return self.slack.submit(user, view, {"reason": {"reason": {"type": "plain_text_input", "value": reason}}})

    def answers(self, user: str) -> list[Message]:
        """What only this user saw, oldest first."""
        return [one for one in self.slack.messages() if one.ephemeral_for == self.users.get(user, user)]

    def answer(self, user: str, *, after: int = 0) -> str:
        """The next answer to a user, with everything that its blocks say."""
        until(lambda: len(self.answers(user)) > after)
        return json.dumps(self.answers(user)[after].blocks, ensure_ascii=False)


def until(done: Callable[[], bool], *, seconds: float = 8.0) -> None:
    """Waits for something that happens after an acknowledgement."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)
