"""Finds the versions in deployment files and changes them: `find_slots`, `slot_at` and `edit`.

One file per format in `formats/`; none of them writes. What should be changed to what is left to planning.
"""

from bot.domain.edits import EditRefused
from bot.manifests.editing import edit
from bot.manifests.found import FileSlots
from bot.manifests.reading_slots import slot_at
from bot.manifests.slots import find_slots, is_candidate

__all__ = ["EditRefused", "FileSlots", "edit", "find_slots", "is_candidate", "slot_at"]
