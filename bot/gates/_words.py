"""How gates tell instants, spans and lists in a sentence.

Words only; what they are about is decided by each gate.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

SHOWN = 3


def instant(at: datetime, zone: str = "UTC") -> str:
    """An instant for people, to the minute (to the second where it has one), with its zone: `2026-11-20 09:00 Europe/Berlin`."""
    local = at.astimezone(UTC if zone == "UTC" else ZoneInfo(zone))
    return f"{local:%Y-%m-%d %H:%M:%S} {zone}" if local.second else f"{local:%Y-%m-%d %H:%M} {zone}"


def several(names: Sequence[str], *, shown: int = SHOWN) -> str:
    """`a`, `a and b`, `a, b and c`, `a, b, c and 4 more`; names in the order given."""
    if len(names) > shown:
        return f"{', '.join(names[:shown])} and {len(names) - shown} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else list(names))


def short(commit: str) -> str:
    """A commit id as people write it."""
    return commit[:7]
