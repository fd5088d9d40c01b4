"""Pauses after failures: they grow, they end, chance never makes them longer, and the other side's wish is kept."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.reconcile.backoff import FIRST, LONGEST, pause

chances = st.floats(min_value=0, max_value=1)
failures = st.integers(min_value=-3, max_value=10_000)


@given(failures, chances)
def test_a_pause_lies_between_the_first_and_the_longest(count: int, chance: float) -> None:
    assert FIRST * 0.75 <= pause(count, chance) <= LONGEST


@given(st.integers(min_value=1, max_value=40), chances)
def test_pauses_do_not_shrink(count: int, chance: float) -> None:
    assert pause(count + 1, chance) >= pause(count, chance)


@given(failures, chances, st.timedeltas(min_value=timedelta(), max_value=timedelta(hours=2)))
def test_what_the_other_side_asked_for_is_kept(count: int, chance: float, asked: timedelta) -> None:
    assert pause(count, chance, asked=asked) >= max(asked, pause(count, chance))


def test_the_first_pauses() -> None:
    assert [pause(count, 1.0).total_seconds() for count in (1, 2, 3, 8, 9)] == [2, 4, 8, 256, 300]
