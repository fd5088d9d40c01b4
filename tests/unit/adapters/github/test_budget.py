"""The budget: 80 writes a minute and 500 an hour, merges first, cosmetics last, and GitHub's pauses kept."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.github.budget import Budget, Priority
from bot.adapters.github.ledger import Ledger
from bot.domain.errors import RateLimited


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def spend_all(budget: Budget, priority: Priority) -> tuple[int, RateLimited]:
    for count in range(10_000):
        try:
            budget.spend(priority)
        except RateLimited as error:
            return count, error
    raise AssertionError("no limit")


def test_merges_may_use_all_of_it_and_cosmetics_leave_the_most() -> None:
    assert spend_all(Budget(Clock()), Priority.URGENT)[0] == 80
    assert spend_all(Budget(Clock()), Priority.NORMAL)[0] == 72
    assert spend_all(Budget(Clock()), Priority.COSMETIC)[0] == 56
    budget = Budget(Clock())
    assert [spend_all(budget, priority)[0] for priority in reversed(Priority)] == [56, 16, 8]


def test_the_wait_is_told_and_is_long_enough() -> None:
    clock = Clock()
    budget = Budget(clock)
    _, error = spend_all(budget, Priority.URGENT)
    assert error.retry_after is not None
    clock.now += error.retry_after.total_seconds()
    budget.spend(Priority.URGENT)


def test_a_heavy_request_waits_for_all_of_its_weight_but_not_for_ever() -> None:
    clock = Clock()
    budget = Budget(clock)
    budget.spend(Priority.URGENT, 78)
    with pytest.raises(RateLimited):
        budget.spend(Priority.URGENT, 3)
    budget.spend(Priority.URGENT, 2)
    Budget(clock).spend(Priority.URGENT, 1000)


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(1, 5), st.sampled_from(Priority)), max_size=400))
def test_no_window_ever_holds_more_than_its_limit(steps: list[tuple[float, int, Priority]]) -> None:
    clock = Clock()
    budget = Budget(clock, per_minute=10, per_hour=40)
    sent: list[float] = []
    for pause, weight, priority in steps:
        clock.now += pause
        try:
            budget.spend(priority, weight)
        except RateLimited:
            continue
        sent += [clock.now] * weight
    for at in sent:
        assert sum(1 for other in sent if at - 60 < other <= at) <= 10
        assert sum(1 for other in sent if at - 3600 < other <= at) <= 40


def test_a_pause_of_one_resource_leaves_the_other_and_a_pause_of_all_none() -> None:
    clock = Clock()
    budget = Budget(clock)
    budget.pause(timedelta(seconds=30), "core")
    budget.check("graphql")
    with pytest.raises(RateLimited) as caught:
        budget.check("core")
    assert caught.value.retry_after is not None
    assert timedelta(seconds=30) <= caught.value.retry_after <= timedelta(seconds=31)
    budget.pause(timedelta(seconds=5))
    with pytest.raises(RateLimited):
        budget.check("graphql")
    budget.pause(timedelta(seconds=1), "core")
    clock.now += 29
    with pytest.raises(RateLimited):
        budget.check("core")
    clock.now += 1
    budget.check("core")
    budget.check("graphql")


def test_a_limit_that_names_no_end_is_waited_for_longer_each_time() -> None:
    clock = Clock()
    budget, minute = Budget(clock), timedelta(minutes=1)
    for expected in (1, 2, 4, 8, 15, 15):
        assert budget.back_off(minute) == expected * minute
        assert budget.back_off(minute) == expected * minute, "several that are told of one limit wait for it once"
        clock.now += expected * 60
    clock.now += 3600
    assert budget.back_off(minute) == minute


def test_the_ledger_counts_by_kind_and_by_subject() -> None:
    ledger = Ledger()
    ledger.add("rest", "acme/env@x")
    ledger.add("git", "acme/env@x")
    ledger.join("acme/env@x", "acme/env#1")
    ledger.add("rest", "acme/env#1")
    ledger.add("graphql", "acme/env")
    ledger.join("nobody", "acme/env#1")
    assert ledger.of("acme/env#1") == {"rest": 2, "git": 1}
    assert ledger.of("acme/env@x") == {}
    assert ledger.total() == {"rest": 2, "git": 1, "graphql": 1}
