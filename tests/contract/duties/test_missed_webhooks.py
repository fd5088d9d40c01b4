"""Webhooks that GitHub could not deliver are fetched back by the clock: at the start, and every five minutes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.duties.duties_world import DutiesWorld, duties_world

START = 10_000.0
FIVE_MINUTES = 300.0


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[DutiesWorld]:
    with duties_world(tmp_path, database_url) as made:
        yield made


def test_what_was_missed_comes_at_the_start_and_after_five_minutes(world: DutiesWorld) -> None:
    while_down = world.missed()
    assert while_down
    world.work_off(START)
    assert sorted(world.taken(while_down)) == sorted([*while_down, *while_down])

    under_way = world.missed()
    assert under_way
    assert not under_way & while_down
    world.work_off(START + FIVE_MINUTES - 1)
    assert sorted(world.taken(under_way)) == sorted(under_way)
    world.work_off(START + FIVE_MINUTES)
    assert sorted(world.taken(under_way)) == sorted([*under_way, *under_way])

    world.work_off(START + 2 * FIVE_MINUTES)
    taken = world.taken(while_down | under_way)
    assert sorted(taken) == sorted([*while_down, *under_way] * 2), "what was taken is not asked for again"
    assert all(one.signed for one in world.sink.received)
