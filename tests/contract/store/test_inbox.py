"""The inbox and the wake-ups on both databases: nothing accepted is lost, nothing finished is handled twice, poison is set aside."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.adapters.store import inbox
from bot.adapters.store.database import Database
from bot.adapters.store.inbox import TRIES, Delivery, Receipt
from bot.adapters.store.wakeups import Wakeups
from tests.support.builders import NOW


class Queue:
    """Records what was enqueued. It is called inside the transaction, so that a rolled back one must not count: see `commits`."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, str, float]] = []

    def __call__(self, _connection: sa.Connection, stage: str, run: str, wait: float) -> None:
        self.runs.append((stage, run, wait))


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def wakeups(database: Database, queue: Queue) -> Wakeups:
    return Wakeups(database, queue)


def delivery(name: str = "d1", *, at: datetime = NOW, meaning: str = "m1") -> Delivery:
    return Delivery(source="github", delivery=name, event="push", meaning=meaning, received_at=at, repository="acme/env-qa", number=7)


def receive(database: Database, wakeups: Wakeups, found: Delivery, *stages: str) -> Receipt:
    with database.write() as session:
        [receipt] = inbox.receive_all(session, [(found, stages)])
        if receipt in (Receipt.ACCEPTED, Receipt.AGAIN):
            for stage in stages:
                wakeups.want_in(session, {stage: "push"}, now=found.received_at)
        return receipt


def states(database: Database) -> dict[str, str]:
    with database.read() as session:
        return {row.delivery: row.state for row in inbox.listing(session)}


def test_wake_ups_of_a_waiting_stage_collapse_into_one_run(database: Database, wakeups: Wakeups, queue: Queue) -> None:
    for number in range(5):
        receive(database, wakeups, delivery(f"d{number}", meaning=str(number)), "qa")
    assert [stage for stage, _, _ in queue.runs] == ["qa"]


def test_an_event_during_a_run_wants_another_one(database: Database, wakeups: Wakeups, queue: Queue) -> None:
    receive(database, wakeups, delivery("d1"), "qa")
    wakeups.begin("qa", "run1", now=NOW)
    receive(database, wakeups, delivery("d2", meaning="m2"), "qa")
    wakeups.finish("qa", "run1", now=NOW)
    assert len(queue.runs) == 2
    assert states(database) == {"d1": "done", "d2": "received"}


def test_a_delivery_is_done_when_all_its_stages_were_looked_at(database: Database, wakeups: Wakeups) -> None:
    receive(database, wakeups, delivery(), "qa", "prod")
    wakeups.begin("qa", "run1", now=NOW)
    wakeups.finish("qa", "run1", now=NOW)
    assert states(database) == {"d1": "received"}
    wakeups.begin("prod", "run2", now=NOW)
    wakeups.finish("prod", "run2", now=NOW)
    assert states(database) == {"d1": "done"}


def test_a_redelivery_of_an_unfinished_event_is_handled_of_a_finished_one_not(database: Database, wakeups: Wakeups, queue: Queue) -> None:
    assert receive(database, wakeups, delivery(), "qa") is Receipt.ACCEPTED
    wakeups.begin("qa", "run1", now=NOW)
    assert receive(database, wakeups, delivery(), "qa") is Receipt.AGAIN
    assert len(queue.runs) == 2
    wakeups.begin("qa", "run2", now=NOW)
    wakeups.finish("qa", "run2", now=NOW)
    assert receive(database, wakeups, delivery(), "qa") is Receipt.DUPLICATE
    assert len(queue.runs) == 2


def test_the_same_body_under_a_new_id_is_a_replay_once_the_first_is_long_done(database: Database, wakeups: Wakeups, queue: Queue) -> None:
    receive(database, wakeups, delivery(), "qa")
    wakeups.begin("qa", "run1", now=NOW)
    wakeups.finish("qa", "run1", now=NOW)
    soon = delivery("d2", at=NOW + timedelta(seconds=30))
    late = delivery("d3", at=NOW + timedelta(minutes=10))
    assert receive(database, wakeups, soon, "qa") is Receipt.ACCEPTED
    assert receive(database, wakeups, late, "qa") is Receipt.REPLAY
    assert "d3" not in states(database)


def test_the_same_body_is_no_replay_while_the_first_is_unfinished(database: Database, wakeups: Wakeups) -> None:
    receive(database, wakeups, delivery(), "qa")
    assert receive(database, wakeups, delivery("d2", at=NOW + timedelta(hours=1)), "qa") is Receipt.ACCEPTED


