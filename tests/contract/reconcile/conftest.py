"""A fresh stage for each test, on one forge for all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.reconcile.stage_world import Hub, StageWorld


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    found = Hub(tmp_path_factory.mktemp("forge"))
    yield found
    found.sandbox.stop()


@pytest.fixture
def world(tmp_path: Path, hub: Hub) -> Iterator[StageWorld]:
    found = StageWorld(tmp_path, hub)
    yield found
    found.close()


@pytest.fixture
def signing(tmp_path: Path, hub: Hub) -> Iterator[StageWorld]:
    """A stage whose commits the forge makes and signs."""
    found = StageWorld(tmp_path, hub, signed=True)
    yield found
    found.close()
