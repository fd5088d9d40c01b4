"""How many calls were made, by kind and by what they were for: a promotion's cost is a number, not a feeling.

Kinds are "rest", "graphql" and "git". A subject is "owner/name#12", "owner/name@branch" (before it has a number), "owner/name" or "".
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping

from prometheus_client import Counter as Counted

REST = "rest"
GRAPHQL = "graphql"
GIT = "git"
MOST_SUBJECTS = 20_000
CALLS = Counted("promotion_bot_api_calls_total", "Calls of the forge by kind: rest, graphql, git.", ["kind"])


def pull_subject(repository: str, number: int) -> str:
    return f"{repository}#{number}"


def branch_subject(repository: str, branch: str) -> str:
    return f"{repository}@{branch}"


class Ledger:
    """A counter that any thread may add to. The oldest subjects are forgotten; totals never are."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._total: Counter[str] = Counter()
        self._by_subject: OrderedDict[str, Counter[str]] = OrderedDict()

    def add(self, kind: str, subject: str) -> None:
        CALLS.labels(kind=kind).inc()
        with self._lock:
            self._total[kind] += 1
            self._by_subject.setdefault(subject, Counter())[kind] += 1
            self._by_subject.move_to_end(subject)
            while len(self._by_subject) > MOST_SUBJECTS:
                self._by_subject.popitem(last=False)

    def join(self, earlier: str, later: str) -> None:
        """What was counted for `earlier` belongs to `later`: a branch has got its pull request."""
        with self._lock:
            counted = self._by_subject.pop(earlier, None)
            if counted is not None:
                self._by_subject.setdefault(later, Counter()).update(counted)

    def total(self) -> Mapping[str, int]:
        """Calls since the start, by kind."""
        with self._lock:
            return dict(self._total)

    def of(self, subject: str) -> Mapping[str, int]:
        """Calls for one subject, by kind."""
        with self._lock:
            return dict(self._by_subject.get(subject, Counter()))
