"""The budget of one installation: who may write now, and who must wait because GitHub asked for a pause.

GitHub allows 80 content-creating requests a minute and 500 an hour, and punishes those who go on after a limit
(https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api). Merges and reverts may use all of it, opening most,
cosmetics what is left; for pushes into one repository GitHub recommends six a minute at most. Nothing sleeps here: the caller is told how
long to wait. What was sent is kept by a `Pace`, so that all processes of one installation share it.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import IntEnum

from prometheus_client import Gauge

from bot.domain.errors import RateLimited
from bot.domain.pace import Window, wait_for
from bot.ports.pace import Pace

MINUTE = 60.0
HOUR = 3600.0
PER_MINUTE = 80
PER_HOUR = 500
PUSHES_PER_MINUTE = 6
WRITES, EVERYTHING = "writes", "everything"
LONGEST_BACK_OFF = timedelta(minutes=15)
RESOURCES = ("core", "graphql")
REMAINING = Gauge("promotion_bot_api_budget_remaining", "What is left of the forge's hourly limit, as it said last.", ["resource"])


class Priority(IntEnum):
    """Who goes first when the budget is short."""

    URGENT = 0
    NORMAL = 1
    COSMETIC = 2


SHARE = {Priority.URGENT: 1.0, Priority.NORMAL: 0.9, Priority.COSMETIC: 0.7}


class OwnPace:
    """The pace of this process alone. `clock` counts seconds and never runs backwards."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sent: dict[str, deque[float]] = {}
        self._until: dict[str, float] = {}

    def take(self, name: str, weight: int, windows: Sequence[Window]) -> float:
        with self._lock:
            now, sent = self._clock(), self._sent.setdefault(name, deque())
            while sent and sent[0] <= now - HOUR:
                sent.popleft()
            wait = wait_for(sent, now, weight, windows)
            if wait <= 0:
                sent.extend([now] * weight)
            return max(wait, 0.0)

    def pause(self, name: str, length: timedelta) -> None:
        with self._lock:
            self._until[name] = max(self._clock() + length.total_seconds(), self._until.get(name, 0.0))

    def left(self, names: Sequence[str]) -> float:
        with self._lock:
            return max(self._until.get(name, 0.0) for name in names) - self._clock()


class Budget:
    """Who may send now, and who must wait. Without a `pace` this process keeps its own, by `clock`."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        per_minute: int = PER_MINUTE,
        per_hour: int = PER_HOUR,
        pushes_per_minute: int = PUSHES_PER_MINUTE,
        pace: Pace | None = None,
    ) -> None:
        self._limits = ((MINUTE, per_minute), (HOUR, per_hour))
        self._pushes = ((MINUTE, pushes_per_minute),)
        self._pace = pace if pace is not None else OwnPace(clock)
        self._clock = clock
        self._lock = threading.Lock()
        self._remaining: dict[str, int] = {}
        self._in_a_row = 0
        self._backed_off = timedelta()
        self._over_at = 0.0

    def check(self, resource: str) -> None:
        """`RateLimited` while GitHub's pause for this resource ("core", "graphql"), or for everything, lasts."""
        wait = self._pace.left([resource, EVERYTHING])
        if wait > 0:
            raise RateLimited("GitHub asked for a pause; nothing is sent before it is over.", retry_after=_whole(wait))

    def spend(self, priority: Priority, weight: int = 1) -> None:
        """Take `weight` writes out of the budget, or `RateLimited` with the time until they are there."""
        wait = self._pace.take(WRITES, weight, _share(self._limits, priority))
        if wait > 0:
            raise RateLimited(
                f"The budget of {self._limits[0][1]} writes a minute and {self._limits[1][1]} an hour that GitHub allows is used up.",
                retry_after=_whole(wait),
            )

    def push(self, repository: str, priority: Priority | None) -> None:
        """The same for one push. Without a priority it must not wait: it is counted only, and those after it wait longer."""
        windows = () if priority is None else _share(self._pushes, priority)
        wait = self._pace.take(f"push {repository}", 1, windows)
        if wait > 0:
            raise RateLimited(
                f"The {self._pushes[0][1]} pushes a minute into {repository} that GitHub recommends at most are used up.",
                retry_after=_whole(wait),
            )

    def back_off(self, shortest: timedelta) -> timedelta:
        """How long to wait for a limit that names no end: the shortest, and twice as long each further time that follows closely.

        https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately
        """
        with self._lock:
            now = self._clock()
            if self._backed_off and now < self._over_at:
                return self._backed_off
            closely = self._backed_off and now < self._over_at + self._backed_off.total_seconds()
            self._in_a_row = self._in_a_row + 1 if closely else 0
            self._backed_off = min(shortest * (1 << min(self._in_a_row, 10)), LONGEST_BACK_OFF)
            self._over_at = now + self._backed_off.total_seconds()
            return self._backed_off

    def pause(self, length: timedelta, resource: str = EVERYTHING) -> None:
        """GitHub asked for a pause of one resource or of everything; a shorter one does not end a longer one."""
        self._pace.pause(resource, length)

    def note(self, resource: str, remaining: int) -> None:
        """What GitHub says is left of a primary limit."""
        REMAINING.labels(resource=resource if resource in RESOURCES else "other").set(remaining)
        with self._lock:
            self._remaining[resource] = remaining

    def remaining(self) -> dict[str, int]:
        """The last known rest of each primary limit."""
        with self._lock:
            return dict(self._remaining)


def _share(windows: Sequence[Window], priority: Priority) -> tuple[Window, ...]:
    return tuple((span, max(1, int(limit * SHARE[priority]))) for span, limit in windows)


def _whole(seconds: float) -> timedelta:
    """Rounded up, so that the wait is over when it is over."""
    return timedelta(seconds=int(seconds) + 1)
