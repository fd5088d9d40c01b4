"""When questions are asked again, and what is said while there is no answer."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.collectors.answers import Found, HeldAnswers
from bot.domain.errors import RateLimited, TransientError, UserError
from bot.domain.facts import Question
from tests.support.cases import NOW

ONE = Question(source="x", params=(("a", "1"),))
TWO = Question(source="x", params=(("a", "2"),))


class Scripted:
    """An asker that does as it is told."""

    source = "x"

    def __init__(self, act: Callable[[Mapping[str, str], object], Found]) -> None:
        self._act = act
        self.asked: list[tuple[datetime, str]] = []

    def ask(self, params: Mapping[str, str], *, now: datetime, before: object) -> Found:
        self.asked.append((now, params["a"]))
        return self._act(params, before)


def raising(*errors: Exception | None) -> Callable[[Mapping[str, str], object], Found]:
    left = list(errors)

    def act(_params: Mapping[str, str], _before: object) -> Found:
        error = left.pop(0) if left else None
        if error is not None:
            raise error
        return Found(value="good", fresh=timedelta(seconds=30))

    return act


def at(seconds: int) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_an_answer_is_kept_while_it_is_fresh() -> None:
    asker = Scripted(lambda _params, before: Found(value=(before or 0) + 1, fresh=timedelta(seconds=30)))  # type: ignore[operator]
    held = HeldAnswers(asker)
    values = [held.answer([ONE], now=at(seconds))[ONE].value for seconds in (0, 29, 30, 59, 61)]
    assert values == [1, 1, 2, 2, 3]
    assert held.answer([ONE], now=at(61))[ONE].look_again == at(91)


def test_a_failure_is_unknown_and_asked_ever_more_rarely() -> None:
    asker = Scripted(raising(*[TransientError("gone")] * 100))
    held = HeldAnswers(asker)
    for second in range(0, 400, 1):
        found = held.answer([ONE], now=at(second))[ONE]
        assert found.value is None
        assert found.problem.startswith("gone")
    assert [int((when - NOW).total_seconds()) for when, _ in asker.asked] == [0, 5, 15, 35, 75, 155, 315]
    assert "since 2" in held.answer([ONE], now=at(400))[ONE].problem


def test_the_other_sides_wish_for_a_pause_is_kept() -> None:
    asker = Scripted(raising(RateLimited("wait", retry_after=timedelta(seconds=90))))
    held = HeldAnswers(asker)
    held.answer([ONE], now=NOW)
    assert held.answer([ONE], now=at(89))[ONE].value is None
    assert held.answer([ONE], now=at(90))[ONE].value == "good"
    assert len(asker.asked) == 2


def test_a_stale_answer_is_not_shown_but_its_age_is() -> None:
    held = HeldAnswers(Scripted(raising(None, TransientError("gone"))))
    assert held.answer([ONE], now=NOW)[ONE].value == "good"
    later = held.answer([ONE], now=at(31))[ONE]
    assert later.value is None
    assert f"the last answer is from {NOW:%Y-%m-%d %H:%M} UTC" in later.problem


def test_an_answer_that_holds_is_shown_for_so_long() -> None:
    good = Found(value="good", fresh=timedelta(seconds=30), holds=timedelta(seconds=60))
    left: list[Found] = [good]

    def act(_params: Mapping[str, str], _before: object) -> Found:
        if not left:
            raise TransientError("gone")
        return left.pop()

    held = HeldAnswers(Scripted(act))
    assert [held.answer([ONE], now=at(seconds))[ONE].value for seconds in (0, 40, 89, 91)] == ["good", "good", "good", None]


def test_a_persons_mistake_is_told_with_its_remedy() -> None:
    held = HeldAnswers(Scripted(raising(UserError("It is wrong.", fix="mend it"))))
    assert held.answer([ONE], now=NOW)[ONE].problem == "It is wrong (mend it)"


def test_a_bug_in_one_source_is_unknown_and_no_crash() -> None:
    held = HeldAnswers(Scripted(raising(ZeroDivisionError("x"))))
    found = held.answer([ONE], now=NOW)[ONE]
    assert (found.value, found.problem) == (None, "internal error (ZeroDivisionError)")


def test_a_slow_answer_holds_up_neither_the_run_nor_its_neighbour() -> None:
    gate = threading.Event()

    def act(params: Mapping[str, str], _before: object) -> Found:
        if params["a"] == "1":
            gate.wait(5)
        return Found(value="good", fresh=timedelta(seconds=30))

    asker = Scripted(act)
    held = HeldAnswers(asker, patience_seconds=0.2)
    began = time.monotonic()
    found = held.answer([ONE, TWO], now=NOW)
    assert time.monotonic() - began < 1
    assert found[TWO].value == "good"
    assert (found[ONE].value, found[ONE].problem) == (None, "the answer is still awaited")
    assert held.answer([ONE], now=at(1))[ONE].value is None
    assert sum(1 for _, which in asker.asked if which == "1") == 1
    gate.set()
    for _ in range(50):
        if held.answer([ONE], now=at(2))[ONE].value == "good":
            break
    assert held.answer([ONE], now=at(2))[ONE].value == "good"
