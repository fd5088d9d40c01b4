"""Tells the story while it happens: one line per event with the seconds since the start, and a line of what is awaited now."""

import sys
from time import monotonic

from rich.console import Console
from rich.markup import escape
from rich.status import Status

COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_red")


class Teller:
    """Writes to standard error where standard output is kept for JSON. No spinner and no colours without a terminal."""

    def __init__(self, stages: tuple[str, ...], *, to_stderr: bool) -> None:
        self._console = Console(file=sys.stderr if to_stderr else sys.stdout, highlight=False, soft_wrap=True)
        self._colours = {stage: COLOURS[place % len(COLOURS)] for place, stage in enumerate(stages)}
        self._began = monotonic()
        self._status: Status | None = self._console.status("") if self._console.is_terminal else None

    def start(self) -> None:
        self._began = monotonic()
        if self._status is not None:
            self._status.start()

    def stop(self) -> None:
        if self._status is not None:
            self._status.stop()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return monotonic() - self._began

    def say(self, text: str, *, stage: str = "", sign: str = " ") -> None:
        """One line."""
        place = f"[{self._colours[stage]}]{stage:<5}[/]" if stage in self._colours else " " * 5
        self._console.print(f"[dim]{self.seconds:5.1f} s[/] {place} {sign} {escape(text)}")

    def title(self, text: str) -> None:
        self._console.print(f"\n[bold]{escape(text)}[/]")

    def plain(self, text: str) -> None:
        self._console.print(escape(text))

    def waiting_for(self, text: str) -> None:
        """What is awaited now, in the terminal's last line."""
        if self._status is not None:
            self._status.update(f"[dim]{escape(text)}[/]")
