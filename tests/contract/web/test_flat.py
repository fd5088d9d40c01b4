"""Over many events memory and file handles stay flat: what is done is forgotten, in the process and in the database."""

import gc
from collections.abc import Iterator
from datetime import timedelta

import psutil
import pytest

from bot.adapters.store import inbox
from bot.adapters.store.database import Database
from bot.adapters.store.pruning import prune
from tests.support.builders import NOW
from tests.support.web import WebWorld, push, web_world

EVENTS = 300
SLACK_MB = 8


@pytest.fixture
def world(database: Database) -> Iterator[WebWorld]:
    with web_world(database) as found:
        yield found


def live(world: WebWorld, first: int, events: int) -> None:
    """So many deliveries come, their stages are looked at, and later they are forgotten."""
    for number in range(first, first + events):
        assert world.send(delivery=f"d{number}", payload=push(after=f"{number:040x}", body="x" * 2_000)).status_code == 202
        if number % 50 == 0:
            look(world)
    look(world)
    prune(world.database, now=NOW + timedelta(days=3650))
    world.runs.stages.clear()


def look(world: WebWorld) -> None:
    with world.database.write() as session:
        for stage in ("qa", "prod"):
            inbox.take(session, stage, "r")
            inbox.answered(session, stage, "r", now=NOW)


@pytest.mark.slow
def test_memory_handles_and_rows_stay_flat(world: WebWorld) -> None:
    process = psutil.Process()
    live(world, 0, 100)
    gc.collect()
    memory, handles = process.memory_info().rss, process.num_fds()
    live(world, 100, EVENTS)
    gc.collect()
    grown = (process.memory_info().rss - memory) / 1e6
    assert grown < SLACK_MB, f"{grown:.1f} MB more after {EVENTS} events"
    assert process.num_fds() <= handles + 2
    with world.database.read() as session:
        assert inbox.counts(session) == {}
