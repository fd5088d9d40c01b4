"""What was found in one file: slots and problems, and how many replicas it declares. Pure data."""

from dataclasses import dataclass

from bot.domain.replicas import Kustomized, Replicas
from bot.domain.slot import Slot, SlotProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSlots:
    """All versions of a file in the order of the text, and the places that should hold one but cannot be read or edited.

    `replicas` are what its workloads declare, `kustomized` what it says as a kustomization file.
    """

    slots: tuple[Slot, ...] = ()
    problems: tuple[SlotProblem, ...] = ()
    replicas: tuple[Replicas, ...] = ()
    kustomized: tuple[Kustomized, ...] = ()

    @property
    def empty(self) -> bool:
        """Nothing was found."""
        return not (self.slots or self.problems or self.replicas or self.kustomized)
