"""What the reader of a report must know about the data behind it: each doubt is a row, none is a silent correction.

Decides which facts of the history and of the window weaken a figure, and words them. The figures themselves are left to `dora`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.domain.history import RolloutKind
from bot.reporting.backfill import NOTES, OF_BRANCH
from bot.reporting.dora import Report
from bot.reporting.doubts import long_silences, odd_days

_SHOWN = 20
_REBUILT = {
    "commit_time": "rollouts were rebuilt from git and are dated by their commits: when they were healthy is not on record",
    "health_unknown": "rollouts were rebuilt from git and count as successful: a failure leaves no trace there but its revert",
    "hand_made": "rollouts came from commits on the environment's branch that the bot did not make",
    "unordered": "rollouts changed the version in a direction that nobody can tell; they count as promotions",
}
"""What a history that was rebuilt from git could not know, by the codes in its events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRow:
    """One doubt: a stable code, how many rows it touches, the sentence, and the first ids or names it is about."""

    code: str
    count: int
    sentence: str
    names: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The row as a JSON object."""
        return {"code": self.code, "count": self.count, "sentence": self.sentence, "names": list(self.names)}


def quality_of(
    report: Report,
    *,
    moved: Sequence[str] = (),
    without_team: Sequence[str] = (),
    ignored_fields: Mapping[str, int] | None = None,
    unknown: Mapping[str, str] | None = None,
    notes: Sequence[tuple[str, int]] = (),
) -> tuple[QualityRow, ...]:
    """The rows for one report. `moved` and `without_team` are services; `ignored_fields` counts unknown fields by name; `unknown` says
    by the rollout's id why nobody knows what it carried (a deleted tag, rewritten history, no source repository).
    `notes` count what a backfill could not tell about the stage's whole branch."""
    rows = [*_window_rows(report), *_clock_rows(report), *_link_rows(report), *_source_rows(report), *_event_rows(report)]
    if report.team is not None:
        rows.append(_row("without_team", without_team, "services have events without a team and no owner is configured; they are left out"))
        rows.append(_row("moved_team", moved, "services moved between teams; each event counts for the team it carries"))
    why = unknown or {}
    bare = [f"{r.deploy.id}: {why[r.deploy.id]}" for r in report.deployments if r.deploy.id in why]
    rows.append(_row("unknown_commits", bare, "deployments carried what the source repository cannot tell; their lead times are not known"))
    rows += [QualityRow(code=code, count=count, sentence=f"{NOTES[code]} (backfill)") for code, count in notes if code in OF_BRANCH]
    ignored = dict(ignored_fields or {})
    rows.append(
        QualityRow(
            code="ignored_fields", count=sum(ignored.values()), names=tuple(sorted(ignored))[:_SHOWN],
            sentence="fields in the history have names that mean nothing here and were not read",
        )
    )  # fmt: skip
    return tuple(row for row in rows if row.count)


def _window_rows(report: Report) -> Iterator[QualityRow]:
    days = (report.window.end - report.window.first).days
    missing = days - len(report.days)
    if report.as_of < report.window.ends_at:
        word = "the window has not begun" if not report.days else "the window has not ended"
        yield QualityRow(code="window_open", count=max(missing, 1), sentence=f"{word}: {len(report.days)} of its {days} days count")
    if report.stage not in report.stages:
        yield QualityRow(
            code="stage_unknown", count=1, names=report.stages[:_SHOWN],
            sentence=f"the history has no rollout in {report.stage}" + (f"; it knows {', '.join(report.stages)}" if report.stages else ""),
        )  # fmt: skip
    elif not report.services:
        yield from _nobody(report)
    days_off = long_silences(_rollout_days(report), _judged_until(report), report.window)
    yield _row("months_without_data", days_off, "stretches of four weeks or more had no rollout: nothing was delivered, or not recorded")
    odd = odd_days(report.days, report.window)
    yield _row("clock_changes", odd, "days have another length than 24 hours; each counts as one day, and durations are elapsed time")
    active = {rollout.deploy.service for rollout in (*report.deployments, *report.failed_rollouts, *report.rollbacks, *report.redeploys)}
    yield _row("silent_services", [name for name in report.services if name not in active], "services had no rollout in the window")


