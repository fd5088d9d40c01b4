"""What is known of a cluster's objects: the newest version of each, whatever order the answers came in.

Decides which of two answers about an object is newer (by resourceVersion within one uid, never by arrival: a GET runs ahead of
the watch), and that a deleted uid stays gone. The same cache serves a live watch and the replay of a recording. It does no I/O;
how objects stand is decided by the rules.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from bot.workloads.family import Family, Key
from bot.workloads.fields import kind, name, text, uid
from bot.workloads.packed import PackedMapping
from bot.workloads.references import LENDERS, ROLLOUT, lender

REMEMBERED_UIDS = 10_000


def key_of(obj: Mapping[str, Any]) -> Key:
    """(kind, namespace, name) of an object."""
    return kind(obj), text(obj, "metadata", "namespace"), name(obj)


def version_of(obj: Mapping[str, Any]) -> int | None:
    """The resourceVersion as a number; None for one that is none (then arrival decides)."""
    written = text(obj, "metadata", "resourceVersion")
    return int(written) if written.isascii() and written.isdigit() else None


@dataclass(slots=True)
class Cache:
    """The newest version of each object. Not safe for several threads at once: its owner locks."""

    objects: MutableMapping[Key, dict[str, Any]] = field(default_factory=PackedMapping)
    gone: dict[str, None] = field(default_factory=dict)
    family: Family = field(default_factory=Family)
    _kinds: dict[str, dict[Key, None]] = field(default_factory=dict)

    def event(self, change: str, obj: dict[str, Any]) -> bool:
        """One event of a watch; True when something changed. Bookmarks and errors are no objects and change nothing."""
        if change in ("ADDED", "MODIFIED"):
            return self.seen(obj)
        return self.deleted(obj) if change == "DELETED" else False

    def seen(self, obj: dict[str, Any]) -> bool:
        """An object that was there; False when something newer is known already."""
        key, known = key_of(obj), self.objects.get(key_of(obj))
        if not key[2] or uid(obj) in self.gone:
            return False
        if known is not None and uid(known) == uid(obj):
            old, new = version_of(known), version_of(obj)
            if text(known, "metadata", "resourceVersion") == text(obj, "metadata", "resourceVersion"):
                return False
            if old is not None and new is not None and new < old:
                return False
        elif known is not None:
            self._bury(uid(known))
        self.objects[key] = obj
        self._kinds.setdefault(key[0], {})[key] = None
        self.family.note(key, obj)
        return True

    def deleted(self, obj: Mapping[str, Any]) -> bool:
        """An object that a watch saw go; False when another of that name has come since, or it was known to be gone."""
        key = key_of(obj)
        known = self.objects.get(key)
        self._bury(uid(obj))
        if known is None or (uid(obj) and uid(known) != uid(obj)):
            return False
        del self.objects[key]
        self._drop(key)
        return True

    def not_found(self, key: Key) -> bool:
        """The API answered 404 for the object itself; True when it was thought to be there."""
        known = self.objects.pop(key, None)
        if known is not None:
            self._bury(uid(known))
            self._drop(key)
        return known is not None

    def listed(self, of_kind: str, namespace: str | None, found: Iterable[dict[str, Any]], version: int | None) -> set[Key]:
        """A whole list of a kind (in one namespace, or None for all); the keys that changed.

        What is known and not in the list is gone, unless it is newer than the list's own resourceVersion.
        """
        here: set[Key] = set()
        changed: set[Key] = set()
        for obj in found:
            key = key_of(obj)
            here.add(key)
            if self.seen(obj):
                changed.add(key)
        for key in self.keys(of_kind):
            if (namespace is not None and key[1] != namespace) or key in here:
                continue
            own = version_of(self.objects[key])
            if version is None or own is None or own <= version:
                self.not_found(key)
                changed.add(key)
        return changed

    def below(self, key: Key) -> list[dict[str, Any]]:
        """The objects that belong to the one of the key: what it made, what those made, the events about them, and for a Rollout
        the workload whose template it uses."""
        lent = lender(self.objects[key]) if key[0] == ROLLOUT and key in self.objects else None
        found = [*self.family.below(key), *([lent] if lent is not None else [])]
        return [self.objects[other] for other in found if other in self.objects]

    def borrowers(self, key: Key) -> set[Key]:
        """The Rollouts that use the template of the workload of that key."""
        if key[0] not in LENDERS:
            return set()
        return {other for other in self.keys(ROLLOUT) if other[1] == key[1] and lender(self.objects[other]) == key}

    def of(self, *kinds: str) -> Iterator[dict[str, Any]]:
        """All objects of the kinds."""
        return (self.objects[key] for kind in kinds for key in self.keys(kind))

    def keys(self, of_kind: str) -> list[Key]:
        """Which objects of the kind are known."""
        return list(self._kinds.get(of_kind, ()))

    def _drop(self, key: Key) -> None:
        self._kinds.get(key[0], {}).pop(key, None)
        self.family.drop(key)

    def _bury(self, buried: str) -> None:
        """Remember a uid that will never come again; the oldest are forgotten."""
        if not buried:
            return
        self.gone[buried] = None
        while len(self.gone) > REMEMBERED_UIDS:
            del self.gone[next(iter(self.gone))]
