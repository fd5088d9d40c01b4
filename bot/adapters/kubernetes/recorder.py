"""Writes down what a cluster's API says about one workload while it rolls out, in the form that `rollout replay` reads.

Decides what belongs into the file: the target, what it made, and the events about them; no credentials, no environment values.
What the file means is decided in `workloads.recording`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock, Thread
from typing import Any

from bot.adapters.kubernetes import access
from bot.adapters.kubernetes.api import Api, Rejected, Unreachable
from bot.adapters.kubernetes.follower import Follower
from bot.adapters.kubernetes.kinds import KINDS, Kind
from bot.config.stage import Cluster
from bot.domain.errors import UserError
from bot.workloads.cache import key_of
from bot.workloads.family import Family, Key
from bot.workloads.fields import text

BESIDE = ("ReplicaSet", "Pod", "Event")


@dataclass(slots=True)
class Recorder:
    """One recording under way. `clock` tells UTC. Start it, stop it, then ask for the `recording`."""

    cluster: Cluster
    kind: str
    namespace: str
    name: str
    clock: Callable[[], datetime]
    wanted_image: str | None = None
    entries: list[tuple[Kind, dict[str, Any]]] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    stop_asked: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)
    followers: list[Follower] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    server: str = ""
    began: datetime | None = None
    api: Api | None = None

    def start(self) -> None:
        """Begin. UserError where the kind is not known, or the cluster cannot be asked."""
        kinds = [kind for kind in KINDS if kind.kind == self.kind or kind.kind in BESIDE]
        if not any(kind.kind == self.kind for kind in kinds):
            known = ", ".join(sorted(kind.kind for kind in KINDS))
            raise UserError(f"{self.kind} is no kind that can be recorded", fix=f"say one of {known}")
        self.api = Api(configuration=access.configure(self.cluster))
        try:
            self.server = str(self.api.get("/version").get("gitVersion", ""))
        except (Rejected, Unreachable) as error:
            raise UserError(f"The cluster cannot be asked: {error.what}", fix="check kubeconfig, context and network") from None
        self.began = self.clock()
        for kind in kinds:
            follower = Follower(api=self.api, kind=kind, namespace=self.namespace, sink=self, clock=self.clock, stop=self.stop_asked)
            self.followers.append(follower)
            self.threads.append(Thread(target=follower.run, name=f"record:{kind.plural}", daemon=True))
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """End it."""
        self.stop_asked.set()
        for follower in self.followers:
            follower.close()
        for thread in self.threads:
            thread.join(5)

    def listed(self, kind: Kind, namespace: str | None, found: Iterable[dict[str, Any]], version: int | None) -> None:
        """A whole list; of the target's kind the target alone is kept, and told as if it had been read."""
        path = kind.path(kind.versions[0], self.namespace)
        if kind.kind != self.kind:
            for obj in found:
                self.write(kind, {"type": "watch_event", "watch": kind.plural, "event": {"type": "ADDED", "object": obj}})
            return
        mine = next((obj for obj in found if text(obj, "metadata", "name") == self.name), None)
        answer = {"status": 200, "body": mine} if mine is not None else {"status": 404}
        self.write(kind, {"type": "http", "request": {"method": "GET", "path": f"{path}/{self.name}"}, "response": answer})

    def event(self, kind: Kind, change: str, obj: dict[str, Any]) -> None:
        """One event of a watch."""
        if kind.kind == self.kind and text(obj, "metadata", "name") != self.name:
            return
        obj.setdefault("kind", kind.kind)
        self.write(kind, {"type": "watch_event", "watch": kind.plural, "event": {"type": change, "object": obj}})

    def renew(self) -> None:
        """The token was not taken: read the credentials again."""
        if self.api is not None:
            self.api.renew(access.configure(self.cluster))

    def woke(self) -> None:
        """What can be seen changed: write down what cannot."""
        for follower in self.followers:
            said = follower.problem
            if said and self.problems.get(follower.kind.kind) != said:
                self.problems[follower.kind.kind] = said
                self.write(follower.kind, {"type": "note", "text": said})

    def write(self, kind: Kind, entry: dict[str, Any]) -> None:
        """One entry, with its seconds since the start."""
        now = self.clock()
        stamp = {"t": round((now - (self.began or now)).total_seconds(), 3), "at": now.isoformat()}
        with self.lock:
            self.entries.append((kind, stamp | entry))

    def recording(self) -> dict[str, Any]:
        """The file's content: only what belongs to the target."""
        with self.lock:
            entries = list(self.entries)
        version = next(kind for kind in KINDS if kind.kind == self.kind)
        group = f"{version.group}/{version.versions[0]}" if version.group else version.versions[0]
        family = Family()
        for obj in objects(entry for _, entry in entries):
            family.note(key_of(obj), obj)
        target = (self.kind, self.namespace, self.name)
        return {
            "scenario": f"{self.kind.lower()}-{self.namespace}-{self.name}",
            "namespace": self.namespace,
            "target": {"apiVersion": group, "kind": self.kind, "name": self.name},
            "server": self.server,
            "recorded_at": (self.began or self.clock()).isoformat(),
            "wanted_image": self.wanted_image,
            "entries": [entry for kind, entry in entries if belongs(entry, kind, family, target)],
        }


def objects(entries: Iterator[dict[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The objects in the entries."""
    for entry in entries:
        for obj in ((entry.get("response") or {}).get("body"), (entry.get("event") or {}).get("object")):
            if isinstance(obj, dict):
                yield obj


def belongs(entry: dict[str, Any], kind: Kind, family: Family, target: Key) -> bool:
    """Whether the entry is about the target or something that it made."""
    obj = (entry.get("event") or {}).get("object")
    return kind.kind == target[0] or not isinstance(obj, dict) or target in family.tops(key_of(obj))
