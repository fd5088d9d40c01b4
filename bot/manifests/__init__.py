"""Finds the versions in deployment files and changes them: `find_slots` and `edit`.

One file per format (`bot.manifests.formats`); none of them writes. What should be changed to what is left to planning.
"""

from bot.domain.edits import EditRefused
from bot.manifests.editing import edit

__all__ = ["EditRefused", "edit"]
