"""Wakes the thread that asks the queue for runs, as soon as this process has put one there: it need not ask often for that.

Decides when a waiting thread goes on, and when the delayed runs that are due must be released; what it does then is its own. A run
that was put there by another process is found by asking.
"""

import math
import threading
from collections.abc import Callable
from time import monotonic

LATE_SECONDS = 0.01
"""The queue counts milliseconds of the wall clock, the bell the monotonic clock: asked a moment too early, a run is not due yet."""


class Bell:
    """Rung after a run was enqueued. `ring(seconds)` rings when a run that is delayed by so much can be had."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rung = 0
        self._due: list[float] = []

    def ring(self, seconds: float = 0.0) -> None:
        """Returns at once."""
        with self._changed:
            if seconds > 0:
                self._due.append(monotonic() + seconds + LATE_SECONDS)
            else:
                self._rung += 1
            self._changed.notify_all()


class Ear(threading.Event):
    """Takes the place of the event that ends a worker which waits on it between its looks: a ring ends that wait and nothing else.

    However often the bell rings, `gap` seconds lie between two waits that end: many events at once are looked at together.
    `release` lets the delayed runs begin that are due. It is called before a wait ends, when one that was rung for is due, and every
    `release_gap` seconds at least, for those that other processes delayed; it must not raise.
    """

    def __init__(self, bell: Bell, gap: float = 0.0, *, release: Callable[[], None] = lambda: None, release_gap: float = math.inf) -> None:
        super().__init__()
        self._bell, self._gap = bell, gap
        self._release, self._release_gap = release, release_gap
        self._heard = bell._rung
        self._ended_at = self._released_at = -math.inf

    def set(self) -> None:
        """The worker shall end."""
        super().set()
        self._bell.ring()

    def wait(self, timeout: float | None = None) -> bool:
        """Until a ring, the time limit, the time to release, or the end; True at the end only."""
        bell, limit = self._bell, monotonic() + min(math.inf if timeout is None else timeout, self._release_gap)
        with bell._changed:
            while not self.is_set() and (left := self._left(limit)) > 0:
                bell._changed.wait(None if math.isinf(left) else left)
            now = self._ended_at = monotonic()
            later = [due for due in bell._due if due > now]
            some_due, bell._due = len(later) < len(bell._due), later
            self._heard = bell._rung
        if not self.is_set() and (some_due or now - self._released_at >= self._release_gap):
            self._released_at = now
            self._release()
        return self.is_set()

    def _left(self, limit: float) -> float:
        """Seconds until the wait ends if nobody rings; 0 or less when it is over."""
        due = -math.inf if self._bell._rung != self._heard else min(self._bell._due, default=math.inf)
        return min(limit, max(due, self._ended_at + self._gap)) - monotonic()
