"""DORA's five delivery metrics and their supporting counts over one window, from the lineage of a stage.

Decides which rows each figure counts; every figure comes with its rows, so that a report and its drill-down cannot disagree.
Empty is None, never 0. What happened in the history is decided by `lineage`; words, cards and files by the formats.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TypeVar

from bot.domain.history import Deploy, Failure, RolloutKind
from bot.domain.instants import format_instant
from bot.domain.statistics import median, percentile, ratio
from bot.reporting.blame import Change
from bot.reporting.lineage import Lineage, Tally
from bot.reporting.roles import Delivery, Lead, Role, Rollout
from bot.reporting.windows import Window, iso_week, midnight

DEFINITIONS = "dora-bot/1"
Row = TypeVar("Row")
_REWORK = (RolloutKind.HOTFIX, RolloutKind.REVERT)


@dataclass(frozen=True, kw_only=True)
class Report:
    """The rows behind every figure of one window, and the figures (seconds, fractions; None where there is nothing to count).

    All rows lie in the window but `open_failures`, which holds every failed change dated before the window's end that was not
    recovered at `as_of`. `services` are those that the stage has seen at all.
    """

    window: Window
    as_of: datetime
    stage: str
    service: str | None
    team: str | None
    services: tuple[str, ...]
    days: tuple[date, ...]
    deployments: tuple[Rollout, ...]
    rollbacks: tuple[Rollout, ...]
    redeploys: tuple[Rollout, ...]
    failed_rollouts: tuple[Rollout, ...]
    changes: tuple[Change, ...]
    failed_changes: tuple[Change, ...]
    deliveries: tuple[Delivery, ...]
    open_failures: tuple[Change, ...]
    unlinked: tuple[Failure, ...]
    tally: Tally
    stages: tuple[str, ...]

    @property
    def leads(self) -> tuple[Lead, ...]:
        """Each commit that was delivered, with its lead time."""
        return tuple(lead for delivery in self.deliveries for lead in delivery.leads)

    @property
    def change_fail_rate(self) -> float | None:
        """Failed changes among all changes, both dated in the window."""
        return ratio(len(self.failed_changes), len(self.changes))

    @property
    def deployments_per_day(self) -> float | None:
        """Deployments for each local calendar day begun, empty days included."""
        return ratio(len(self.deployments), len(self.days))

    @cached_property
    def lead_times(self) -> list[float]:
        """Seconds from commit to deployment, one for each commit delivered, rising; negative ones are left out (and counted)."""
        return sorted([seconds for delivery in self.deliveries for seconds in delivery.seconds if seconds >= 0])

    @property
    def lead_time_invalid(self) -> int:
        """Commits that seem younger than their deployment: a clock was wrong."""
        return sum([len(delivery.seconds) for delivery in self.deliveries]) - len(self.lead_times)

    @property
    def recovery_times(self) -> list[float]:
        """Seconds from a failed change's first attempt to its recovery; negative ones are left out."""
        return [seconds for change in self.failed_changes if (seconds := change.recovery_s) is not None and seconds >= 0]

    @property
    def restore_times(self) -> list[float]:
        """Seconds from a failed change's first failure mark to its recovery; negative ones are left out."""
        return [seconds for change in self.failed_changes if (seconds := change.time_to_restore_s) is not None and seconds >= 0]

    @property
    def rework_rate(self) -> float | None:
        """Unplanned rollouts (hotfixes, reverts, rollbacks) among deployments and rollbacks."""
        unplanned = sum(rollout.kind in _REWORK for rollout in self.deployments) + len(self.rollbacks)
        return ratio(unplanned, len(self.deployments) + len(self.rollbacks))

    @property
    def deployment_days(self) -> dict[date, int]:
        """How many deployments each local day had; days without one are absent."""
        return {day: len(rows) for day, rows in by_day(self, self.deployments, rolled_out_at) if rows}

    def to_json(self) -> dict[str, object]:
        """Every figure under its field name; instants in RFC 3339, seconds and fractions rounded to six decimals."""
        days = self.deployment_days
        weekly = weeks(self, days)
        return self.figures_to_json() | {
            "deploy_days": len(days),
            "weekly": weekly,
            "deploy_days_per_week_median": tidy(median([float(week["deploy_days"]) for week in weekly])),
            "daily": daily(self, days),
            "by_service": by_service(self),
        }

    def figures_to_json(self) -> dict[str, object]:
        """The figures of the window as a whole, without its weeks, days and services."""
        recovery, restore, leads = self.recovery_times, self.restore_times, self.lead_times
        return {
            "definitions": DEFINITIONS,
            "stage": self.stage,
            "service": self.service,
            "team": self.team,
            "window": {"from": str(self.window.first), "to": str(self.window.end), "tz": self.window.zone.key},
            "as_of": format_instant(self.as_of),
            "window_days": len(self.days),
            "deployments": len(self.deployments),
            "deployments_per_day": self.deployments_per_day,
            "rollbacks": len(self.rollbacks),
            "redeploys": len(self.redeploys),
            "failed_rollouts": len(self.failed_rollouts),
            "changes": len(self.changes),
            "failed_changes": len(self.failed_changes),
            "change_fail_rate": self.change_fail_rate,
            "lead_time_s": {"n": len(leads), "median": tidy(median(leads)), "p90": tidy(percentile(leads, 0.9))},
            "lead_time_invalid": self.lead_time_invalid,
            "recovery_s": {"n": len(recovery), "median": tidy(median(recovery))},
            "time_to_restore_s": {"n": len(restore), "median": tidy(median(restore))},
            "open_failures": [{"deploy": change.first.id, "age_s": tidy(age(change, self.as_of))} for change in self.open_failures],
            "unlinked_incidents": len(self.unlinked),
            "rework_rate": self.rework_rate,
        }


