"""How GitHub writes a point in time: whole seconds, UTC, with a Z."""

from datetime import UTC, datetime
from typing import overload


@overload
def stamp(when: datetime) -> str: ...
@overload
def stamp(when: None) -> None: ...
def stamp(when: datetime | None) -> str | None:
    """`2026-11-20T14:02:00Z`, or None."""
    return None if when is None else when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
