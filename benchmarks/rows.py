"""What a benchmark hands back: rows of what was measured, in which unit, and what the goal is."""

import os
from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One number. The goal is an upper limit, with `at_least` a lower one; without a goal the number is only told."""

    what: str
    measured: float
    unit: str
    goal: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool:
        """True when the goal is met, or there is none."""
        if self.goal is None:
            return True
        return self.measured >= self.goal if self.at_least else self.measured <= self.goal


def run(name: str) -> list[Row]:
    """One benchmark by its name, in this process."""
    found: list[Row] = import_module(f"benchmarks.{name}").bench()
    return found


def load() -> str:
    """How busy the machine is, for the reader of times: runnable programs in the last minute, and the number of processors."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
