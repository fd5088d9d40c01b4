"""Replicas: a dead one is claimed once, a living one never, and one that was claimed cannot write any more."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bot.adapters.store.database import Database
from bot.adapters.store.effects import EffectJournal
from bot.adapters.store.history import StoredHistory
from bot.adapters.store.replicas import Replicas
from bot.domain.errors import Fenced
from tests.support.builders import NOW, promotion

LONG = timedelta(minutes=1)
AT_ONCE = timedelta(seconds=-1)


@pytest.fixture
def replicas(database: Database) -> Replicas:
    return Replicas(database)


def test_fencing_numbers_grow(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda name: Replicas(database).register(str(name)), range(8)))
    assert sorted(numbers) == list(range(1, 9))


def test_a_living_replica_is_not_claimed(replicas: Replicas) -> None:
    replicas.register("a")
    replicas.register("b")
    assert replicas.claim_dead("b", dead_after=LONG) == []
    assert replicas.beat("a")


def test_a_replica_whose_heart_stopped_is_claimed_by_exactly_one(replicas: Replicas, database: Database) -> None:
    replicas.register("a")
    time.sleep(0.2)
    for name in ("b", "c", "d"):
        replicas.register(name)
    with ThreadPoolExecutor(3) as pool:
        claims = list(pool.map(lambda by: Replicas(database).claim_dead(by, dead_after=timedelta(seconds=0.15)), ("b", "c", "d")))
    assert [claim for claim in claims if "a" in claim] == [["a"]] or sum(claim.count("a") for claim in claims) == 1
    assert not replicas.beat("a")


def test_a_process_that_is_gone_from_this_host_is_claimed_at_once(database: Database) -> None:
    program = (
        "import sys; from bot.adapters.store.database import Database; from bot.adapters.store.replicas import Replicas;"
        "Replicas(Database(sys.argv[1])).register('child')"
    )
    subprocess.run([sys.executable, "-c", program, database.url], check=True)
    replicas = Replicas(database)
    replicas.register("parent")
    assert replicas.claim_dead("parent", dead_after=LONG) == ["child"]
    assert replicas.claim_dead("parent", dead_after=LONG) == []
    replicas.finish("child")
    assert replicas.states(dead_after=LONG) == {"alive": 1, "stopped": 1}


def test_what_one_that_left_had_taken_is_resumed_at_once_and_only_once(replicas: Replicas) -> None:
    replicas.register("a")
    replicas.leave("a")
    assert replicas.claim_dead("b", dead_after=LONG) == ["a"]
    assert replicas.claim_dead("c", dead_after=LONG) == []
    replicas.finish("a")
    assert replicas.claim_dead("c", dead_after=AT_ONCE) == []


def test_a_claimed_replica_cannot_write(replicas: Replicas, database: Database) -> None:
    history, journal = StoredHistory(database), EffectJournal(database)
    replicas.register("paused")
    with replicas.acting_as("paused"):
        saved = history.save_promotion(promotion(), why="x", actor="promotion-bot", now=NOW)
        replicas.claim_dead("other", dead_after=AT_ONCE)
        with pytest.raises(Fenced):
            history.save_promotion(saved, why="y", actor="promotion-bot", now=NOW)
        with pytest.raises(Fenced):
            journal.begin("merge:1", "merged", now=NOW)
        assert list(history.promotions("qa")) == [saved]
    history.save_promotion(saved, why="somebody else", actor="promotion-bot", now=NOW)
    assert not journal.known("merge:1")


def test_the_fence_belongs_to_the_thread_that_acts(replicas: Replicas, database: Database) -> None:
    history = StoredHistory(database)
    replicas.register("paused")
    replicas.claim_dead("other", dead_after=AT_ONCE)
    with replicas.acting_as("paused"), ThreadPoolExecutor(1) as pool:
        pool.submit(history.save_binding, "p", {}, now=NOW).result()
    assert os.getpid()


def test_replicas_that_left_long_ago_are_forgotten_but_the_newest(replicas: Replicas, database: Database) -> None:
    for name in ("a", "b", "c"):
        replicas.register(name)
        replicas.finish(name)
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE replicas SET beat_at = '2020-01-01 00:00:00.000000'")
    replicas.prune()
    assert replicas.states(dead_after=LONG) == {"stopped": 1}
    assert replicas.register("d") == 4
