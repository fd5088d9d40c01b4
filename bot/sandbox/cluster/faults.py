"""Switches that make the cluster misbehave.

Decides which request meets which fault. What an unreachable cluster means for its socket is the server's business.
"""

import threading
from dataclasses import dataclass, field

from bot.sandbox.cluster.accounts import Accounts, Rule
from bot.sandbox.cluster.answers import Refusal, refuse, throttled


@dataclass(slots=True)
class _Fault:
    kind: str
    left: int | None
    part: str
    value: float


@dataclass(slots=True)
class Faults:
    """The faults of one cluster. Each can be limited to paths that contain a text, and to so many requests (None: until `clear`)."""

    accounts: Accounts
    _faults: list[_Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def unauthorized(self, *, on: bool = True) -> None:
        """Every token is unknown: 401."""
        self.accounts.refuse_all = on

    def forbid(self, *, verbs: tuple[str, ...] = ("*",), groups: tuple[str, ...] = ("*",), resources: tuple[str, ...] = ("*",),
               namespaces: tuple[str, ...] = ()) -> None:  # fmt: skip
        """Takes rights away from everybody: 403."""
        self.accounts.denied.append(Rule(groups=groups, resources=resources, verbs=verbs, namespaces=namespaces))

    def throttle(self, *, times: int | None = None, retry_after: int = 1, path: str = "") -> None:
        """429 with Retry-After (seconds)."""
        self._add(_Fault("throttle", times, path, retry_after))

    def fail(self, code: int, *, times: int | None = None, path: str = "") -> None:
        """500, 503 or 504 as the apiserver words them."""
        self._add(_Fault("fail", times, path, code))

    def slow(self, seconds: float, *, times: int | None = None, path: str = "") -> None:
        """Each answer is so many seconds late."""
        self._add(_Fault("slow", times, path, seconds))

    def clear(self) -> None:
        """Takes all faults off but `unreachable`."""
        with self._lock:
            self._faults.clear()
        self.accounts.refuse_all = False
        self.accounts.denied.clear()

    def meet(self, path: str) -> float:
        """The faults of one request: raises its refusal, or answers how many seconds to wait first."""
        wait = 0.0
        with self._lock:
            met = [fault for fault in self._faults if fault.part in path and fault.left != 0]
            for fault in met:
                fault.left = None if fault.left is None else fault.left - 1
        for fault in met:
            if fault.kind == "slow":
                wait += fault.value
            elif fault.kind == "throttle":
                raise throttled(int(fault.value))
            else:
                raise _failure(int(fault.value))
        return wait

    def _add(self, fault: _Fault) -> None:
        with self._lock:
            self._faults.append(fault)


def _failure(code: int) -> Refusal:
    if code == 503:
        return Refusal(503, text="service unavailable\n")
    if code == 504:
        late = {"metadata": {}, "status": "Failure", "message": "Timeout: request did not complete within the allotted timeout",
                "reason": "Timeout", "details": {}, "code": 504}  # fmt: skip
        return Refusal(504, late)
    return refuse(code, "etcdserver: request timed out")
