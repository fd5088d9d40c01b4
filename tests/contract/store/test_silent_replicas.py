"""What `/metrics` tells of replicas that are gone: one whose heart stands still is no living one, whether or not others noticed."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.adapters.store.database import Database
from bot.adapters.store.replicas import Replicas
from bot.reconcile.engine import Timing
from tests.support.web import WebWorld, web_world

DEAD_AFTER = Timing().dead_after


@pytest.fixture
def world(database: Database) -> Iterator[WebWorld]:
    with web_world(database) as found:
        yield found


def told(world: WebWorld) -> dict[str, float]:
    """The samples of `promotion_bot_replicas` by state."""
    start = 'promotion_bot_replicas{state="'
    lines = [line.removeprefix(start) for line in world.http.get("/metrics").text.splitlines() if line.startswith(start)]
    return {line.partition('"')[0]: float(line.split()[-1]) for line in lines}


def stand_still(database: Database, replica: str, seconds: float) -> None:
    """Its heart beat last so long ago, by the database's own clock."""
    with database.write() as session:
        at = database.clock(session) - timedelta(seconds=seconds)
        text = at.strftime("%Y-%m-%d %H:%M:%S.%f") + ("" if database.is_sqlite else "+00")
        session.connection().exec_driver_sql(f"UPDATE replicas SET beat_at = '{text}' WHERE id = '{replica}'")


def test_a_heart_that_stands_still_is_silent_until_it_beats_again(database: Database) -> None:
    replicas = Replicas(database)
    replicas.register("a")
    time.sleep(0.6)
    replicas.register("b")
    assert replicas.states(dead_after=timedelta(seconds=0.5)) == {"alive": 1, "silent": 1}
    assert replicas.states(dead_after=timedelta(minutes=1)) == {"alive": 2}
    assert replicas.beat("a")
    assert replicas.states(dead_after=timedelta(seconds=0.5)) == {"alive": 2}


def test_metrics_show_a_silent_replica_and_never_count_it_among_the_living_again(world: WebWorld) -> None:
    replicas = Replicas(world.database)
    for name in ("one", "two"):
        replicas.register(name)
    assert told(world) == {"alive": 2, "silent": 0, "dead": 0}
    stand_still(world.database, "two", DEAD_AFTER.total_seconds() - 5)
    assert told(world) == {"alive": 2, "silent": 0, "dead": 0}
    stand_still(world.database, "two", DEAD_AFTER.total_seconds() + 1)
    assert told(world) == {"alive": 1, "silent": 1, "dead": 0}
    assert replicas.claim_dead("one", dead_after=DEAD_AFTER) == ["two"]
    assert told(world) == {"alive": 1, "silent": 0, "dead": 1}
    replicas.finish("two")
    assert told(world) == {"alive": 1, "silent": 0, "dead": 0}


def test_one_that_left_in_order_is_none_of_them(world: WebWorld) -> None:
    replicas = Replicas(world.database)
    replicas.register("one")
    replicas.leave("one")
    stand_still(world.database, "one", DEAD_AFTER.total_seconds() + 1)
    assert told(world) == {"alive": 0, "silent": 0, "dead": 0}
