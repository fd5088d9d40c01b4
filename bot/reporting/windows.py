"""Windows of local calendar days: which instants lie inside, and which days and ISO weeks they hold.

Half-open from local midnight to local midnight in an IANA zone. A day is a calendar day, whether it has 23, 24 or 25 hours;
where midnight is skipped by daylight saving the day begins with its first instant.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Window:
    """Half-open [00:00 of `first`, 00:00 of `end`) in `zone`. Raises ValueError where `end` does not lie after `first`."""

    first: date
    end: date
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.end <= self.first:
            raise ValueError(f"the window ends on {self.end}, which is not after {self.first}: it holds no day")

    @cached_property
    def starts_at(self) -> datetime:
        """The window's first instant, in UTC."""
        return midnight(self.first, self.zone)

    @cached_property
    def ends_at(self) -> datetime:
        """The first instant after the window, in UTC."""
        return midnight(self.end, self.zone)

    def holds(self, instant: datetime) -> bool:
        """Whether the instant lies inside: the first instant does, the end does not."""
        return self.starts_at <= instant < self.ends_at

    def day_of(self, instant: datetime) -> date:
        """The local calendar day of an instant."""
        return instant.astimezone(self.zone).date()

    def days_begun(self, as_of: datetime) -> tuple[date, ...]:
        """The local days of the window that had begun before `as_of`; a day that the zone skipped as a whole is none."""
        until = min(self.ends_at, as_of)
        if until <= self.starts_at:
            return ()
        found = []
        days = [self.first + _DAY * number for number in range((self.end - self.first).days + 1)]
        for (day, begin), (_, following) in pairwise((day, midnight(day, self.zone)) for day in days):
            if begin >= until:
                break
            if following > begin:
                found.append(day)
        return tuple(found)

    def full_weeks(self, as_of: datetime) -> tuple[date, ...]:
        """The Mondays of the ISO weeks that lie inside the window and were over at `as_of`."""
        monday = self.first + _DAY * (-self.first.weekday() % 7)
        found = []
        while monday + 7 * _DAY <= self.end and midnight(monday + 7 * _DAY, self.zone) <= as_of:
            found.append(monday)
            monday += 7 * _DAY
        return tuple(found)

    def before(self) -> "Window":
        """The window of equally many calendar days that ends where this one begins."""
        return Window(first=self.first - (self.end - self.first), end=self.first, zone=self.zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC (of a doubled midnight the earlier, of a skipped one the end of the gap)."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def iso_week(monday: date) -> str:
    """An ISO week by name, such as `2025-W23`."""
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02d}"
