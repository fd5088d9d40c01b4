"""A fresh workspace and stage for each test, on one forge for all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox.slack import SlackSandbox
from tests.contract.reconcile.stage_world import Hub
from tests.contract.slack.slack_world import SlackWorld


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    found = Hub(tmp_path_factory.mktemp("forge"))
    yield found
    found.sandbox.stop()


@pytest.fixture
def world(tmp_path: Path, hub: Hub) -> Iterator[SlackWorld]:
    with SlackSandbox() as slack:
        found = SlackWorld(tmp_path, hub, slack)
        yield found
        found.close()