def test_an_unfinished_delivery_is_handled_again_though_another_of_the_same_body_is_done(database: Database, wakeups: Wakeups) -> None:
    receive(database, wakeups, delivery("d1"), "qa")
    receive(database, wakeups, delivery("d2"), "prod")
    wakeups.begin("qa", "run1", now=NOW)
    wakeups.finish("qa", "run1", now=NOW)
    assert states(database) == {"d1": "done", "d2": "received"}
    assert receive(database, wakeups, delivery("d2", at=NOW + timedelta(hours=1)), "prod") is Receipt.AGAIN


def test_what_comes_together_is_answered_one_by_one(database: Database, wakeups: Wakeups) -> None:
    receive(database, wakeups, delivery("done"), "qa")
    wakeups.begin("qa", "run1", now=NOW)
    wakeups.finish("qa", "run1", now=NOW)
    late = NOW + timedelta(minutes=10)
    arrived = [
        (delivery("new", meaning="m2"), ["qa", "prod"]),
        (delivery("new", meaning="m2"), ["qa", "prod"]),
        (delivery("done"), ["qa"]),
        (delivery("other", at=late), ["qa"]),
        (delivery("nobody", meaning="m3"), []),
    ]
    with database.write() as session:
        receipts = inbox.receive_all(session, arrived)
    assert receipts == [Receipt.ACCEPTED, Receipt.AGAIN, Receipt.DUPLICATE, Receipt.REPLAY, Receipt.ACCEPTED]
    assert states(database) == {"done": "done", "new": "received", "nobody": "done"}
    with database.read() as session:
        assert {row.delivery: row.waiting_for for row in inbox.listing(session)}["new"] == ("prod", "qa")


def test_poison_becomes_a_dead_letter_after_five_tries_and_others_go_on(database: Database, wakeups: Wakeups) -> None:
    receive(database, wakeups, delivery("bad"), "qa")
    receive(database, wakeups, delivery("good", meaning="m2"), "prod")
    for number in range(TRIES):
        wakeups.begin("qa", f"run{number}", now=NOW)
        assert wakeups.fail("qa", f"run{number}", "internal error: KeyError", our_fault=True, now=NOW) == number + 1
    wakeups.begin("prod", "p", now=NOW)
    wakeups.finish("prod", "p", now=NOW)
    assert states(database) == {"bad": "dead", "good": "done"}
    with database.read() as session:
        (row,) = inbox.listing(session, state="dead")
    assert (row.attempts, row.error, row.waiting_for) == (TRIES, "internal error: KeyError", ())


def test_what_passes_by_itself_never_makes_a_dead_letter(database: Database, wakeups: Wakeups) -> None:
    receive(database, wakeups, delivery(), "qa")
    for number in range(3 * TRIES):
        wakeups.begin("qa", f"run{number}", now=NOW)
        wakeups.fail("qa", f"run{number}", "GitHub answers 503", our_fault=False, now=NOW)
    assert states(database) == {"d1": "received"}
    assert wakeups.work()["qa"].failures == 3 * TRIES
    wakeups.begin("qa", "last", now=NOW)
    wakeups.finish("qa", "last", now=NOW)
    assert states(database) == {"d1": "done"}
    assert wakeups.work()["qa"].failures == 0


def test_a_retried_dead_letter_waits_for_its_stages_again(database: Database, wakeups: Wakeups) -> None:
    receive(database, wakeups, delivery(), "qa", "prod")
    for number in range(TRIES):
        wakeups.begin("qa", f"run{number}", now=NOW)
        wakeups.fail("qa", f"run{number}", "x", our_fault=True, now=NOW)
    with database.write() as session:
        row = inbox.retry(session, "d1")
    assert row is not None
    assert (row.state, row.attempts, row.stages) == ("received", 0, ("prod", "qa"))
    with database.read() as session:
        assert inbox.listing(session)[0].waiting_for == ("prod", "qa")
        assert inbox.retry(session, "unknown") is None


def test_an_event_without_stages_is_done_at_once(database: Database, wakeups: Wakeups) -> None:
    receive(database, wakeups, delivery())
    assert states(database) == {"d1": "done"}


def test_old_done_rows_are_forgotten_unfinished_and_dead_ones_are_not(database: Database, wakeups: Wakeups) -> None:
    receive(database, wakeups, delivery("done"))
    receive(database, wakeups, delivery("waiting", meaning="m2"), "qa")
    with database.write() as session:
        assert inbox.prune(session, before=NOW) == 0
        assert inbox.prune(session, before=NOW + timedelta(seconds=1)) == 1
    assert states(database) == {"waiting": "received"}


