"""Messages that several processes find waiting at the same time are told once; what one left half done another takes up."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.adapters.store.database import Database
from bot.adapters.store.outbox import CLAIM_LASTS, StoredOutbox
from bot.domain.action import Notify, Severity
from bot.domain.errors import TransientError
from bot.reconcile.telling import COPY, post
from tests.contract.reconcile.stage_world import StageWorld
from tests.support.builders import NOW


def message(key: str) -> Notify:
    return Notify(key=key, thread="t", severity=Severity.CRITICAL, stage="qa", text="failed", fields={})


class Slow:
    """A receiver that takes a while, and says how often it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def wants(self, _notice: Notify) -> bool:
        return True

    def tell(self, notice: Notify, *, now: datetime) -> None:
        time.sleep(0.3)
        self.told.append(notice.key)

    def post(self, *, key: str, **_other: object) -> str:
        time.sleep(0.3)
        self.told.append(key)
        return "ref"


@pytest.mark.parametrize("key", ["k", f"{COPY}hook:k"])
def test_two_that_find_it_waiting_tell_it_once(world: StageWorld, key: str) -> None:
    receiver = Slow()
    tools = replace(world.tools(chat=receiver), others={"hook": receiver})
    world.outbox.put(message(key), now=world.clock())

    def retell(_: int) -> None:
        for due in StoredOutbox(world.database).due(now=world.clock()):
            if due.key == key:
                post(tools, due)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(retell, range(3)))
    assert receiver.told == ["k"]


def test_what_was_claimed_is_free_again_after_a_while(database: Database) -> None:
    outbox = StoredOutbox(database)
    outbox.put(message("k"), now=NOW)
    assert outbox.claim("k", now=NOW)
    assert not outbox.claim("k", now=NOW + CLAIM_LASTS / 2)
    assert list(outbox.due(now=NOW + CLAIM_LASTS / 2)) == []
    later = NOW + CLAIM_LASTS
    assert [one.key for one in outbox.due(now=later)] == ["k"]
    assert outbox.claim("k", now=later)
    outbox.sent("k", "ref", now=later)
    assert not outbox.claim("k", now=later + timedelta(days=1))
    assert not outbox.claim("nobody", now=later)


def test_one_at_a_time_over_both_databases(database: Database) -> None:
    StoredOutbox(database).put(message("k"), now=NOW)
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(lambda _: StoredOutbox(database).claim("k", now=NOW), range(6))) == 1


def test_what_failed_waits_for_its_own_time_not_for_the_claims_end(world: StageWorld) -> None:
    class Deaf(Slow):
        def post(self, *, key: str, **_other: object) -> str:
            raise TransientError("down")

    world.outbox.put(message("k"), now=world.clock())
    assert not post(world.tools(chat=Deaf()), message("k"))
    world.clock.shift = timedelta(seconds=16)
    receiver = Slow()
    assert post(world.tools(chat=receiver), message("k"))
    assert receiver.told == ["k"]


class Broken(Slow):
    """A receiver with a fault of our own for one message."""

    def tell(self, notice: Notify, *, now: datetime) -> None:
        if notice.text == "failed":
            raise ZeroDivisionError
        super().tell(notice, now=now)

    def post(self, *, key: str, **other: object) -> str:
        if other["text"] == "failed":
            raise ZeroDivisionError
        return super().post(key=key, **other)


@pytest.mark.parametrize("prefix", ["", f"{COPY}hook:"])
def test_our_own_fault_in_one_message_holds_up_no_other_and_is_tried_less_and_less_often(world: StageWorld, prefix: str) -> None:
    receiver = Broken()
    tools = replace(world.tools(chat=receiver), others={"hook": receiver} if prefix else {})
    for key, text in (("bad", "failed"), ("good", "healthy")):
        world.outbox.put(replace(message(prefix + key), text=text), now=world.clock())
    assert [post(tools, due) for due in world.outbox.due(now=world.clock())] == [False, True]
    assert receiver.told == ["good"]
    world.clock.shift += timedelta(seconds=16)
    assert [due.key.removeprefix(prefix) for due in world.outbox.due(now=world.clock()) if due.key.startswith(prefix)] == ["bad"]
    assert not post(tools, replace(message(f"{prefix}bad")))
    world.clock.shift += timedelta(seconds=16)
    assert [due for due in world.outbox.due(now=world.clock()) if due.key == f"{prefix}bad"] == []
