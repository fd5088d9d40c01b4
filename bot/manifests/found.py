"""What was found in one file: slots and problems. Pure data."""

from dataclasses import dataclass

from bot.domain.slot import Slot, SlotProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSlots:
    """All versions of a file in the order of the text, and the places that should hold one but cannot be read or edited."""

    slots: tuple[Slot, ...] = ()
    problems: tuple[SlotProblem, ...] = ()
