"""How pairs of versions are written: lines for people, JSON for programs."""

from typing import Any

from bot.messages.pairs import place
from bot.planning.pairing import Pair


def pair_row(pair: Pair) -> dict[str, Any]:
    """{"artifact", "places": {stage: [{"place", "artifact", "key", "format", "version"}]}, "notes"}."""
    return {
        "artifact": pair.name,
        "places": {
            stage: [
                {
                    "place": f"{slot.path}:{slot.line}",
                    "artifact": slot.artifact,
                    "key": slot.key,
                    "format": slot.format,
                    "version": slot.version.text,
                }
                for slot in slots
            ]
            for stage, slots in pair.places.items()
        },
        "notes": list(pair.notes),
    }


def pair_lines(pair: Pair) -> list[str]:
    """What stands where, a line for each stage, and a line for each difference."""
    lines = [f"{pair.name} stands"]
    lines += [f"  {stage}: {', '.join(map(place, slots)) or 'not there'}" for stage, slots in pair.places.items()]
    return lines + [f"  ! {note}" for note in pair.notes]
