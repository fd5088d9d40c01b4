"""One registry for the session; every test has a repository of its own in it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from pydantic import SecretStr

from bot.adapters.credentials import Credentials
from bot.adapters.registry.facts import ImageFacts
from bot.adapters.registry.reach import Registries
from bot.adapters.safe_http import SafeHttp
from bot.config.schema import Config
from tests.support import debian
from tests.support.images import Pusher

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NAME = "registry.test"
_names = count()


@pytest.fixture(scope="session")
def registry_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with debian.registry(tmp_path_factory.mktemp("registry")) as url:
        yield url


def facts_of(url: str, *, secrets: Mapping[str, str] | None = None, **registry: Any) -> ImageFacts:
    """The asker, with `registry.test` standing for the server at this address."""
    settings = {
        "version": 1,
        "pipeline": {"stages": {"dev": {"repository": "acme/env-dev"}}},
        "sources": {"registries": {NAME: {"url": url, **registry}}},
    }
    held = Credentials({name: SecretStr(value) for name, value in (secrets or {}).items()})
    return ImageFacts(Registries(Config.model_validate(settings), held, SafeHttp(), lambda: NOW))


class Place:
    """A repository in the registry, and how the bot calls it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.repository = f"acme/app{next(_names)}"
        self.image = f"{NAME}/{self.repository}"
        self.push = Pusher(url, self.repository)
        self.facts = facts_of(url)

    def ask(self, **params: str) -> Any:
        return self.facts.ask({"image": self.image, **params}, now=NOW, before=None).value


@pytest.fixture
def place(registry_url: str) -> Place:
    return Place(registry_url)
