"""Who belongs to whom among the objects of a cluster: owners, children, and the events about them.

Decides from owner references and from what an event is about, by uid. It lets one change touch only the workload it belongs to, so
that a cluster with thousands of pods costs the same per change as a small one. How objects stand is decided by the rules.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.workloads.fields import items, text, uid

Key = tuple[str, str, str]
DEPTH = 3


@dataclass(slots=True)
class Family:
    """The links between objects, by uid. Not safe for several threads at once: its owner locks."""

    keys: dict[str, Key] = field(default_factory=dict)
    children: dict[str, dict[Key, None]] = field(default_factory=dict)
    parents: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    uids: dict[Key, str] = field(default_factory=dict)

    def note(self, key: Key, obj: Mapping[str, Any]) -> None:
        """An object is there, or changed."""
        self.drop(key)
        own, parents = uid(obj), tuple(parents_of(obj))
        if own:
            self.keys[own] = key
            self.uids[key] = own
        self.parents[key] = parents
        for parent in parents:
            self.children.setdefault(parent, {})[key] = None

    def drop(self, key: Key) -> None:
        """An object is gone."""
        own = self.uids.pop(key, "")
        if self.keys.get(own) == key:
            del self.keys[own]
        for parent in self.parents.pop(key, ()):
            left = self.children.get(parent, {})
            left.pop(key, None)
            if not left:
                self.children.pop(parent, None)

    def below(self, key: Key) -> list[Key]:
        """Children, their children, and the events about all of them."""
        found: dict[Key, None] = {}
        layer = [key]
        for _ in range(DEPTH):
            layer = [child for parent in layer for child in self.children.get(self.uids.get(parent, ""), ()) if child not in found]
            found.update(dict.fromkeys(layer))
        return list(found)

    def tops(self, key: Key) -> set[Key]:
        """The highest owners that are known; the object itself where it has none."""
        found: set[Key] = set()
        layer, seen = [key], {key}
        while layer:
            here = layer.pop()
            above = [self.keys[parent] for parent in self.parents.get(here, ()) if parent in self.keys]
            if not above:
                found.add(here)
            layer.extend(up for up in above if up not in seen)
            seen.update(above)
        return found


def parents_of(obj: Mapping[str, Any]) -> Iterator[str]:
    """The uids of the object's owners, or of what an event is about."""
    for entry in items(obj, "metadata", "ownerReferences"):
        if text(entry, "uid"):
            yield text(entry, "uid")
    about = text(obj, "involvedObject", "uid")
    if about:
        yield about
