"""When things happened inside a window: rollouts by weekday and hour, and the spans of failed changes.

Sorts the report's own rows by local time; what counts as a rollout or a failure was decided by `dora`.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from bot.reporting.blame import Change
from bot.reporting.dora import Report

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One failed change: since when (UTC), and until when, None while it is open."""

    change: Change
    begin: datetime
    end: datetime | None


def by_weekday_and_hour(report: Report) -> tuple[tuple[int, ...], ...]:
    """Deployments, rollbacks and failed rollouts in seven rows from Monday of 24 local hours each."""
    counts = [[0] * 24 for _ in WEEKDAYS]
    local = cache(report.window.zone.fromutc)
    for rollout in (*report.deployments, *report.rollbacks, *report.failed_rollouts):
        at = local(rollout.deploy.at.replace(tzinfo=report.window.zone))
        counts[at.weekday()][at.hour] += 1
    return tuple(tuple(row) for row in counts)


def failure_spans(report: Report) -> tuple[Span, ...]:
    """The window's failed changes, oldest first. A recovery before the beginning (a clock was wrong) is left out."""
    spans = []
    for change in report.failed_changes:
        end = change.recovered.at if change.recovered is not None else None
        if end is None or end >= change.first.at:
            spans.append(Span(change=change, begin=change.first.at, end=end))
    return tuple(spans)
