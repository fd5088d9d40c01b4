"""The cluster's memory: objects, their resource versions, and the log of changes that watches read.

Decides resource versions, uids, generations and which changes are still remembered. Objects in here are never
mutated: a change puts a new object in the place of the old one. Knows no controller and no HTTP.
"""

import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from bot.sandbox.cluster.resources import Catalog, Obj, Resource

REMEMBERED = 20_000
_UNCOUNTED = frozenset({"metadata", "status", "kind", "apiVersion"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One write. `before` is what stood there, for watches whose selector the object has left."""

    version: int
    verb: str
    resource: Resource
    obj: Obj
    before: Obj | None


Listener = Callable[[Change], None]


def stamp(at: datetime) -> str:
    """An instant as Kubernetes writes it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Store:
    """All objects of one cluster. Every method takes the lock; hold it yourself around several calls."""

    catalog: Catalog = field(default_factory=Catalog)
    random: Random = field(default_factory=lambda: Random(7))  # noqa: S311 - names, not secrets
    lock: threading.RLock = field(default_factory=threading.RLock)
    version: int = 1000
    oldest: int = 1000
    listeners: list[Listener] = field(default_factory=list)
    _objects: dict[tuple[str, str], dict[tuple[str, str], Obj]] = field(default_factory=dict)
    _owned: dict[str, set[tuple[str, str, str, str]]] = field(default_factory=dict)
    _log: deque[Change] = field(default_factory=deque)

    def get(self, resource: Resource, namespace: str, name: str) -> Obj | None:
        """The object, or None. Treat it as frozen."""
        with self.lock:
            return self._shelf(resource).get((namespace, name))

    def all(self, resource: Resource) -> list[Obj]:
        """Every object of a kind, by namespace and name."""
        with self.lock:
            return [obj for _, obj in sorted(self._shelf(resource).items())]

    def owned(self, resource: Resource, uid: str) -> list[Obj]:
        """The objects of a kind whose controller has this uid, by name."""
        with self.lock:
            keys = [key for key in self._owned.get(uid, ()) if key[:2] == (resource.group, resource.plural)]
            return [self._shelf(resource)[key[2:]] for key in sorted(keys) if key[2:] in self._shelf(resource)]

    def create(self, resource: Resource, obj: Obj, now: datetime) -> Obj:
        """Puts a new object in and fills in what the apiserver fills in. Raises KeyError if its name is taken."""
        with self.lock:
            meta = dict(obj.get("metadata") or {})
            fresh = obj | {"metadata": meta}
            if resource.namespaced:
                meta.setdefault("namespace", "default")
            else:
                meta.pop("namespace", None)
            key = (meta.get("namespace", ""), meta["name"])
            if key in self._shelf(resource):
                raise KeyError(key)
            meta["uid"] = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
            meta["creationTimestamp"] = stamp(now)
            if resource.plural != "events":
                meta["generation"] = 1
            shaped: Obj = {"apiVersion": resource.api_version, "kind": resource.kind} | fresh
            if resource.group in ("apps", "batch"):
                shaped.setdefault("status", {})
            return self._write("ADDED", resource, shaped, None)

    def replace(self, resource: Resource, obj: Obj) -> Obj:
        """Puts a changed object in the place of the old one; counts the generation up where the kind does. No change, no write."""
        with self.lock:
            meta = obj["metadata"]
            before = self._shelf(resource)[(meta.get("namespace", ""), meta["name"])]
            if _same(before, obj):
                return before
            after = _own(obj)
            if "generation" in before["metadata"] and _moves_generation(resource, before, after):
                after["metadata"]["generation"] = before["metadata"]["generation"] + 1
            return self._write("MODIFIED", resource, after, before)

    def remove(self, resource: Resource, namespace: str, name: str) -> Obj | None:
        """Takes the object out. None if it is gone already."""
        with self.lock:
            before = self._shelf(resource).pop((namespace, name), None)
            if before is None:
                return None
            self._forget_owner(resource, before)
            last = _own(before)
            return self._record("DELETED", resource, last, before)

    def since(self, version: int) -> list[Change]:
        """The changes after a resource version, oldest first."""
        with self.lock:
            return list(self._newest_first_until(version))[::-1]

    def compact(self) -> None:
        """Forgets the log: whoever watches from before now is told 410."""
        with self.lock:
            self._log.clear()
            self.oldest = self.version = self.version + 1

    def _newest_first_until(self, version: int) -> Iterator[Change]:
        for change in reversed(self._log):
            if change.version <= version:
                return
            yield change

    def _shelf(self, resource: Resource) -> dict[tuple[str, str], Obj]:
        return self._objects.setdefault((resource.group, resource.plural), {})

    def _write(self, verb: str, resource: Resource, obj: Obj, before: Obj | None) -> Obj:
        meta = obj["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        if before is not None:
            self._forget_owner(resource, before)
        for owner in meta.get("ownerReferences") or ():
            self._owned.setdefault(owner["uid"], set()).add((resource.group, resource.plural, *key))
        self._shelf(resource)[key] = obj
        return self._record(verb, resource, obj, before)

    def _forget_owner(self, resource: Resource, obj: Obj) -> None:
        meta = obj["metadata"]
        for owner in meta.get("ownerReferences") or ():
            self._owned.get(owner["uid"], set()).discard((resource.group, resource.plural, meta.get("namespace", ""), meta["name"]))

    def _record(self, verb: str, resource: Resource, obj: Obj, before: Obj | None) -> Obj:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        change = Change(version=self.version, verb=verb, resource=resource, obj=obj, before=before)
        self._log.append(change)
        while len(self._log) > REMEMBERED:
            self.oldest = self._log.popleft().version
        for listener in tuple(self.listeners):
            listener(change)
        return obj


def _own(obj: Obj) -> Obj:
    """The object with metadata of its own: the rest is shared, since nothing in here is ever mutated."""
    return obj | {"metadata": dict(obj["metadata"])}


def _same(before: Obj, after: Obj) -> bool:
    def shape(obj: Obj) -> Obj:
        skip = ("resourceVersion", "generation")
        return obj | {"metadata": {key: value for key, value in obj["metadata"].items() if key not in skip}}

    return shape(before) == shape(after)


def _moves_generation(resource: Resource, before: Obj, after: Obj) -> bool:
    if not resource.status_subresource:
        return True  # e.g. Argo CD's Application: status writes count as well
    keys = (set(before) | set(after)) - _UNCOUNTED
    if any(before.get(key) != after.get(key) for key in keys):
        return True
    annotated = before["metadata"].get("annotations") != after["metadata"].get("annotations")
    return resource.kind == "Deployment" and annotated and not _only_revision(before, after)


def _only_revision(before: Obj, after: Obj) -> bool:
    """The controller's own revision annotation does not count: it is written beside the status."""
    own = "deployment.kubernetes.io/revision"
    old, new = ({k: v for k, v in (o["metadata"].get("annotations") or {}).items() if k != own} for o in (before, after))
    return old == new
