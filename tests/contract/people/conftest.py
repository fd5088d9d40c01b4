"""A fresh desk for each test, on one forge for all of them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.people.api_world import Served, served_bot
from tests.contract.people.desk_world import DeskWorld
from tests.contract.reconcile.stage_world import Hub


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    found = Hub(tmp_path_factory.mktemp("forge"))
    yield found
    found.sandbox.stop()


@pytest.fixture
def opened(tmp_path: Path, hub: Hub) -> Iterator[Callable[..., DeskWorld]]:
    made: list[DeskWorld] = []

    def make(**settings: Any) -> DeskWorld:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(DeskWorld(folder, hub, **settings))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(opened: Callable[..., DeskWorld]) -> DeskWorld:
    return opened()


@pytest.fixture(scope="module")
def served(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_bot(hub, tmp_path_factory.mktemp("bot")) as found:
        yield found
