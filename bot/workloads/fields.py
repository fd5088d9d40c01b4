"""Reads fields of a Kubernetes object without ever trusting its shape.

Decides only what an absent, null or mistyped field counts as: nothing. The API leaves zero fields out, sends
`conditions: null`, and custom resources may hold anything; what the fields mean is decided by the file of each kind.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One entry of `status.conditions`; absent members are empty texts, an absent generation is None."""

    type: str
    status: str
    reason: str
    message: str
    observed_generation: int | None

    @property
    def true(self) -> bool:
        """Whether it stands; a condition listed with status False or Unknown does not (a resumed Job keeps Suspended)."""
        return self.status == "True"

    @property
    def words(self) -> str:
        """Its reason and message, as far as the controller wrote them; never empty."""
        return ": ".join(part for part in (self.reason, self.message) if part) or f"{self.type} is {self.status}"


def at(obj: object, *path: str) -> Any:
    """The value at a path of mapping keys, or None where any step is missing or is no mapping."""
    for key in path:
        if not isinstance(obj, Mapping):
            return None
        obj = obj.get(key)
    return obj


def text(obj: object, *path: str) -> str:
    """The text at a path; empty where there is none."""
    value = at(obj, *path)
    return value if isinstance(value, str) else ""


def number(obj: object, *path: str) -> int | None:
    """The whole number at a path; None where there is none (a truth value is no number)."""
    value = at(obj, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def count(obj: object, *path: str, default: int = 0) -> int:
    """The counter at a path: zero counters are left out by the API."""
    value = number(obj, *path)
    return default if value is None else value


def flag(obj: object, *path: str) -> bool:
    """Whether the value at a path is true itself, not only present."""
    return at(obj, *path) is True


def items(obj: object, *path: str) -> list[Mapping[str, Any]]:
    """The mappings in the list at a path; empty for null, absent and anything that is no list."""
    value = at(obj, *path)
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def texts(obj: object, *path: str) -> list[str]:
    """The texts in the list at a path, in their order."""
    value = at(obj, *path)
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def strings(obj: object, *path: str) -> dict[str, str]:
    """The texts in the mapping at a path (labels, annotations)."""
    value = at(obj, *path)
    if not isinstance(value, Mapping):
        return {}
    return {key: entry for key, entry in value.items() if isinstance(key, str) and isinstance(entry, str)}


def instant(obj: object, *path: str) -> datetime | None:
    """The RFC 3339 time at a path in UTC; None where there is none or it cannot be read."""
    value = text(obj, *path)
    if not value:
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


def conditions(obj: object) -> tuple[Condition, ...]:
    """All of `status.conditions`."""
    return tuple(
        Condition(
            type=text(entry, "type"),
            status=text(entry, "status"),
            reason=text(entry, "reason"),
            message=text(entry, "message"),
            observed_generation=number(entry, "observedGeneration"),
        )
        for entry in items(obj, "status", "conditions")
    )


def condition(obj: object, kind: str) -> Condition | None:
    """The condition of that type, or None."""
    return next((entry for entry in conditions(obj) if entry.type == kind), None)


def kind(obj: object) -> str:
    """The object's kind."""
    return text(obj, "kind")


def group(obj: object) -> str:
    """The API group, empty for the core group."""
    version = text(obj, "apiVersion")
    return version.rpartition("/")[0]


def name(obj: object) -> str:
    """`metadata.name`."""
    return text(obj, "metadata", "name")


def uid(obj: object) -> str:
    """`metadata.uid`; a deleted and re-created object gets another."""
    return text(obj, "metadata", "uid")


def being_deleted(obj: object) -> bool:
    """Whether somebody asked for the object's deletion and finalizers still hold it."""
    return bool(text(obj, "metadata", "deletionTimestamp"))


def observed(obj: object) -> bool:
    """Whether the controller has seen the newest spec; everything else in the status is of an older one otherwise."""
    return count(obj, "metadata", "generation") <= count(obj, "status", "observedGeneration")


def owned_by(obj: object, owner_uid: str) -> bool:
    """Whether an owner reference of the object names that uid."""
    return bool(owner_uid) and any(text(entry, "uid") == owner_uid for entry in items(obj, "metadata", "ownerReferences"))


def of_kind(objects: Iterable[dict[str, Any]], wanted: str) -> list[dict[str, Any]]:
    """Those of the objects that are of the kind."""
    return [entry for entry in objects if kind(entry) == wanted]
