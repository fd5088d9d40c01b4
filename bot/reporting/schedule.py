"""Which delivery reports are due: the last whole week or month of each team, from its instant on.

Decides windows and instants from the calendar of the report's zone; making and sending a report is left to others.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.config.delivery import Period, Reports
from bot.config.notifications import WEEKDAYS
from bot.config.schema import Config
from bot.reporting.windows import Window

LATE = timedelta(days=2)
"""A report that could not be sent for so long is left out; the next one tells what changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One report: of a team (None: of everybody), over a whole week or month, due at an instant (UTC)."""

    period: Period
    team: str | None
    window: Window
    at: datetime

    def series(self, stage: str) -> str:
        """The row of reports that this one belongs to."""
        return f"{self.period}:{self.team or '*'}:{stage}"

    def key(self, stage: str) -> str:
        """The same for every attempt to make this report."""
        return f"{self.series(stage)}:{self.window.first}"


def due(config: Config, now: datetime) -> tuple[Due, ...]:
    """The reports whose instant has come, at most two days ago."""
    reports = config.reports
    found = [(period, *_last(period, reports, now)) for period in reports.periods]
    teams: list[str | None] = sorted({service.team for service in config.services.values() if service.team is not None}) or [None]  # type: ignore[assignment]
    return tuple(
        Due(period=period, team=team, window=window, at=at)
        for period, window, at in found
        if timedelta() <= now - at < LATE
        for team in teams
    )


def _last(period: Period, reports: Reports, now: datetime) -> tuple[Window, datetime]:
    """The window whose report came due last, and when."""
    zone = ZoneInfo(reports.zone)
    day = now.astimezone(zone).date()
    while True:
        at = datetime.combine(day, reports.at, tzinfo=zone)
        mine = WEEKDAYS[day.weekday()] == reports.day if period == "weekly" else day.day == 1
        if mine and at <= now:
            end = day - timedelta(days=day.weekday()) if period == "weekly" else day
            first = end - timedelta(days=7) if period == "weekly" else (end - timedelta(days=1)).replace(day=1)
            return Window(first=first, end=end, zone=zone), at.astimezone(UTC)
        day -= timedelta(days=1)


def stage_of(config: Config) -> str:
    """The stage whose deliveries are reported."""
    return config.reports.stage or config.order()[-1]
