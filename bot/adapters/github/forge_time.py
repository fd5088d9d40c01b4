"""The time of day as GitHub tells it: what the bot goes by, whatever somebody does to this machine's clock.

Begins with the machine's clock, counts on by seconds that nobody can set, and goes by the `Date` of GitHub's answers where they
differ from that by more than a minute. So a clock that is wrong or jumps neither shortens a soak nor makes a rollout overdue, and all
replicas go by one clock. GitHub's is the one to go by: comments, reviews and merges bear its instants.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from bot.adapters.github.errors import their_time

log = structlog.get_logger("clock")

TOLERANCE = timedelta(seconds=60)
"""An answer may come late, and tells whole seconds."""


def seconds_since_boot() -> float:
    """Seconds that go on evenly, while the machine sleeps too where the system counts them (Linux)."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class ForgeTime:
    """The time of day (UTC). `machine` is asked once; `steady` counts seconds."""

    def __init__(self, machine: Callable[[], datetime], steady: Callable[[], float]) -> None:
        self._steady = steady
        self._anchor = (machine(), steady())

    def __call__(self) -> datetime:
        at, mark = self._anchor
        return at + timedelta(seconds=self._steady() - mark)

    def heard(self, headers: Mapping[str, str]) -> None:
        """An answer of GitHub's came just now. What a cache kept tells an old time, and is not listened to."""
        theirs = their_time(headers)
        if theirs is None or headers.get("age", "0") != "0":
            return
        wrong = self() - theirs
        if abs(wrong) > TOLERANCE:
            self._anchor = (theirs, self._steady())
            log.warning("clock.corrected", seconds=round(wrong.total_seconds()), reason="the clock and GitHub's differ; GitHub's counts")
