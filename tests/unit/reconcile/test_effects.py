"""Effects: a done one is never repeated, a doubtful one is looked for first, a refused one begins anew."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from bot.domain.errors import OutcomeUnknown, RateLimited, Refused, Stale, TransientError
from bot.reconcile.effects import LOOKS, Effects

NOW = datetime(2026, 11, 20, tzinfo=UTC)


class Journal:
    """The journal's rules in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, object]] = {}

    def begin(self, key: str, name: str, *, now: datetime) -> tuple[str, object]:
        if key not in self.rows:
            self.rows[key] = ("started", None)
            return "new", None
        return self.rows[key]

    def done(self, key: str, result: object, *, now: datetime) -> None:
        self.rows[key] = ("done", result)

    def forget(self, key: str) -> None:
        self.rows.pop(key, None)

    def known(self, key: str) -> bool:
        return key in self.rows


class World:
    """Counts what was done; `answers` are what the tries raise, one after the other."""

    def __init__(self, *answers: Exception | None, applied: bool = True, seen_after: int = 0) -> None:
        self.answers = list(answers)
        self.applied = applied
        self.seen_after = seen_after
        self.done = 0
        self.looks = 0

    def do(self) -> str:
        answer = self.answers.pop(0) if self.answers else None
        if answer is None or (self.applied and isinstance(answer, OutcomeUnknown)):
            self.done += 1
        if answer is not None:
            raise answer
        return "made"

    def look(self) -> str | None:
        self.looks += 1
        return "made" if self.done and self.looks > self.seen_after else None


def once(journal: Journal, world: World, pauses: list[float] | None = None) -> str:
    sleep: Callable[[float], None] = (pauses if pauses is not None else []).append
    return Effects(journal, lambda: NOW, sleep=sleep).once("k", name="n", look=world.look, do=world.do, kind=str)


def test_the_first_time_nothing_is_looked_for() -> None:
    world = World()
    assert once(Journal(), world) == "made"
    assert (world.done, world.looks) == (1, 0)


def test_what_is_done_is_not_done_again() -> None:
    journal, world = Journal(), World()
    assert once(journal, world) == once(journal, world) == "made"
    assert (world.done, world.looks) == (1, 0)


def test_a_lost_answer_is_looked_for_with_growing_pauses() -> None:
    journal, world, pauses = Journal(), World(OutcomeUnknown("502"), seen_after=2), []
    assert once(journal, world, pauses) == "made"
    assert (world.done, world.looks) == (1, 3)
    assert pauses == list(LOOKS[:3])
    assert journal.rows["k"] == ("done", "made")


def test_a_lost_answer_that_is_not_to_be_seen_is_looked_for_before_the_next_try() -> None:
    journal, world = Journal(), World(OutcomeUnknown("reset"), seen_after=99)
    with pytest.raises(OutcomeUnknown):
        once(journal, world)
    world.seen_after = 0
    assert once(journal, world) == "made"
    assert world.done == 1


def test_a_write_that_never_happened_is_done_once_it_was_looked_for() -> None:
    journal, world = Journal(), World(OutcomeUnknown("reset"), applied=False)
    with pytest.raises(OutcomeUnknown):
        once(journal, world)
    looks = world.looks
    assert once(journal, world) == "made"
    assert (world.done, world.looks) == (1, looks + 1)


@pytest.mark.parametrize("refusal", [Stale("moved"), Refused("no"), RateLimited("slow")])
def test_a_refusal_is_certain_and_the_next_try_begins_anew(refusal: Exception) -> None:
    journal, world = Journal(), World(refusal)
    with pytest.raises(type(refusal)):
        once(journal, world)
    assert once(journal, world) == "made"
    assert (world.done, world.looks) == (1, 0)


def test_after_any_other_failure_it_is_looked_for_first() -> None:
    journal, world = Journal(), World(TransientError("down"))
    with pytest.raises(TransientError):
        once(journal, world)
    assert once(journal, world) == "made"
    assert (world.done, world.looks) == (1, 1)
