"""How far our clock is from the forge's, by the forge's own word: a wrong clock is told before tokens are refused for it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bot.adapters.github.skew import skew
from bot.domain.errors import TransientError
from tests.support.far_side import answer, far_side, saying

THEIRS = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(minutes=10), timedelta(minutes=-10), timedelta(hours=3)])
def test_a_wrong_clock_is_told_by_how_much(ahead: timedelta) -> None:
    with far_side(saying(answer(date=format_datetime(THEIRS, usegmt=True)))) as far:
        assert skew(far.url, lambda: THEIRS + ahead) == ahead


def test_a_clock_that_jumps_back_while_we_ask_is_no_crash() -> None:
    ours = iter([THEIRS, THEIRS - timedelta(hours=1)])
    with far_side(saying(answer(date=format_datetime(THEIRS, usegmt=True)))) as far:
        assert skew(far.url, lambda: next(ours)) == timedelta(minutes=-30)


@pytest.mark.parametrize("said", ["", "yesterday", "Sat, 99 Nov 2026 12:00:00 GMT"])
def test_who_tells_no_time_is_not_compared(said: str) -> None:
    with far_side(saying(answer(**({"date": said} if said else {})))) as far:
        assert skew(far.url, lambda: THEIRS) is None


def test_who_cannot_be_reached_passes_by_itself() -> None:
    with far_side(saying(answer())) as far:
        gone = far.url
    with pytest.raises(TransientError):
        skew(gone, lambda: THEIRS)
