"""A whole bot behind its HTTP interface, on the sandbox forge: people of every rank with tokens, and one open promotion."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bot.app import Bot, build
from bot.config.schema import Config
from bot.domain.directive import Order
from bot.domain.promotion import PromotionState
from bot.planning.standing import Plan
from bot.reconcile.engine import Timing
from bot.reconcile.orders import Desk
from bot.reconcile.questions import Questions
from bot.settings import Settings
from bot.web.composition import web_app
from bot.web.health import Readiness
from tests.contract.people.desk_world import RANKS
from tests.contract.reconcile.stage_world import Clock, Hub
from tests.support import builders


@dataclass(slots=True, kw_only=True)
class Served:
    client: TestClient
    bot: Bot
    tokens: dict[str, str]
    clock: Clock
    app: FastAPI

    def run(self, login: str, line: str, **more: Any) -> httpx.Response:
        self.clock.shift += timedelta(seconds=4)
        return self.client.post("/api/v1/commands/run", json={"line": line, **more}, headers=self.auth(login))

    def get(self, path: str, login: str) -> httpx.Response:
        return self.client.get(f"/api/v1{path}", headers=self.auth(login))

    def auth(self, login: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens[login]}"}

    def orders(self) -> list[tuple[Order, str]]:
        now = self.bot.parts.clock()
        return [(order.order, order.actor.login) for order in self.bot.parts.history.directives("qa") if order.active(now)]


@contextmanager
def served_bot(hub: Hub, state: Path) -> Iterator[Served]:
    """A bot with one open promotion, #7 into qa, behind its real HTTP interface; its engine does not run."""
    qa, dev = hub.new_repository(), hub.new_repository()
    tokens = {}
    for login, role in RANKS.items():
        tokens[login] = hub.sandbox.add_user(f"api-{login}")
        hub.sandbox.add_collaborator(qa, f"api-{login}", role)
    hub.sandbox.add_collaborator(dev, "api-ana", "admin")
    for name in (qa, dev):
        hub.sandbox.world.repository(name).settings.private = True
    tokens["sam"] = hub.sandbox.add_user("api-sam")
    config = Config.model_validate(
        {
            "version": 1,
            "forge": {"url": hub.sandbox.clone_url("x/y").rpartition("/x/")[0], "api_url": hub.sandbox.api_url},
            "notifications": {"slack": {"channel": "#deployments", "api_url": "https://slack.invalid/api/"}},
            "pipeline": {"stages": {"dev": {"repository": dev}, "qa": {"after": "dev", "repository": qa}}},
        }
    )
    settings = Settings.model_validate(
        {
            "state_dir": state,
            "database": f"sqlite:///{state}/bot.db",
            "github_token": tokens["ana"],
            "github_webhook_secrets": "s" * 20,
            "slack_bot_token": "xoxb-test",
            "slack_signing_secret": "t" * 20,
            "external_url": "https://promotions.invalid",
            "github_client_id": "id",
            "github_client_secret": "u" * 20,
        }
    )
    bot = Bot(build(config, settings), timing=Timing())
    promotion = builders.promotion(number=7, state=PromotionState.OPEN)
    bot.parts.history.save_promotion(promotion, why="test", actor="test", now=bot.parts.clock())
    bot.parts.history.save_pull(builders.pull(repository=qa))
    bot.parts.history.save_health("qa", builders.health("1.0.0"), now=bot.parts.clock())
    clock = Clock()
    bot.desk = Desk(
        config,
        history=bot.parts.history,
        repositories=bot.parts.repositories,
        rights=bot.parts.rights,
        questions=Questions(config, plan=lambda stage: Plan(stage=stage, actions=(), reports=()), pulse=bot.pulse),
        clock=clock,
        wake=lambda stage, reason: None,
    )
    app = web_app(bot, Readiness())
    with TestClient(app) as client:
        yield Served(client=client, bot=bot, tokens=tokens, clock=clock, app=app)
    bot.parts.close()