def _nobody(report: Report) -> Iterator[QualityRow]:
    """What was asked about has never been in the stage: a wrong name must not look like a quiet week."""
    if report.service is not None:
        yield _row("service_unknown", [report.service], f"service asked about has no rollout in {report.stage}: is its name right")
    if report.team is not None:
        yield _row("team_unknown", [report.team], f"team asked about has no service with a rollout in {report.stage}: is its name right")


def _rollout_days(report: Report) -> list[date]:
    others = (*report.failed_rollouts, *report.rollbacks, *report.redeploys)
    return sorted({*report.deployment_days, *(report.window.day_of(rollout.deploy.at) for rollout in others)})


def _judged_until(report: Report) -> date:
    """The window's end, or the day after the last one that had begun."""
    return report.days[-1] + timedelta(days=1) if report.days else report.window.first


def _clock_rows(report: Report) -> Iterator[QualityRow]:
    young = [f"{lead.deploy.id}: {lead.sha}" for one in report.deliveries if min(one.seconds) < 0 for lead in one.leads if lead.seconds < 0]
    yield _row("lead_time_invalid", young, "commits seem younger than their deployment; their lead times were dropped")
    early = [c.first.id for c in report.failed_changes if c.recovery_s is not None and c.recovery_s < 0]
    yield _row("recovery_invalid", early, "failed changes seem recovered before they began; their recovery times were dropped")
    late = [c.first.id for c in report.failed_changes if c.time_to_restore_s is not None and c.time_to_restore_s < 0]
    yield _row("marked_after_recovery", late, "failures were marked after the recovery; they have no time to restore")


def _link_rows(report: Report) -> Iterator[QualityRow]:
    tally = report.tally
    yield _row("unlinked_incidents", [f.id for f in report.unlinked], "failures are linked to no deployment; no change is blamed for them")
    yield _row("unknown_deploy", tally.dangling_failures, "failures name a deploy that the history does not have")
    yield _row("failure_of_no_change", tally.failures_of_no_change, "failures are linked to a rollback or redeploy, which is no change")
    yield _row("unknown_failure", tally.dangling_recoveries, "recoveries name a failure that the history does not have")
    renames = [name for name in tally.renamed if report.service in (None, *name.split(" → "))]
    yield _row("renamed_services", renames, "services seem to go on under another name; their figures are counted apart")
    yield _row("lost_links", tally.lost_links, "links of rollouts lead to nothing that the history has")


def _source_rows(report: Report) -> Iterator[QualityRow]:
    bare = [r.deploy.id for r in report.deployments if not r.deploy.commits and not r.deploy.baseline]
    yield _row("without_commits", bare, "deployments came without commits; their lead times are not known")
    first = [rollout.deploy.id for rollout in report.deployments if rollout.deploy.baseline]
    yield _row("baselines", first, "deployments are the first sight of their stage; they are counted, without lead times")
    inferred = [rollout.deploy.id for rollout in (*report.deployments, *report.rollbacks, *report.redeploys) if rollout.deploy.kind is None]
    yield _row("inferred_kinds", inferred, "rollouts came without a kind; it was inferred from versions and links")
    odd = [r.deploy.id for r in report.redeploys if r.deploy.kind is RolloutKind.REDEPLOY and r.replaced not in (None, r.deploy.version)]
    every = (*report.deployments, *report.rollbacks, *report.redeploys, *report.failed_rollouts)
    for code, sentence in _REBUILT.items():
        yield _row(code, [rollout.deploy.id for rollout in every if code in rollout.deploy.doubts], sentence)
    yield _row("odd_redeploys", odd, "rollouts call themselves redeploys but changed the live version")


def _event_rows(report: Report) -> Iterator[QualityRow]:
    tally = report.tally
    yield QualityRow(code="later_events", count=tally.later, sentence="events lie after the report's instant and do not exist for it yet")
    yield QualityRow(code="doubled_events", count=tally.doubled, sentence="events came more than once and were counted once")
    yield _row("conflicting_ids", tally.conflicting, "ids came with different contents; the earliest was taken")
    if report.changes and not any(change.marks for change in report.changes) and not report.unlinked:
        yield QualityRow(
            code="rollback_based",
            count=1,
            sentence="no incident is on record: failures are known from rollouts and what was taken back only",
        )


def _row(code: str, names: Iterable[str], sentence: str) -> QualityRow:
    every = tuple(names)
    return QualityRow(code=code, count=len(every), sentence=sentence, names=every[:_SHOWN])