def measure(lineage: Lineage, window: Window, *, service: str | None = None, team: str | None = None) -> Report:
    """The figures of one window over a lineage; several windows, services and teams may share one lineage."""

    everything = service is None and team is None

    def meant(event: Deploy | Failure) -> bool:
        return everything or ((service is None or event.service == service) and (team is None or event.team == team))

    def within(rows: Sequence[Row], event: Callable[[Row], Deploy]) -> Sequence[Row]:
        def at(row: Row) -> datetime:
            return event(row).at

        found = rows[bisect_left(rows, window.starts_at, key=at) : bisect_left(rows, window.ends_at, key=at)]
        return found if everything else [row for row in found if meant(event(row))]

    inside = within(lineage.rollouts, lambda rollout: rollout.deploy)
    by_role: Mapping[Role, list[Rollout]] = defaultdict(list)
    for rollout in inside:
        by_role[rollout.role].append(rollout)
    changes = within(lineage.changes, lambda change: change.attempts[0].deploy)
    still_open = [change for change in lineage.open_changes if change.first.at < window.ends_at and meant(change.first)]
    return Report(
        window=window,
        as_of=lineage.as_of,
        stage=lineage.stage,
        service=service,
        team=team,
        services=tuple(name for name, teams in lineage.services if service in (None, name) and (team is None or team in teams)),
        days=window.days_begun(lineage.as_of),
        deployments=tuple(by_role[Role.DEPLOYMENT]),
        rollbacks=tuple(by_role[Role.ROLLBACK]),
        redeploys=tuple(by_role[Role.REDEPLOY]),
        failed_rollouts=tuple([rollout for rollout in inside if not rollout.succeeded]),
        changes=tuple(changes),
        failed_changes=tuple([change for change in changes if change.reasons]),
        deliveries=tuple(within(lineage.deliveries, lambda delivery: delivery.deploy)),
        open_failures=tuple(still_open),
        unlinked=tuple(failure for failure in lineage.unlinked if window.holds(failure.at) and meant(failure)),
        tally=lineage.tally,
        stages=lineage.stages,
    )


def weeks(report: Report, days: Mapping[date, int]) -> list[dict[str, str | int]]:
    """Deployments and days with one, for each full ISO week inside the window that is over; `days` counts deployments."""
    found: list[dict[str, str | int]] = []
    for monday in report.window.full_weeks(report.as_of):
        counts = [count for day, count in days.items() if 0 <= (day - monday).days < 7]
        found.append({"week": iso_week(monday), "deployments": sum(counts), "deploy_days": len(counts)})
    return found


def rolled_out_at(rollout: Rollout) -> datetime:
    """When a rollout ended."""
    return rollout.deploy.at


def by_day(report: Report, rows: Sequence[Row], at: Callable[[Row], datetime]) -> list[tuple[date, Sequence[Row]]]:
    """The rows of each local day of the window that had begun at `as_of`; the rows lie in the window and come in the order of time."""
    days = report.window.days_begun(report.as_of + timedelta.resolution)  # what happened at as_of itself exists
    begins = [bisect_left(rows, midnight(day, report.window.zone), key=at) for day in days]
    ends = [*begins[1:], len(rows)]
    return [(day, rows[begin:end]) for day, begin, end in zip(days, begins, ends, strict=False)]


def daily(report: Report, days: Mapping[date, int]) -> dict[str, list[float | int | None]]:
    """One value for each local day begun: deployments (`days`), fail rate of the changes dated that day, median lead time."""
    changes = by_day(report, report.changes, lambda change: change.attempts[0].deploy.at)
    deliveries = by_day(report, report.deliveries, lambda delivery: delivery.deploy.at)
    count = len(report.days)
    return {
        "deployments": [days.get(day, 0) for day in report.days],
        "change_fail_rate": [ratio(sum([bool(change.reasons) for change in rows]), len(rows)) for _, rows in changes[:count]],
        "lead_time_median_s": [
            tidy(median([seconds for one in rows for seconds in one.seconds if seconds >= 0])) for _, rows in deliveries[:count]
        ],
    }


def by_service(report: Report) -> dict[str, dict[str, float | int | None]]:
    """Deployments, fail rate and median lead time of each service that the stage has seen."""
    deployments = Counter([rollout.deploy.service for rollout in report.deployments])
    changes = Counter([change.attempts[0].deploy.service for change in report.changes])
    failed = Counter([change.first.service for change in report.failed_changes])
    leads: Mapping[str, list[float]] = defaultdict(list)
    for delivery in report.deliveries:
        leads[delivery.deploy.service].extend(delivery.seconds)
    return {
        service: {
            "deployments": deployments[service],
            "change_fail_rate": ratio(failed[service], changes[service]),
            "lead_time_median_s": tidy(median([seconds for seconds in leads[service] if seconds >= 0])),
        }
        for service in report.services
    }


def age(change: Change, as_of: datetime) -> float:
    """Elapsed seconds since a failed change's first attempt."""
    return (as_of - change.first.at).total_seconds()


def tidy(value: float | None) -> float | int | None:
    """Six decimals, and a whole number without any."""
    if value is None:
        return None
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded
