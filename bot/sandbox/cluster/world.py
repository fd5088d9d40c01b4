"""The cluster in motion: the queue of objects to look at, the moment it is now, and what controllers share.

Decides in which order and at which moment controllers look at objects: a change makes its object, and the one that
owns it, due; a controller may ask to look again later. Time runs from due moment to due moment, never by sleeping,
so that the same clock gives the same history. What a controller does is written in its own file.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.cluster.images import OK, Behaviour, matches
from bot.sandbox.cluster.resources import EVENTS, JOBS, PODS, REPLICASETS, Obj, Resource
from bot.sandbox.cluster.store import Change, Store, stamp

Key = tuple[str, str, str, str]
EVENTS_KEPT = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast things go, in seconds: `pod` until a pod is ready, `deadline` in place of `progressDeadlineSeconds`
    (None: as written), `lag` until a controller notices a change."""

    pod: float
    deadline: float | None
    lag: float


@dataclass(slots=True)
class PodPlan:
    """The life of one pod as it was decided when it was made; offsets and epochs in seconds."""

    start: float
    behaviours: dict[str, Behaviour]
    gone_at: float | None = None
    ready_at: float | None = None
    seen: dict[str, tuple[str, str, int]] = field(default_factory=dict)


class World:
    """What the controllers share. Hold `store.lock` while calling anything here."""

    def __init__(self, store: Store, pace: Pace, now: datetime) -> None:
        self.store = store
        self.pace = pace
        self.now = now
        self.quiet = False
        self.problems: deque[str] = deque(maxlen=200)
        self.nodes = ("node-a", "node-b", "node-c")
        self.pods: dict[str, PodPlan] = {}
        self.progress: dict[str, float] = {}
        self.rules: list[tuple[str, str, Behaviour]] = []
        self.controllers: dict[tuple[str, str], Callable[[World, Obj], float | None]] = {}
        self.followers: list[Callable[[Change], None]] = []
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._count = 0
        self._events: dict[tuple[str, str, str], tuple[str, str]] = {}
        store.listeners.append(self.on_change)

    @property
    def seconds(self) -> float:
        """Now, as seconds of the epoch."""
        return self.now.timestamp()

    def behaviour_of(self, reference: str) -> Behaviour:
        """What containers of this image do: the newest rule that speaks of it."""
        return next((rule for repo, version, rule in reversed(self.rules) if matches(reference, repo, version)), OK)

    def wake(self, key: Key, at: float) -> None:
        """Makes an object due at a moment, unless it is due earlier already."""
        if self._due.get(key, float("inf")) <= at:
            return
        self._due[key] = at
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, key))

    def next_due(self) -> float | None:
        """When the next object is due (seconds of the epoch)."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def advance(self, to: datetime, *, steps: int = 2_000_000) -> None:
        """Plays everything that is due until `to`, each at its own moment."""
        until = to.timestamp()
        while steps and (due := self.next_due()) is not None and due <= until:
            steps -= 1
            _, _, key = heapq.heappop(self._heap)
            del self._due[key]
            self.now = max(self.now, datetime.fromtimestamp(due, UTC))
            self._look(key)
        self.now = max(self.now, to)

    def on_change(self, change: Change) -> None:
        """Makes the object due, and the ones that own it; an owner's removal takes what it owns along."""
        resource, meta = change.resource, change.obj["metadata"]
        if resource is EVENTS:
            return
        soon = self.seconds + self.pace.lag
        self.wake((resource.group, resource.plural, meta.get("namespace", ""), meta["name"]), soon)
        for owner in meta.get("ownerReferences") or ():
            owning = self.store.catalog.by_kind(owner["apiVersion"], owner["kind"])
            self.wake((owning.group, owning.plural, meta.get("namespace", ""), owner["name"]), soon)
        if change.verb == "DELETED":
            self._cascade(meta["uid"])
        for follower in self.followers:
            follower(change)

    def event(self, about: Obj, reason: str, message: str, *, source: str, warning: bool = False, path: str = "") -> None:
        """Records an Event about an object; the same again is counted up."""
        if self.quiet and not warning:
            return
        meta = about["metadata"]
        key = (meta["uid"], reason, message)
        at = stamp(self.now)
        if key in self._events and (old := self.store.get(EVENTS, *self._events[key])) is not None:
            self.store.replace(EVENTS, old | {"metadata": dict(old["metadata"]), "count": old["count"] + 1, "lastTimestamp": at})
            return
        name = f"{meta['name']}.{int(self.seconds * 1e9):x}{len(self._events):x}"
        about_ref = {"kind": about["kind"], "namespace": meta.get("namespace", ""), "name": meta["name"], "uid": meta["uid"],
                     "apiVersion": about["apiVersion"], "resourceVersion": meta["resourceVersion"]}  # fmt: skip
        if path:
            about_ref["fieldPath"] = path
        body: Obj = {
            "metadata": {"name": name, "namespace": meta.get("namespace") or "default"},
            "involvedObject": about_ref,
            "reason": reason,
            "message": message,
            "source": {"component": source},
            "firstTimestamp": at,
            "lastTimestamp": at,
            "count": 1,
            "type": "Warning" if warning else "Normal",
            "eventTime": None,
            "reportingComponent": source,
            "reportingInstance": "",
        }
        self.store.create(EVENTS, body, self.now)
        self._events[key] = (body["metadata"]["namespace"], name)
        while len(self._events) > EVENTS_KEPT:
            oldest = next(iter(self._events))
            self.store.remove(EVENTS, *self._events.pop(oldest))

    def pods_of(self, owner: Obj) -> list[Obj]:
        """The pods that an object owns and that are not on their way out."""
        return [pod for pod in self.store.owned(PODS, owner["metadata"]["uid"]) if is_active(pod)]

    def _look(self, key: Key) -> None:
        resource = next((r for r in self.store.catalog.resources.values() if (r.group, r.plural) == key[:2]), None)
        act = self.controllers.get(key[:2])
        obj = self.store.get(resource, key[2], key[3]) if resource and act else None
        if obj is None or act is None:
            return
        try:
            again = act(self, obj)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:  # an object that makes no sense
            self.problems.append(f"{obj['kind']} {'/'.join(key[2:])}: {type(error).__name__}: {error}")
            return
        if again is not None:
            self.wake(key, max(again, self.seconds + 0.001))

    def _cascade(self, uid: str) -> None:
        self.pods.pop(uid, None)
        self.progress.pop(uid, None)
        for resource in (REPLICASETS, JOBS, PODS):
            for child in self.store.owned(resource, uid):
                self.store.remove(resource, child["metadata"].get("namespace", ""), child["metadata"]["name"])


