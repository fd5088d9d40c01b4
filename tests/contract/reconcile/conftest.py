"""A fresh stage for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.reconcile.stage_world import StageWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[StageWorld]:
    found = StageWorld(tmp_path)
    yield found
    found.close()
