"""Follows one kind of objects in one namespace, or in all: one list, then a watch from where the list stood.

Decides how each trouble is met: 410 lists anew, 401 reads the credentials again, 403 is asked again for a moment (an API server
that starts says it before its rules are loaded) and then told, 429 waits as asked, silence and broken connections are tried again
with growing pauses. What was learned goes to the sink; what it means is left to the stage.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Lock
from typing import Any, Protocol

import structlog

from bot.adapters.kubernetes.api import Api, Rejected, Stream, Unreachable, decoded
from bot.adapters.kubernetes.kinds import Kind
from bot.adapters.kubernetes.refusals import sentence
from bot.adapters.kubernetes.slim import slim
from bot.workloads.fields import items, text
from bot.workloads.packed import PackedList

PAGE = 250
WATCH_SECONDS = 60
SILENCE_SECONDS = 75.0
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
PATIENCE = 4
NOT_SERVED_PAUSE = 300.0
SHORTEST_WATCH = timedelta(seconds=1)

ONE_AT_A_TIME = Lock()
"""Held while a page is taken apart: all lists of all stages begin together, and a page of pods is tens of megabytes for a moment."""

log = structlog.get_logger(__name__)


class Sink(Protocol):
    """Where a follower's news go; called from the follower's own thread."""

    def listed(self, kind: Kind, namespace: str | None, found: Iterable[dict[str, Any]], version: int | None) -> None: ...

    def event(self, kind: Kind, change: str, obj: dict[str, Any]) -> None: ...

    def renew(self) -> None: ...

    def woke(self) -> None: ...


@dataclass(slots=True)
class Follower:
    """One list and watch. `keep`: what of an object is kept; `good_at`: when the API last confirmed what is known (UTC)."""

    api: Api
    kind: Kind
    namespace: str | None
    sink: Sink
    clock: Callable[[], datetime]
    stop: Event
    keep: Callable[[dict[str, Any]], dict[str, Any]] = slim
    good_at: datetime | None = None
    problem: str = ""
    problem_since: datetime | None = None
    absent: bool = False
    listed_once: bool = False
    _version: str = ""
    _stream: Stream | None = None
    _failures: int = 0
    _renewed: bool = False
    _verb: str = "list"
    _position: str = ""

    def run(self) -> None:
        """Follows until `stop` is set. A watch that ended or broke goes on from the last position that was heard."""
        while not self.stop.is_set():
            try:
                if not self._position:
                    self._position = self.list()
                if not self.stop.is_set():
                    self.follow()
            except Rejected as error:
                if error.status in (410, 500):
                    self._position = ""
                self.rejected(error)
            except Unreachable as error:
                self.failed(sentence(error, self.kind, self.namespace, self._verb), wait=None)
            except Exception:  # a follower that dies would leave the stage looking well
                log.exception("following a kind failed", kind=self.kind.kind, namespace=self.namespace)
                self._position = ""
                told = f"cannot {self._verb} {self.kind.resource}: an internal error, see the log; the bot tries again"
                self.failed(told, wait=LONGEST_PAUSE if self._failures > PATIENCE else None)

    def close(self) -> None:
        """Ends a watch that is waiting, so that `run` sees `stop`."""
        stream = self._stream
        if stream is not None:
            stream.close()

    def list(self) -> str:
        """Everything there is, page by page; returns the position from which to watch (empty when it was stopped)."""
        self._verb = "list"
        found = PackedList()
        query = {"limit": str(PAGE)} | self.selector()
        position = ""
        while not self.stop.is_set():
            raw = self.get(query)
            version = f"{self.kind.group}/{self.served()}" if self.kind.group else self.served()
            with ONE_AT_A_TIME:
                page = decoded(raw)
                for entry in items(page, "items"):
                    found.append(self.keep({"kind": self.kind.kind, "apiVersion": version, **entry}))
                position, more = text(page, "metadata", "resourceVersion"), text(page, "metadata", "continue")
                del page, raw
            if not more:
                break
            if query.get("continue") == more:
                raise Unreachable(f"the list of {self.kind.resource} has no end: a page names itself as the next")
            query = {"limit": str(PAGE), "continue": str(more)} | self.selector()
        else:
            return ""
        self.sink.listed(self.kind, self.namespace, found, int(position) if position.isdigit() else None)
        self.good()
        return position

    def get(self, query: dict[str, str]) -> bytes:
        """One page as it came, from the first version of the API group that is served."""
        versions = (self._version,) if self._version else self.kind.versions
        for version in versions:
            try:
                page = self.api.raw(self.kind.path(version, self.namespace), query, label=f"list {self.kind.plural}")
            except Rejected as error:
                if error.status != 404 or version == versions[-1]:
                    raise
                continue
            self._version = version
            return page
        raise AssertionError("a kind without versions")

    def served(self) -> str:
        """The version in use."""
        return self._version or self.kind.versions[0]

    def selector(self) -> dict[str, str]:
        """The part of the query that chooses objects."""
        return {"fieldSelector": self.kind.field_selector} if self.kind.field_selector else {}

    def follow(self) -> None:
        """One watch from the present position to its end."""
        self._verb = "watch"
        seconds = WATCH_SECONDS + random.randint(0, 10)  # noqa: S311  spreads the re-opening, no secret
        query = {"watch": "1", "resourceVersion": self._position, "allowWatchBookmarks": "true", "timeoutSeconds": str(seconds)}
        opened = self.clock()
        path = self.kind.path(self.served(), self.namespace)
        self._stream = self.api.watch(path, query | self.selector(), read=SILENCE_SECONDS + 10, label=f"watch {self.kind.plural}")
        try:
            if self.stop.is_set():
                return
            self.good()
            for change, obj in events(self._stream):
                self.take(change, obj)
        finally:
            self._stream.close()
            self._stream.response.release_conn()
            self._stream = None
        self.good()
        if self.clock() - opened < SHORTEST_WATCH:
            self.stop.wait(FIRST_PAUSE)

    def take(self, change: str, obj: dict[str, Any]) -> None:
        """One event. A bookmark is a position and nothing else: without a name it looks like a workload of zero replicas."""
        if change != "BOOKMARK":
            self.sink.event(self.kind, change, self.keep(obj))
        self._position = text(obj, "metadata", "resourceVersion") or self._position
        self.good()

    def good(self) -> None:
        """The API confirmed what is known."""
        recovered = bool(self.problem) or not self.listed_once
        self.good_at, self.problem, self.problem_since = self.clock(), "", None
        self._failures, self._renewed, self.absent, self.listed_once = 0, False, False, True
        if recovered:
            self.sink.woke()

    def rejected(self, error: Rejected) -> None:
        """The API said no."""
        wait = error.retry_after.total_seconds() if error.retry_after is not None else None
        if error.status == 410:
            self.failed("", wait=FIRST_PAUSE if self._failures else 0.0)
            return
        if error.status == 404 and not self.kind.essential:
            self.absent, self._version, self.listed_once = True, "", True
            self.problem, self.problem_since = "", None
            self.sink.woke()
            self.stop.wait(NOT_SERVED_PAUSE)
            return
        if error.status == 401 and not self._renewed:
            self._renewed = True
            self.sink.renew()
            return
        told = sentence(error, self.kind, self.namespace, self._verb)
        if error.status == 429 or (error.status == 403 and self._failures < PATIENCE):
            told = ""
        self.failed(told, wait=wait if wait is not None else (FIRST_PAUSE if error.status == 403 and not told else None))

    def failed(self, told: str, *, wait: float | None) -> None:
        """Remember the trouble, and pause before the next try."""
        self._failures += 1
        if told and not self.stop.is_set():
            news = not self.problem
            self.problem, self.problem_since = told, self.problem_since or self.clock()
            if news:
                self.sink.woke()
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures - 1, 8)) if wait is None else wait
        self.stop.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311  spreads retries, no secret


def events(stream: Stream) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of a watch. An error comes with HTTP 200 inside the stream: it is raised with its own code."""
    for line in stream.lines():
        change, obj = line.get("type"), line.get("object")
        if not isinstance(obj, dict) or not isinstance(change, str):
            continue
        if change == "ERROR":
            code = obj.get("code")
            raise Rejected(code if isinstance(code, int) else 500, f"the watch ended: {obj.get('message')}")
        yield change, obj