def is_active(pod: Obj) -> bool:
    """Neither finished nor being deleted."""
    finished = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return not finished and "deletionTimestamp" not in pod["metadata"]


def owner_reference(owner: Obj) -> Obj:
    """The reference that a controller leaves on what it makes."""
    meta = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def with_status(obj: Obj, status: Obj, annotations: dict[str, str] | None = None) -> Obj:
    """The object with another status (and annotations); everything else is shared with the old one."""
    meta = dict(obj["metadata"])
    if annotations:
        meta["annotations"] = (meta.get("annotations") or {}) | annotations
    return obj | {"metadata": meta, "status": status}


def containers(spec: Obj) -> Iterator[tuple[bool, Obj]]:
    """(is it an init container, container) of a pod's spec, in the order they start."""
    for container in spec.get("initContainers") or ():
        if isinstance(container, dict):
            yield True, container
    for container in spec.get("containers") or ():
        if isinstance(container, dict):
            yield False, container


def set_condition(conditions: list[Obj], now: datetime, kind: str, status: str, reason: str, message: str, **more: Any) -> list[Obj]:
    """The conditions with this one put at the end; its transition time moves only when its status does."""
    old = next((condition for condition in conditions if condition["type"] == kind), None)
    at = stamp(now)
    moved = at if old is None or old["status"] != status else old["lastTransitionTime"]
    fresh: Obj = {"type": kind, "status": status} | more | {"lastTransitionTime": moved, "reason": reason, "message": message}
    if old is not None and {k: old.get(k) for k in ("status", "reason", "message")} == {
        k: fresh[k] for k in ("status", "reason", "message")
    }:
        return conditions
    return [condition for condition in conditions if condition is not old] + [fresh]


def resource_key(resource: Resource, obj: Obj) -> Key:
    """The queue's key of an object."""
    return (resource.group, resource.plural, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
