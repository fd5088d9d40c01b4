"""Crash points: named places before and after each effect, at which a test lets the process die.

In production nothing happens at them. With PROMOTION_BOT_CRASH_AT=<name>:<before|after|saved>[:<nth time>] in the
environment the process kills itself there, as the kernel would (SIGKILL: nothing is flushed, nothing is cleaned up).
With PROMOTION_BOT_CRASH_TRACE=<file> it writes down which points it passes, so that a test knows where it could die.
"""

import os
import signal
from collections.abc import Mapping
from threading import Lock

VARIABLE = "PROMOTION_BOT_CRASH_AT"
TRACE = "PROMOTION_BOT_CRASH_TRACE"
BRANCH_PUSHED = "branch-pushed"
PULL_OPENED = "pull-opened"
PULL_UPDATED = "pull-updated"
PULL_CLOSED = "pull-closed"
LABELS = "labels"
SHOWN = "shown"
MERGED = "merged"
REVERTED = "reverted"
REVERT_OPENED = "revert-opened"
REVERT_MERGED = "revert-merged"
NOTIFIED = "notified"
ORDERED = "ordered"
REPLIED = "replied"
SAVED = "history-saved"
NAMES = (
    BRANCH_PUSHED,
    PULL_OPENED,
    PULL_UPDATED,
    PULL_CLOSED,
    LABELS,
    SHOWN,
    MERGED,
    REVERTED,
    REVERT_OPENED,
    REVERT_MERGED,
    NOTIFIED,
    ORDERED,
    REPLIED,
    SAVED,
)


class CrashPoints:
    """Where to die, and where to write down what is passed, read once from the environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        wanted = environ.get(VARIABLE, "")
        point, _, nth = wanted.rpartition(":") if wanted.count(":") == 2 else (wanted, "", "1")
        self._point = point
        self._left = int(nth or "1")
        self._trace = environ.get(TRACE, "")
        self._lock = Lock()

    def at(self, point: str) -> None:
        """The process stands at this point."""
        if self._trace:
            with self._lock, open(self._trace, "a") as file:
                file.write(f"{point}\n")
        if point != self._point:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


NOWHERE = CrashPoints({})
