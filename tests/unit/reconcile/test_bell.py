"""A ring ends a wait at once, a ring that is set ends it when it is due, and only the end says that it is the end."""

import threading
import time
from itertools import pairwise

import pytest

from bot.reconcile import bell as bells
from bot.reconcile.bell import Bell, Ear

LONG = 30.0


@pytest.fixture(autouse=True)
def punctual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bells, "LATE_SECONDS", 0.0)


class Waiter:
    """A thread that waits once."""

    def __init__(self, ear: Ear, timeout: float | None) -> None:
        self.ended: list[bool] = []
        self._thread = threading.Thread(target=lambda: self.ended.append(ear.wait(timeout)), daemon=True)
        self._thread.start()

    def join(self) -> list[bool]:
        self._thread.join(LONG / 2)
        return self.ended


def test_a_ring_ends_the_wait_but_not_the_worker() -> None:
    bell = Bell()
    ear = Ear(bell)
    waiter = Waiter(ear, LONG)
    bell.ring()
    assert waiter.join() == [False]
    assert not ear.is_set()


def test_a_ring_before_the_wait_is_not_lost_and_counts_once() -> None:
    bell = Bell()
    ear = Ear(bell)
    bell.ring()
    bell.ring()
    assert Waiter(ear, LONG).join() == [False]
    waiter = Waiter(ear, None)
    time.sleep(0.05)
    assert waiter.ended == [], "both rings were answered by one look"
    bell.ring()
    assert waiter.join() == [False]


def test_a_ring_that_is_set_comes_when_it_is_due_and_the_later_one_after_it() -> None:
    bell = Bell()
    ear = Ear(bell)
    bell.ring(0.3)
    bell.ring(0.1)
    began = time.monotonic()
    assert Waiter(ear, LONG).join() == [False]
    assert time.monotonic() - began >= 0.1
    assert Waiter(ear, LONG).join() == [False]
    assert 0.3 <= time.monotonic() - began < LONG / 2
    waiter = Waiter(ear, None)
    time.sleep(0.05)
    assert waiter.ended == []
    ear.set()
    assert waiter.join() == [True]


def test_without_a_ring_the_time_limit_ends_the_wait() -> None:
    assert Waiter(Ear(Bell()), 0.05).join() == [False]


def test_the_end_ends_every_wait_from_then_on() -> None:
    ear = Ear(Bell())
    waiter = Waiter(ear, LONG)
    ear.set()
    assert waiter.join() == [True]
    assert ear.is_set()
    assert ear.wait(LONG)


def test_a_new_ear_hears_nothing_of_old_rings() -> None:
    bell = Bell()
    bell.ring()
    assert Waiter(Ear(bell), 0.05).join() == [False]


def test_many_rings_are_answered_together_and_the_last_is_not_lost() -> None:
    bell = Bell()
    ear, ended = Ear(bell, gap=0.2), list[float]()

    def listen() -> None:
        while not ear.wait(LONG):
            ended.append(time.monotonic())

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    began = time.monotonic()
    while time.monotonic() - began < 0.5:
        bell.ring()
        time.sleep(0.005)
    rung = time.monotonic()
    bell.ring()
    time.sleep(0.5)
    assert ended[-1] >= rung - 0.005
    assert all(later - earlier >= 0.2 for earlier, later in pairwise(ended))
    assert len(ended) <= 5
    ear.set()
    thread.join(LONG / 2)
    assert not thread.is_alive()


def test_delayed_runs_are_released_when_they_are_due_and_by_the_clock_and_not_with_each_ring() -> None:
    bell, released = Bell(), list[float]()
    ear = Ear(bell, release=lambda: released.append(time.monotonic()), release_gap=0.6)
    bell.ring()
    assert Waiter(ear, LONG).join() == [False]
    assert len(released) == 1, "those that were delayed before it began"
    bell.ring(0.2)
    bell.ring()
    assert Waiter(ear, LONG).join() == [False]
    assert len(released) == 1, "a plain ring has nothing to do with delayed runs"
    assert Waiter(ear, LONG).join() == [False]
    assert len(released) == 2
    assert released[1] - released[0] >= 0.2
    assert Waiter(ear, 0.7).join() == [False]
    assert len(released) == 3, "those that other processes delayed"
    ear.set()
    assert Waiter(ear, LONG).join() == [True]
    assert len(released) == 3, "nothing is released at the end"


def test_a_worker_that_waits_long_is_woken_for_what_other_processes_delayed() -> None:
    """After conflicts with other replicas the queue's worker waits for up to two minutes."""
    bell, released = Bell(), list[float]()
    ear = Ear(bell, release=lambda: released.append(time.monotonic()), release_gap=0.2)
    for count in (1, 2, 3):
        assert Waiter(ear, LONG).join() == [False]
        assert len(released) == count
    assert all(later - earlier < 1 for earlier, later in pairwise(released))
