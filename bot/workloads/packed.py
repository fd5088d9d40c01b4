"""Keeps many objects in little memory: each as its compact JSON text, taken apart anew when somebody looks at it.

A Kubernetes object as Python mappings takes about ten times the room of its text, and a bot watches all pods of all its clusters.
Whoever changes what it was handed changes a copy.
"""

import json
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

K = TypeVar("K")


def packed(obj: dict[str, Any]) -> bytes:
    """The object's compact text. It came as JSON, so it can be written as JSON."""
    return json.dumps(obj, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def unpacked(raw: bytes) -> dict[str, Any]:
    """The object again."""
    found: dict[str, Any] = json.loads(raw.decode("utf-8", "surrogatepass"))
    return found


@dataclass(slots=True)
class PackedMapping(MutableMapping[K, dict[str, Any]], Generic[K]):
    """A mapping to objects that holds their texts. Going through the keys unpacks nothing."""

    texts: dict[K, bytes] = field(default_factory=dict)

    def __getitem__(self, key: K) -> dict[str, Any]:
        return unpacked(self.texts[key])

    def __setitem__(self, key: K, obj: dict[str, Any]) -> None:
        self.texts[key] = packed(obj)

    def __delitem__(self, key: K) -> None:
        del self.texts[key]

    def __contains__(self, key: object) -> bool:
        return key in self.texts

    def __iter__(self) -> Iterator[K]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(slots=True)
class PackedList(Iterable[dict[str, Any]]):
    """Objects in their order, held as texts; may be gone through several times."""

    texts: list[bytes] = field(default_factory=list)

    def append(self, obj: dict[str, Any]) -> None:
        """One more."""
        self.texts.append(packed(obj))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(unpacked, self.texts)
