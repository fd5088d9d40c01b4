"""Counts every request: what was asked, by whom, and how it was answered. Knows nothing of what requests mean."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request. `kind` is rest, graphql or git; `operation` a route template, the root fields, or the git service.

    `status` is what the client was told; 0 where the connection was cut. `applied` is False where a fault kept the
    request from the server's own code.
    """

    kind: str
    method: str
    operation: str
    path: str
    caller: str
    status: int
    applied: bool
    at: datetime


class Ledger:
    """All requests since the start or the last `reset`; safe to read while the server runs."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: list[Entry] = []

    def add(self, *, kind: str, method: str, operation: str, path: str, caller: str, status: int, applied: bool) -> None:
        """Write one request down."""
        entry = Entry(
            kind=kind, method=method, operation=operation, path=path, caller=caller, status=status, applied=applied, at=self._clock()
        )
        with self._lock:
            self._entries.append(entry)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every request, oldest first."""
        with self._lock:
            return tuple(self._entries)

    def _of(self, kind: str) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.kind == kind)

    @property
    def rest(self) -> tuple[Entry, ...]:
        """The REST calls."""
        return self._of("rest")

    @property
    def graphql(self) -> tuple[Entry, ...]:
        """The GraphQL requests."""
        return self._of("graphql")

    @property
    def git(self) -> tuple[Entry, ...]:
        """The requests of git's own protocol (a fetch or push is two or three)."""
        return self._of("git")

    def count(self, kind: str) -> dict[str, int]:
        """How often each `METHOD operation` of a kind was called."""
        return dict(Counter(f"{entry.method} {entry.operation}" for entry in self._of(kind)))

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
