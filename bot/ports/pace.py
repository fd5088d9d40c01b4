"""Who may send how much: kept by one process alone, or by all that share a database."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from bot.domain.pace import Window


class Pace(Protocol):
    """What was sent under each name, and until when nothing may be."""

    def take(self, name: str, weight: int, windows: Sequence[Window]) -> float:
        """Note `weight` as sent now, where all windows have room for it: 0. Else nothing is noted: the seconds until they have.

        Without windows there is always room. `Fenced` when this process was taken for dead.
        """
        ...

    def pause(self, name: str, length: timedelta) -> None:
        """Nothing for so long; a shorter pause does not end a longer one."""
        ...

    def left(self, names: Sequence[str]) -> float:
        """Seconds until the last pause of these names is over; 0 or less when there is none."""
        ...
