"""One paced budget for all processes that share a database, and for one that was started anew."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.adapters.github.budget import Budget, Priority
from bot.adapters.store.database import Database
from bot.adapters.store.pace import LONGEST_PAUSE, SharedPace
from bot.adapters.store.queue_tables import PauseRow
from bot.adapters.store.replicas import Replicas
from bot.domain.errors import Fenced, RateLimited

MINUTE = ((60.0, 10),)


def budget(database: Database, **limits: int) -> Budget:
    """That of a process which has just started."""
    return Budget(lambda: 0.0, pace=SharedPace(database), **limits)


def until_refused(spend: Callable[[], None], most: int = 1000) -> int:
    for count in range(most):
        try:
            spend()
        except RateLimited:
            return count
    raise AssertionError("no limit")


def test_two_processes_spend_one_budget(database: Database) -> None:
    first, second = budget(database), budget(database)
    assert until_refused(lambda: first.spend(Priority.COSMETIC)) == 56
    assert until_refused(lambda: second.spend(Priority.NORMAL)) == 16
    assert until_refused(lambda: second.spend(Priority.URGENT)) == 8
    with pytest.raises(RateLimited) as caught:
        first.spend(Priority.URGENT)
    assert caught.value.retry_after is not None
    assert timedelta(seconds=30) < caught.value.retry_after <= timedelta(seconds=61)


def test_one_that_is_started_anew_goes_on_where_it_was(database: Database) -> None:
    assert until_refused(lambda: budget(database, per_minute=5).spend(Priority.URGENT)) == 5


def test_a_pause_is_kept_by_all(database: Database) -> None:
    first, second = budget(database), budget(database)
    first.pause(timedelta(seconds=90), "graphql")
    second.check("core")
    with pytest.raises(RateLimited) as caught:
        second.check("graphql")
    assert caught.value.retry_after is not None
    assert timedelta(seconds=80) < caught.value.retry_after <= timedelta(seconds=91)
    second.pause(timedelta(seconds=5), "graphql")
    with pytest.raises(RateLimited) as caught:
        first.check("graphql")
    assert caught.value.retry_after > timedelta(seconds=80)
    first.pause(timedelta(seconds=30))
    with pytest.raises(RateLimited):
        second.check("core")


def test_of_two_pauses_at_the_same_time_the_longer_one_counts(database: Database) -> None:
    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            session.add(PauseRow(name="core", until=database.clock(session) + timedelta(minutes=30), why="a rate limit"))
            session.flush()
            other = pool.submit(SharedPace(database).pause, "core", timedelta(seconds=5))
            time.sleep(0.3)
        other.result()
    assert SharedPace(database).left(["core"]) > 60


def test_pushes_have_a_pace_of_their_own_in_each_repository(database: Database) -> None:
    first, second = budget(database), budget(database)
    assert until_refused(lambda: first.push("acme/env", Priority.NORMAL)) == 5
    assert until_refused(lambda: second.push("acme/env", Priority.URGENT)) == 1
    second.push("acme/other", Priority.NORMAL)
    first.spend(Priority.COSMETIC)


def test_what_must_not_wait_is_counted_all_the_same(database: Database) -> None:
    found = budget(database)
    for _ in range(20):
        found.push("acme/env", None)
    with pytest.raises(RateLimited):
        found.push("acme/env", Priority.URGENT)


def test_processes_at_the_same_time_never_take_more_than_there_is(database: Database) -> None:
    def spend(_: int) -> int:
        mine = SharedPace(database)
        return sum(mine.take("writes", 1, MINUTE) == 0 for _ in range(5))

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(spend, range(6))) == 10


def test_one_that_was_taken_for_dead_takes_nothing(database: Database) -> None:
    replicas, pace = Replicas(database), SharedPace(database)
    replicas.register("paused")
    with replicas.acting_as("paused"):
        assert pace.take("writes", 1, MINUTE) == 0
        replicas.claim_dead("other", dead_after=timedelta(seconds=-1))
        with pytest.raises(Fenced):
            pace.take("writes", 1, ())
    assert pace.take("writes", 9, MINUTE) == 0
    assert pace.take("writes", 1, MINUTE) > 0


def test_a_clock_that_was_set_back_stops_nobody_for_longer_than_an_hour(database: Database) -> None:
    pace = SharedPace(database)
    assert pace.take("writes", 10, MINUTE) == 0
    pace.pause("core", timedelta(seconds=10))
    with database.write() as session:
        for table, column in (("paces", "at"), ("pauses", "until")):
            session.connection().execute(sa.text(f"UPDATE {table} SET {column} = '2199-01-01 00:00:00.000000'"))
    assert 0 < pace.take("writes", 1, MINUTE) <= 60
    assert pace.left(["core"]) <= LONGEST_PAUSE.total_seconds()
    pace.pause("core", timedelta(seconds=1))
    assert pace.left(["core"]) <= 1


def test_what_is_an_hour_old_is_forgotten(database: Database) -> None:
    pace = SharedPace(database)
    pace.take("push acme/once", 1, ())
    with database.write() as session:
        session.connection().execute(sa.text("UPDATE paces SET at = '2020-01-01 00:00:00.000000'"))
    pace.take("writes", 1, MINUTE)
    with database.read() as session:
        assert session.connection().execute(sa.text("SELECT name FROM paces")).scalars().all() == ["writes"]
