"""What time it is: by GitHub's clock, counted on by seconds that nobody can set."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from bot.adapters.github.forge_time import ForgeTime, seconds_since_boot

TRUE = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Machine:
    """`clock` can be set, `steady` cannot."""

    def __init__(self, wrong: timedelta = timedelta()) -> None:
        self.seconds, self.wrong = 0.0, wrong

    def true(self) -> datetime:
        return TRUE + timedelta(seconds=self.seconds)

    def clock(self) -> datetime:
        return self.true() + self.wrong

    def steady(self) -> float:
        return 1000.0 + self.seconds


def date(at: datetime) -> dict[str, str]:
    return {"date": format_datetime(at, usegmt=True)}


def test_a_clock_that_is_set_while_we_run_changes_nothing() -> None:
    machine = Machine()
    now = ForgeTime(machine.clock, machine.steady)
    machine.seconds, machine.wrong = 30.0, timedelta(hours=3)
    assert now() == TRUE + timedelta(seconds=30)


def test_a_clock_that_was_wrong_from_the_start_is_corrected_by_the_first_answer() -> None:
    for wrong in (timedelta(minutes=10), -timedelta(days=2)):
        machine = Machine(wrong)
        now = ForgeTime(machine.clock, machine.steady)
        assert now() == machine.clock()
        now.heard(date(machine.true()))
        machine.seconds = 5.0
        assert now() == machine.true()


def test_an_answer_that_comes_late_moves_nothing() -> None:
    machine = Machine()
    now = ForgeTime(machine.clock, machine.steady)
    machine.seconds = 40.5
    now.heard(date(TRUE))
    assert now() == machine.true()


def test_what_a_cache_kept_or_what_is_no_date_is_not_listened_to() -> None:
    machine = Machine()
    now = ForgeTime(machine.clock, machine.steady)
    for headers in ({}, {"date": "yesterday"}, {"date": ""}, {**date(TRUE - timedelta(hours=1)), "age": "3600"}):
        now.heard(headers)
    assert now() == TRUE


def test_the_machine_counts_seconds() -> None:
    before = seconds_since_boot()
    time.sleep(0.05)
    assert seconds_since_boot() - before >= 0.05
