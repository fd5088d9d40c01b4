"""/metrics on a port of its own: there alone, and nothing but it there; without one it stands where everything stands."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bot.app import Bot, build
from bot.config.schema import Config
from bot.domain.errors import UserError
from bot.domain.promotion import PromotionState
from bot.reconcile.engine import Timing
from bot.settings import Settings
from bot.web.composition import web_app
from bot.web.health import Readiness
from bot.web.server import listen
from tests.support import builders

CONFIG = Config.model_validate(
    {
        "version": 1,
        "forge": {"url": "http://127.0.0.1:9", "api_url": "http://127.0.0.1:9/api/v3"},
        "pipeline": {"stages": {"dev": {"repository": "acme/secret-dev"}, "qa": {"after": "dev", "repository": "acme/secret-qa"}}},
    }
)


@contextmanager
def made(folder: Path, **more: Any) -> Iterator[tuple[FastAPI, Bot]]:
    settings = Settings.model_validate(
        {
            "state_dir": folder,
            "database_url": f"sqlite:///{folder}/bot.db",
            "github_token": "t" * 20,
            "github_webhook_secrets": "s" * 20,
            **more,
        }
    )
    bot = Bot(build(CONFIG, settings), timing=Timing())
    try:
        yield web_app(bot, Readiness()), bot
    finally:
        bot.parts.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


def test_without_a_port_of_its_own_it_stands_with_the_rest(folder: Path) -> None:
    with made(folder) as (app, _), TestClient(app) as client:
        assert app.state.aside is None
        assert "promotion_bot_inbox_lag_seconds" in client.get("/metrics").text


def test_on_a_port_of_its_own_it_is_there_alone_and_nothing_else_is(folder: Path) -> None:
    with made(folder, metrics_port=0) as (app, bot), TestClient(app) as client:
        one = builders.promotion(number=7, state=PromotionState.OPEN)
        bot.parts.history.save_promotion(one, why="test", actor="ana-of-acme", now=bot.parts.clock())
        aside = app.state.aside
        aside.start()
        try:
            shown = httpx.get(f"{aside.url}/metrics", timeout=60)
            assert "promotion_bot_inbox_lag_seconds" in shown.text
            assert "secret-" not in shown.text
            assert "ana-of-acme" not in shown.text
            assert shown.headers["x-content-type-options"] == "nosniff"
            for path in ("/healthz", "/api/openapi.json", "/openapi.json", "/docs", "/webhooks/github", "/api/v1/stages", "/metrics/"):
                assert httpx.get(f"{aside.url}{path}", timeout=60).status_code == 404, path
        finally:
            aside.stop()
        assert client.get("/metrics").status_code == 404
        assert client.get("/healthz").status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{aside.url}/metrics", timeout=60)


def test_a_port_that_is_taken_is_named_by_its_variables(folder: Path) -> None:
    taken = listen("127.0.0.1", 0)
    try:
        with pytest.raises(UserError) as caught, made(folder, metrics_host="127.0.0.1", metrics_port=taken.getsockname()[1]):
            pass
        assert caught.value.where == "PROMOTION_BOT_METRICS_HOST and PROMOTION_BOT_METRICS_PORT"
    finally:
        taken.close()
