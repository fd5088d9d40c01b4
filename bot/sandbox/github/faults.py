"""The fault script: what goes wrong, at which call of which route.

Decides whether a request is struck; `gate` carries it out. A route is named by its method and a pattern over the
route template (`/repos/*/pulls/*/merge`, matched without regard to parameter names), over the root fields of a GraphQL
document (method `GRAPHQL`, pattern `createPullRequest`) or over a git service (method `GIT`, pattern `git-receive-pack`).
"""

import re
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

KINDS = (
    "status",  # status:502 or status:405:Base branch was modified. Review and try the merge again.
    "applied_then",  # applied_then:502
    "applied_then_500",
    "applied_then_reset",
    "delay",  # delay:1.5
    "reset",
    "secondary_limit",  # secondary_limit or secondary_limit:30 (Retry-After)
    "primary_limit",
    "truncate",
    "html200",
    "stale_read",
)


@dataclass(slots=True, kw_only=True)
class Fault:
    """Strikes matching calls number `at` (counted from 1 since it was added) and on, `times` times; `seen` and `struck` count."""

    method: str
    pattern: str
    kind: str
    argument: str = ""
    at: int = 1
    times: int | None = 1
    seen: int = 0
    struck: int = 0

    def matches(self, method: str, operations: list[str]) -> bool:
        """Whether the request is one of those it counts."""
        if self.method not in ("*", method):
            return False
        return any(fnmatchcase(operation, self.pattern) or self.pattern == "*" for operation in operations)


@dataclass(slots=True)
class Faults:
    """The script; the first fault that strikes wins."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _script: list[Fault] = field(default_factory=list)

    def add(self, method: str, route: str, *, kind: str, at: int = 1, times: int | None = 1) -> Fault:
        """Add a line to the script. `times=None` strikes for ever. Raises ValueError for a kind that does not exist."""
        name, _, argument = kind.partition(":")
        if name not in KINDS:
            raise ValueError(f"no fault is called {name!r}; there are {', '.join(KINDS)}")
        if name in ("status", "delay") and not argument:
            raise ValueError(f"{name} needs an argument, such as {'status:502' if name == 'status' else 'delay:1.5'}")
        fault = Fault(method=method.upper(), pattern=_shape(route), kind=name, argument=argument, at=at, times=times)
        with self._lock:
            self._script.append(fault)
        return fault

    def strike(self, method: str, operations: list[str]) -> Fault | None:
        """The fault for this request, if one is due; counts the call for every fault that watches it."""
        shapes = [_shape(operation) for operation in operations]
        with self._lock:
            chosen = None
            for fault in self._script:
                if not fault.matches(method, shapes):
                    continue
                fault.seen += 1
                due = fault.seen >= fault.at and (fault.times is None or fault.struck < fault.times)
                if due and chosen is None:
                    fault.struck += 1
                    chosen = fault
            return chosen

    def clear(self) -> None:
        """Nothing goes wrong from now on."""
        with self._lock:
            self._script.clear()

    @property
    def script(self) -> tuple[Fault, ...]:
        """The lines of the script with their counters."""
        with self._lock:
            return tuple(self._script)


def _shape(route: str) -> str:
    """A route without the names of its parameters: `/repos/{owner}/{repo}/pulls` -> `/repos/*/*/pulls`."""
    return re.sub(r"\{[^}]*\}", "*", route)
