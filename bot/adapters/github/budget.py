"""The budget of one installation: who may write now, and who must wait because GitHub asked for a pause.

GitHub allows 80 content-creating requests a minute and 500 an hour, and punishes those who go on after a limit
(https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api). Merges and reverts may use all of it, opening most,
cosmetics what is left. Nothing sleeps here: the caller is told how long to wait. Seconds are of a monotonic clock.
"""

import threading
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from enum import IntEnum

from prometheus_client import Gauge

from bot.domain.errors import RateLimited

MINUTE = 60.0
HOUR = 3600.0
PER_MINUTE = 80
PER_HOUR = 500
EVERYTHING = ""
RESOURCES = ("core", "graphql")
REMAINING = Gauge("promotion_bot_api_budget_remaining", "What is left of the forge's hourly limit, as it said last.", ["resource"])


class Priority(IntEnum):
    """Who goes first when the budget is short."""

    URGENT = 0
    NORMAL = 1
    COSMETIC = 2


SHARE = {Priority.URGENT: 1.0, Priority.NORMAL: 0.9, Priority.COSMETIC: 0.7}


class Budget:
    """Counts our own writes and remembers GitHub's pauses. `clock` counts seconds and never runs backwards."""

    def __init__(self, clock: Callable[[], float], *, per_minute: int = PER_MINUTE, per_hour: int = PER_HOUR) -> None:
        self._clock = clock
        self._limits = ((MINUTE, per_minute), (HOUR, per_hour))
        self._lock = threading.Lock()
        self._writes: deque[float] = deque()
        self._until: dict[str, float] = {}
        self._remaining: dict[str, int] = {}

    def check(self, resource: str) -> None:
        """`RateLimited` while GitHub's pause for this resource ("core", "graphql"), or for everything, lasts."""
        with self._lock:
            wait = max(self._until.get(resource, 0.0), self._until.get(EVERYTHING, 0.0)) - self._clock()
        if wait > 0:
            raise RateLimited("GitHub asked for a pause; nothing is sent before it is over.", retry_after=_whole(wait))

    def spend(self, priority: Priority, weight: int = 1) -> None:
        """Take `weight` writes out of the budget, or `RateLimited` with the time until they are there."""
        with self._lock:
            now = self._clock()
            while self._writes and self._writes[0] <= now - HOUR:
                self._writes.popleft()
            wait = max(self._wait(now, span, max(1, int(limit * SHARE[priority])), weight) for span, limit in self._limits)
            if wait <= 0:
                self._writes.extend([now] * weight)
                return
        raise RateLimited(
            f"The budget of {self._limits[0][1]} writes a minute and {self._limits[1][1]} an hour that GitHub allows is used up.",
            retry_after=_whole(wait),
        )

    def pause(self, length: timedelta, resource: str = EVERYTHING) -> None:
        """GitHub asked for a pause of one resource or of everything; a shorter one does not end a longer one."""
        with self._lock:
            until = self._clock() + length.total_seconds()
            self._until[resource] = max(until, self._until.get(resource, 0.0))

    def note(self, resource: str, remaining: int) -> None:
        """What GitHub says is left of a primary limit."""
        REMAINING.labels(resource=resource if resource in RESOURCES else "other").set(remaining)
        with self._lock:
            self._remaining[resource] = remaining

    def remaining(self) -> dict[str, int]:
        """The last known rest of each primary limit."""
        with self._lock:
            return dict(self._remaining)

    def _wait(self, now: float, span: float, limit: int, weight: int) -> float:
        """Seconds until `weight` more writes fit into a window of `span` seconds."""
        inside = [at for at in self._writes if at > now - span]
        too_many = len(inside) + min(weight, limit) - limit
        return 0.0 if too_many <= 0 else inside[too_many - 1] + span - now


def _whole(seconds: float) -> timedelta:
    """Rounded up, so that the wait is over when it is over."""
    return timedelta(seconds=int(seconds) + 1)
