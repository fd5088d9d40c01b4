"""A stage whose runs always fail by a fault of our own: the engine gives its deliveries up after five tries, shows them, and takes them up
again when a person says so. The other stages go on."""

import json
from dataclasses import replace
from datetime import timedelta

from bot.adapters.store import inbox
from bot.adapters.store.database import Database
from bot.adapters.store.inbox import Delivery, StoredDelivery
from bot.reconcile.engine import TRIES
from bot.reconcile.run import RunResult
from tests.contract.engine.test_engine import Runs, wait_for
from tests.contract.store.test_commands import run
from tests.support.engine import QUICK, engine_on, now

TIMING = replace(QUICK, first_pause=timedelta(milliseconds=10))


def arrive(database: Database, name: str, *stages: str) -> None:
    delivery = Delivery(source="github", delivery=name, event="push", meaning=name, received_at=now())
    with database.write() as session:
        inbox.receive_all(session, [(delivery, stages)])


def standing(database: Database, state: str = "") -> dict[str, StoredDelivery]:
    with database.read() as session:
        return {one.delivery: one for one in inbox.listing(session, state=state)}


def test_the_engines_fifth_failure_makes_dead_letters_that_a_person_drives_again(database_url: str) -> None:
    database, mended = Database(database_url), False

    def answer(stage: str, count: int) -> RunResult:
        if stage == "qa" and count == 3:
            arrive(database, "late", "qa")
        if stage == "qa" and not mended:
            raise KeyError("a bug")
        return RunResult()

    runs = Runs(answer)
    with engine_on(database_url, runs, stages=("qa", "prod"), timing=TIMING, start=False) as engine:
        arrive(database, "poison", "qa")
        arrive(database, "of both", "prod", "qa")
        arrive(database, "other", "prod")
        engine.start()
        wait_for(lambda: len(standing(database, "dead")) == 2)
        dead = standing(database, "dead")
        assert {name: (one.attempts, one.error) for name, one in dead.items()} == {
            "poison": (TRIES, "internal error: KeyError"),
            "of both": (TRIES, "internal error: KeyError"),
        }
        assert runs.of("qa") == TRIES == 5
        wait_for(lambda: standing(database)["other"].state == "done")
        late = standing(database)["late"]
        assert (late.state, late.attempts) == ("received", 2), "only the runs that were to answer it count against it"

        arrive(database, "after", "prod")
        engine.wake("prod", "push")
        wait_for(lambda: standing(database)["after"].state == "done")
        assert (standing(database)["after"].attempts, runs.of("qa")) == (0, TRIES), "the sixth look waits for the resync"

        mended = True
        (shown, _) = json.loads(run("events", "--database", database.url, "--state", "dead", "--output", "json").stdout)
        assert shown["error"] == "internal error: KeyError"
        retried = run("events", "--database", database.url, "retry", "poison")
        assert (retried.returncode, retried.stdout) == (0, "poison is taken up again; woken: qa\n")
        wait_for(lambda: {standing(database)[name].state for name in ("poison", "late")} == {"done"})
        assert engine.wakeups.work()["qa"].failures == 0  # type: ignore[attr-defined]
        assert list(standing(database, "dead")) == ["of both"], "nobody asked for that one"
    database.close()
