"""The HTTP API under what its own description lets anybody send, and under what it does not: refused, never a fault of ours."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.schemas import BaseSchema

from bot.adapters.store.wakeups import Wakeups
from bot.app import Bot, build
from bot.cli.demo.settings import SandboxSettings
from bot.config.load import load
from bot.web.composition import web_app
from bot.web.health import Readiness

CONFIG = """\
version: 1
forge: {url: "http://127.0.0.1:9", api_url: "http://127.0.0.1:9"}
pipeline:
  stages:
    dev: {repository: acme/env-dev}
    qa: {repository: acme/env-qa, after: dev}
"""


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    """The whole web application of a bot whose forge does not answer; webhooks need no signature, so that they are read."""
    root: Path = tmp_path_factory.mktemp("api")
    path = root / "promotion-bot.yaml"
    path.write_text(CONFIG)
    given = SandboxSettings(github_token=SecretStr("none"), insecure_no_webhook_secret=True, state_dir=root / "state")
    parts = build(load(path), given)
    bot = Bot(parts)
    bot.wakeups = bot.engine.wakeups = Wakeups(parts.database, lambda *_: None)
    readiness = Readiness()
    app = web_app(bot, readiness)
    readiness.ready()
    yield schemathesis.openapi.from_asgi("/api/openapi.json", app)
    parts.close()


def test_no_request_is_a_fault_of_ours(described: BaseSchema) -> None:
    tried = 0
    for found in described.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
        @settings(max_examples=15, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        def sent(case: schemathesis.Case) -> None:
            answer = case.call()
            told = f"{case.method} {case.formatted_path}: {answer.status_code} {answer.text[:300]}"
            assert answer.status_code < 500 or answer.status_code == 503, told

        sent()
        tried += 1
    assert tried >= 10
