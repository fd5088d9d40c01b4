"""Everything that one report page shows, computed once: the window, the one before it, twelve weeks for the sparklines, data quality.

Decides what belongs on the page and by which code it is computed (the same for file, live history and drill-down).
Each format under `formats` only lays it out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.history import Deploy, Event, History
from bot.domain.statistics import median
from bot.reporting.benchmarks import Standing, frequency_standing, standing
from bot.reporting.dora import Report, measure
from bot.reporting.lineage import trace
from bot.reporting.quality import QualityRow, quality_of
from bot.reporting.restated import restated
from bot.reporting.teams import assign
from bot.reporting.waiting import Blocked, Phase, Waited, blocked_now, phases
from bot.reporting.windows import Window

SPARK_WEEKS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The report of the window, of the equally long window before it, and of the weeks up to its end (oldest first).

    `rollouts` are the selection's on every stage, `stages` the pipeline's order where it is known.
    `blocked` are the promotions that wait now, `phases` where the time of the merged ones went (into every stage), `restated`
    tells what late events changed in the report before this one. `tiers` is the year whose tier labels are wanted (default: none).
    """

    report: Report
    before: Report
    weeks: tuple[Report, ...]
    quality: tuple[QualityRow, ...]
    rollouts: tuple[Deploy, ...]
    stages: tuple[str, ...] | None
    tiers: str | None
    blocked: tuple[Blocked, ...] = ()
    phases: tuple[Phase, ...] = ()
    restated: tuple[str, ...] = ()

    def standings(self) -> Mapping[str, Standing]:
        """Where each figure stands among the survey's respondents; figures that are not known are absent."""
        return standings(self.report)


def build_page(
    history: History,
    *,
    window: Window,
    as_of: datetime,
    stage: str,
    service: str | None = None,
    team: str | None = None,
    tiers: str | None = None,
    owners: Mapping[str, str] | None = None,
    stages: Sequence[str] | None = None,
    waits: Sequence[Waited] = (),
    told_as_of: datetime | None = None,
) -> Page:
    """The page over a history. `owners` maps services to teams, for events that carry none; `stages` is the pipeline's order.

    `waits` are the promotions with their verdicts, where they are known. `told_as_of` is the instant of the report before this one:
    what the window before looked like then is compared with what is known of it now.
    """
    assigned = assign(history.events, owners or {}, as_of=as_of)
    lineage = trace(assigned.events, stage=stage, as_of=as_of, version_order=history.version_order)
    report = measure(lineage, window, service=service, team=team)
    mine = [event for event in assigned.events if isinstance(event, Deploy) and event.at <= as_of and _meant(event, service, team)]
    before = measure(lineage, window.before(), service=service, team=team)
    mine_only = None if service is None and team is None else frozenset(deploy.service for deploy in mine)
    week = timedelta(days=7)
    spans = [replace(window, first=window.end - week * (back + 1), end=window.end - week * back) for back in range(SPARK_WEEKS)]
    return Page(
        report=report,
        before=before,
        weeks=tuple(measure(lineage, span, service=service, team=team) for span in reversed(spans)),
        quality=quality_of(
            report,
            moved=assigned.moved,
            without_team=assigned.without,
            ignored_fields=dict(history.ignored_fields),
            unknown=dict(history.unknown),
            notes=[(code, count) for where, code, count in history.notes if where == stage],
        ),
        rollouts=tuple(mine),
        stages=tuple(stages) if stages is not None else None,
        tiers=tiers,
        blocked=blocked_now(waits, now=as_of, services=mine_only),
        phases=phases(waits, window=window, as_of=as_of, services=mine_only),
        restated=_restated(assigned.events, before, told_as_of, history.version_order),
    )


def _restated(events: Sequence[Event], before: Report, told_as_of: datetime | None, order: Sequence[str] | None) -> tuple[str, ...]:
    """What was known of the window before at `told_as_of`, against what is known now."""
    if told_as_of is None:
        return ()
    then = trace(events, stage=before.stage, as_of=told_as_of, version_order=order)
    return restated(measure(then, before.window, service=before.service, team=before.team), before)


def _meant(deploy: Deploy, service: str | None, team: str | None) -> bool:
    return service in (None, deploy.service) and team in (None, deploy.team)


def standings(report: Report) -> dict[str, Standing]:
    """Where each figure of a report stands; figures that are not known are absent."""
    found = {}
    if report.days:
        found["deployment_frequency"] = frequency_standing(len(report.deployments), len(report.days))
    values = {
        "lead_time_s": median(report.lead_times),
        "change_fail_rate": report.change_fail_rate,
        "recovery_s": median(report.recovery_times),
        "rework_rate": report.rework_rate,
    }
    return found | {metric: standing(metric, value) for metric, value in values.items() if value is not None}
