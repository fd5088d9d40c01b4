"""The lines of a real run on a real engine, forge and database: who follows a delivery finds its run, and a promotion its calls."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from bot.adapters.store import inbox
from bot.adapters.store.database import Database
from bot.adapters.store.inbox import Delivery
from bot.domain.action import Action, Notify, Severity
from bot.domain.facts import Facts
from bot.logs import configure
from bot.planning.standing import Plan
from bot.reconcile.engine import NAMED
from bot.reconcile.run import RunResult, run_stage
from tests.contract.engine.test_engine import wait_for
from tests.contract.reconcile.stage_world import StageWorld
from tests.support.engine import engine_on, now

Lines = Callable[[], list[dict[str, object]]]
MANY = NAMED + 5
WIRE = "urllib3.connectionpool"
"""Tells each call that the forge's adapter makes."""


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What was logged until now, as the bot writes it."""
    root, wire = logging.getLogger(), logging.getLogger(WIRE)
    before, stream = (root.handlers, root.level), io.StringIO()
    configure(level="DEBUG", stream=stream)
    wire.setLevel(logging.DEBUG)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    wire.setLevel(logging.NOTSET)
    root.handlers, root.level = before
    structlog.reset_defaults()


def deliver(url: str, *names: str) -> None:
    database = Database(url)
    with database.write() as session:
        for name in names:
            inbox.receive_all(session, [(Delivery(source="github", delivery=name, event="push", meaning=name, received_at=now()), ["qa"])])
    database.close()


def ran(world: StageWorld, url: str, *actions: Action, deliveries: tuple[str, ...]) -> None:
    """One run of the stage, which was woken by these."""
    facts, ended = Facts(now=world.clock(), stage="qa", stages={}), list[str]()

    def run(stage: str) -> RunResult:
        run_stage(world.tools(), lambda _stage: facts, lambda _facts: Plan(stage="qa", actions=actions, reports=()))
        ended.append(stage)
        return RunResult()

    with engine_on(url, run, start=False) as engine:
        deliver(url, *deliveries)
        engine.start()
        wait_for(lambda: engine.wakeups.work()["qa"].ended_at is not None)
    assert ended == ["qa"]


def test_a_runs_lines_say_for_which_deliveries_stage_and_promotion_they_were(world: StageWorld, lines: Lines) -> None:
    opening, notice = world.opening(), Notify(key="k", thread="t", severity=Severity.INFO, stage="qa", text="x", fields={})
    ran(world, world.database.url, opening, notice, deliveries=("d2", "d1"))
    (begin,) = [line for line in lines() if line["event"] == "run.begin"]
    assert (begin["deliveries"], begin["count"], begin["stage"]) == (["d1", "d2"], 2, "qa")

    ours = {"stage": "qa", "run": begin["run"], "action": "OpenPromotion", "promotion": opening.promotion.id, "service": "payments"}
    calls = [line for line in lines() if line["logger"] == WIRE and '"POST /' in str(line["event"]) and "/pulls" in str(line["event"])]
    assert calls, "the adapter's library tells the call that opens the pull request"
    assert all(line.items() >= ours.items() for line in calls)

    done = {str(line["action"]): line for line in lines() if line["event"] == "action.done"}
    assert done["OpenPromotion"].items() >= ours.items()
    assert (done["Notify"]["run"], "promotion" in done["Notify"]) == (begin["run"], False), "what is bound ends with its action"


def test_of_many_deliveries_some_are_named_and_all_are_counted(world: StageWorld, database_url: str, lines: Lines) -> None:
    names = tuple(f"d{number:03}" for number in range(MANY))
    ran(world, database_url, deliveries=names)
    (begin,) = [line for line in lines() if line["event"] == "run.begin"]
    assert (begin["deliveries"], begin["count"]) == (list(names[:20]), MANY)


def test_a_run_that_answers_none_says_nothing_of_them(world: StageWorld, database_url: str, lines: Lines) -> None:
    ran(world, database_url, deliveries=())
    assert [line for line in lines() if line["event"] == "run.begin"] == []