def test_only_an_earlier_time_is_scheduled_anew(wakeups: Wakeups, queue: Queue) -> None:
    for minutes in (10, 10, 20, 5, 7):
        wakeups.schedule("qa", NOW + timedelta(minutes=minutes), now=NOW)
    assert [wait for _, _, wait in queue.runs] == [600, 300]


def test_the_bell_is_rung_for_what_was_enqueued_and_for_nothing_else(database: Database, queue: Queue) -> None:
    rung: list[float] = []
    wakeups = Wakeups(database, queue, rung.append)
    wakeups.want("qa", "push", now=NOW)
    for minutes in (10, 20, 5):
        wakeups.schedule("qa", NOW + timedelta(minutes=minutes), now=NOW)
    wakeups.enqueue_again("qa", now=NOW)
    assert rung == [wait for _, _, wait in queue.runs] == [0.0, 600.0, 300.0, 0.0]


@pytest.mark.parametrize(
    ("seconds_since_the_last_run_began", "wait"),
    [(0.1, 0.4), (0.5, 0.0), (3600, 0.0), (-3600, 0.5)],
    ids=["a moment ago", "just long enough", "long ago", "before the clock was set back"],
)
def test_what_comes_soon_after_a_run_began_is_looked_at_together(
    database: Database, wakeups: Wakeups, queue: Queue, seconds_since_the_last_run_began: float, wait: float
) -> None:
    wakeups.begin("qa", "run", now=NOW)
    now, apart = NOW + timedelta(seconds=seconds_since_the_last_run_began), timedelta(seconds=0.5)
    for _ in range(3):
        with database.write() as session:
            waits = wakeups.want_in(session, {"qa": "push"}, now=now, apart=apart)
    assert waits == [], "those that came after the first wait for its run"
    assert [run[2] for run in queue.runs] == [pytest.approx(wait)]
    with database.write() as session:
        assert wakeups.want_in(session, {"uat": "push"}, now=now, apart=apart) == [0.0], "a stage that never ran waits for nothing"


def test_a_person_s_wish_waits_for_no_gap_between_events(wakeups: Wakeups, queue: Queue) -> None:
    wakeups.begin("qa", "run", now=NOW)
    wakeups.want("qa", "look", now=NOW)
    assert [run[2] for run in queue.runs] == [0.0]


def test_a_time_that_has_come_gives_room_for_the_next(wakeups: Wakeups, queue: Queue) -> None:
    wakeups.schedule("qa", NOW + timedelta(minutes=5), now=NOW)
    wakeups.begin("qa", "run", now=NOW + timedelta(minutes=5))
    assert wakeups.work()["qa"].wake_at is None
    wakeups.schedule("qa", NOW + timedelta(minutes=10), now=NOW + timedelta(minutes=5))
    assert [wait for _, _, wait in queue.runs] == [300, 300]


def test_a_rolled_back_delivery_leaves_nothing(database: Database, wakeups: Wakeups) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        inbox.receive_all(session, [(delivery(), ["qa"])])
        wakeups.want_in(session, {"qa": "push"}, now=NOW)
        raise RuntimeError
    assert states(database) == {}
    assert wakeups.work() == {}


def test_no_wake_up_is_lost_between_deliveries_and_runs_at_the_same_time(database: Database, wakeups: Wakeups) -> None:
    """Each delivery is seen by a run that began after it was stored: in the end, once more runs than marks, all are done."""

    def deliver(number: int) -> None:
        receive(database, wakeups, delivery(f"d{number}", meaning=str(number)), "qa")

    def run(number: int) -> None:
        wakeups.begin("qa", f"run{number}", now=NOW)
        wakeups.finish("qa", f"run{number}", now=NOW)

    with ThreadPoolExecutor(6) as pool:
        for number in range(30):
            pool.submit(deliver, number)
            pool.submit(run, number) if number % 3 == 0 else None
    unfinished = [name for name, state in states(database).items() if state != "done"]
    assert not unfinished or wakeups.work()["qa"].wanted


def test_a_number_that_no_database_holds_is_no_harm(database: Database, wakeups: Wakeups) -> None:
    assert receive(database, wakeups, replace(delivery(), number=2**62), "qa") is Receipt.ACCEPTED
