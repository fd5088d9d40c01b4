"""A run that the queue gave away and that never began (the database failed in between) must not hold its stage up for ever."""

import time
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from bot.adapters.store.database import Database
from bot.adapters.store.replicas import ALIVE, STOPPED
from bot.reconcile.queue import SCHEMA
from bot.reconcile.run import RunResult
from tests.contract.engine.test_engine import Runs, idle, wait_for
from tests.support.engine import QUICK, engine_on

TIMING = replace(QUICK, rescue=timedelta(seconds=2))


def given_away(url: str, replica: str, run: str) -> None:
    """Leave the row as the durable queue does: taken by this executor, whose thread never got it."""
    database = Database(url)
    table = "workflow_status" if database.is_sqlite else f"{SCHEMA}.workflow_status"
    update = sa.text(f"UPDATE {table} SET status = 'PENDING', executor_id = :replica WHERE workflow_uuid = :run")
    with database.write() as session:
        assert session.connection().execute(update, {"replica": replica, "run": run}).rowcount == 1
    database.close()


def test_it_is_put_back_and_the_stage_goes_on(database_url: str) -> None:
    runs = Runs()
    with engine_on(database_url, runs, timing=TIMING) as engine:
        wait_for(lambda: runs.of("qa") > 0 and idle(engine), seconds=60)
        before = runs.of("qa")
        given_away(database_url, engine.replica, finished(database_url)[0])
        engine.wake("qa", "an event behind it")
        wait_for(lambda: runs.of("qa") >= before + 2, seconds=60)
        wait_for(lambda: idle(engine), seconds=60)
        assert not engine.queue.held()


def test_a_run_that_a_paused_process_took_under_its_dead_name_goes_on(database_url: str) -> None:
    runs = Runs()
    with engine_on(database_url, runs, timing=TIMING) as engine:
        wait_for(lambda: runs.of("qa") > 0 and idle(engine), seconds=60)
        dead = engine.replica
    with engine_on(database_url, runs, timing=TIMING) as engine:
        wait_for(lambda: runs.of("qa") > 1 and idle(engine), seconds=60)
        wait_for(lambda: engine.replicas.states(dead_after=TIMING.dead_after) == {ALIVE: 1, STOPPED: 1})
        given_away(database_url, dead, finished(database_url)[0])
        engine.wake("qa", "an event behind it")
        wait_for(lambda: runs.of("qa") >= 4, seconds=60)
        wait_for(lambda: idle(engine), seconds=60)
        assert not engine.queue.held()
    assert runs.overlaps == 0


def test_a_run_under_way_is_left_alone(database_url: str) -> None:
    def slowly(_stage: str, _count: int) -> RunResult:
        time.sleep(6)
        return RunResult()

    runs = Runs(slowly)
    with engine_on(database_url, runs, timing=TIMING):
        wait_for(lambda: runs.of("qa") == 1)
        time.sleep(5)
    assert (runs.of("qa"), runs.overlaps) == (1, 0)


def finished(url: str) -> list[str]:
    database = Database(url)
    table = "workflow_status" if database.is_sqlite else f"{SCHEMA}.workflow_status"
    with database.read() as session:
        rows = session.connection().execute(sa.text(f"SELECT workflow_uuid FROM {table} WHERE status = 'SUCCESS'"))
        found = [str(row[0]) for row in rows]
    database.close()
    return found
