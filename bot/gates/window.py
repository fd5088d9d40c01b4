"""window: now is inside one of the stage's allowed windows, and not on a holiday.

Decides from the configured periods on the zone's wall clock, less the holidays. Wakes at the exact edge. Stops are `freeze`'s word.
"""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from bot.domain.facts import Case, Question
from bot.domain.verdict import Verdict
from bot.gates._base import Gate
from bot.gates._calendar import A_DAY, Period, Span, look, merge, midnight, periods_at, without
from bot.gates._fields import Zone
from bot.gates._holidays import Calendar
from bot.gates._words import instant, several

REACH = timedelta(days=92)


class Window(Gate):
    """Passes inside an allowed window of time."""

    gate: Literal["window"] = "window"
    zone: Zone = "UTC"
    """On which clock the windows are read: an IANA time zone."""
    open: tuple[Period, ...] = Field(min_length=1)
    """When promotions may be merged."""
    holidays: Calendar | None = None
    """Events that close the window."""

    def questions(self, case: Case) -> tuple[Question, ...]:
        return self.holidays.questions() if self.holidays else ()

    def evaluate(self, case: Case) -> Verdict:
        closed: tuple[Span, ...] | None = ()
        problem = ""
        if self.holidays is not None:
            closed, problem = self.holidays.spans(self.zone, case)
        allowed = periods_at(self.open, self.zone, case.now, wide=False, reach=REACH if self.holidays else A_DAY)
        if closed is None and look(allowed, case.now)[0]:
            return self.unknown(f"Nobody can say whether {case.stage} may change now: {problem}.", "Whoever publishes the calendar")
        if closed:
            allowed = without(allowed, merge([closed], midnight(case.now), reach=REACH))
        inside, edge = look(allowed, case.now)
        if inside:
            until = f" until {instant(edge, self.zone)}" if edge else ""
            return self.passed(f"Inside a window of {case.stage}{until}.", look_again=edge)
        when = f"the next opens {instant(edge, self.zone)}" if edge else "none is going to open"
        return self.pending(
            f"Outside the windows of {case.stage} ({several([period.told() for period in self.open])}, {self.zone}); {when}.",
            "Time" if self.hard else f"Time, or an admin with `/promote override {self.label}`",
            look_again=edge or (case.now + A_DAY if self.holidays else None),
            passes_at=edge,
        )
