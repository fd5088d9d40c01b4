"""Why a figure is what it is: its rule, the rows it counted, what it left out and why, and the arithmetic, step by step.

Takes the rows from the same report that shows the figure, so that the two cannot disagree. One function for each metric.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.domain.history import Deploy, Failure
from bot.domain.instants import format_instant
from bot.domain.statistics import median, percentile
from bot.reporting.blame import Change
from bot.reporting.dora import Report, age
from bot.reporting.roles import Role, Rollout
from bot.reporting.words import UNKNOWN, number, rate, span

Row = dict[str, str | float | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One metric told in full: `value` in words, `rule`, `counted` rows, `left_out` rows (each with `why`), `steps` of the arithmetic."""

    metric: str
    value: str
    rule: str
    counted: tuple[Row, ...]
    left_out: tuple[Row, ...]
    steps: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The explanation as a JSON object."""
        return {
            "metric": self.metric,
            "value": self.value,
            "rule": self.rule,
            "steps": list(self.steps),
            "counted": list(self.counted),
            "left_out": list(self.left_out),
        }


def explain(report: Report, metric: str) -> Explanation:
    """The explanation of one of `METRICS`, or of the metric behind one of `FIGURES`, for a report. Raises KeyError for another name."""
    return METRICS[FIGURES.get(metric, metric)](report)


def _frequency(report: Report) -> Explanation:
    count, days = len(report.deployments), len(report.days)
    return Explanation(
        metric="deployment_frequency",
        value=f"{number(report.deployments_per_day)} a day" if days else UNKNOWN,
        rule="A deployment is a successful rollout (promotion, hotfix or revert) that changes the live version, counted when it ended; "
        "divided by the local calendar days begun, empty days included.",
        counted=tuple(_rollout_row(rollout) for rollout in report.deployments),
        left_out=tuple(_no_deployments(report)),
        steps=(
            f"{count} deployments on {len(report.deployment_days)} days",
            f"{days} days of the window had begun at {format_instant(report.as_of)}",
            _quotient(count, days, number(report.deployments_per_day)),
        ),
    )


def _lead_time(report: Report) -> Explanation:
    values = report.lead_times
    counted = {(lead.deploy.id, lead.sha) for lead in report.leads}
    left_out: list[Row] = []
    for lead in report.leads:
        if lead.seconds < 0:
            left_out.append(
                _commit_row(lead.sha, lead.deploy) | {"why": f"younger than its deployment by {span(-lead.seconds)}: a clock was wrong"}
            )
    for rollout in report.deployments:
        why = "came with the stage's first sight (baseline)" if rollout.deploy.baseline else "an earlier deployment delivered it"
        for commit in rollout.deploy.commits:
            if (rollout.deploy.id, commit.sha) not in counted:
                left_out.append(_commit_row(commit.sha, rollout.deploy) | {"why": why})
    return Explanation(
        metric="change_lead_time",
        value=span(median(values)),
        rule="For each commit at its first successful forward deployment to the stage: the deployment's end minus the author date; "
        "the interpolated median, with the 90th percentile. Each commit counts once for a service and stage.",
        counted=tuple(
            _commit_row(lead.sha, lead.deploy) | {"seconds": lead.seconds, "lead_time": span(lead.seconds)}
            for lead in report.leads
            if lead.seconds >= 0
        ),
        left_out=tuple(left_out),
        steps=(
            f"{len(values)} commits delivered by {len({lead.deploy.id for lead in report.leads})} deployments",
            f"{report.lead_time_invalid} negative values dropped",
            f"median {span(median(values))}, p90 {span(percentile(values, 0.9))}",
        ),
    )


def _fail_rate(report: Report) -> Explanation:
    return Explanation(
        metric="change_fail_rate",
        value=rate(report.change_fail_rate),
        rule="A change is consecutive attempts of one version up to its first success, dated at its first attempt. It failed if an attempt "
        "failed, a failure is linked to it, a rollback withdrew it, or a later deployment reverted a pull request that it brought first.",
        counted=tuple(_change_row(change) for change in report.changes),
        left_out=(
            *(_no_change(rollout, "a rollback is no change") for rollout in report.rollbacks),
            *(_no_change(rollout, "a redeploy is no change") for rollout in report.redeploys),
            *(_no_change(r, "a failed rollback or redeploy is no change") for r in report.failed_rollouts if r.role is Role.FAILED_RETURN),
            *(_mark_row(mark) for mark in report.unlinked),
        ),
        steps=(
            f"{len(report.changes)} changes are dated in the window",
            f"{len(report.failed_changes)} of them failed",
            f"{len(report.failed_changes)} / {len(report.changes)} = {rate(report.change_fail_rate)}"
            if report.changes
            else "no change: no rate",
        ),
    )


def _recovery(report: Report) -> Explanation:
    values = report.recovery_times
    return Explanation(
        metric="recovery_time",
        value=span(median(values)),
        rule="From a failed change's first attempt to its end: a rollback, a linked fix, a revert, or the recovery of its last failure; "
        "a failed rollout also ends with the next success. The median over recovered changes dated in the window.",
        counted=tuple(_change_row(change) for change in report.failed_changes if change.recovered and (change.recovery_s or 0) >= 0),
        left_out=(
            *(_change_row(c) | {"why": "not recovered yet"} for c in report.failed_changes if c.recovered is None),
            *(
                _change_row(c) | {"why": "recovered before it began: a clock was wrong"}
                for c in report.failed_changes
                if (c.recovery_s or 0) < 0
            ),
        ),
        steps=(
            f"{len(report.failed_changes)} changes failed",
            f"{len(values)} of them recovered; {len(report.open_failures)} failures are open, older ones included",
            f"median {span(median(values))}",
            f"from the first failure mark: median {span(median(report.restore_times))} over {len(report.restore_times)}",
        ),
    )


def _rework(report: Report) -> Explanation:
    unplanned = [rollout for rollout in report.deployments if rollout.kind.value in ("hotfix", "revert")]
    whole = len(report.deployments) + len(report.rollbacks)
    part = len(unplanned) + len(report.rollbacks)
    return Explanation(
        metric="rework_rate",
        value=rate(report.rework_rate),
        rule="Unplanned production rollouts (hotfix and revert deployments, rollbacks) among deployments and rollbacks.",
        counted=tuple(_rollout_row(rollout) for rollout in (*unplanned, *report.rollbacks)),
        left_out=tuple(_no_change(rollout, "a redeploy changes no version") for rollout in report.redeploys),
        steps=(
            f"{len(unplanned)} hotfix or revert deployments and {len(report.rollbacks)} rollbacks",
            f"{len(report.deployments)} deployments and {len(report.rollbacks)} rollbacks",
            _quotient(part, whole, rate(report.rework_rate)),
        ),
    )


def _open_failures(report: Report) -> Explanation:
    return Explanation(
        metric="open_failures",
        value=str(len(report.open_failures)),
        rule="Failed changes dated before the window's end and not recovered at its instant; the age counts from the first attempt.",
        counted=tuple(_change_row(change) | {"age": span(age(change, report.as_of))} for change in report.open_failures),
        left_out=(),
        steps=(f"as of {format_instant(report.as_of)}",),
    )


METRICS: dict[str, Callable[[Report], Explanation]] = {
    "deployment_frequency": _frequency,
    "change_lead_time": _lead_time,
    "change_fail_rate": _fail_rate,
    "recovery_time": _recovery,
    "rework_rate": _rework,
    "open_failures": _open_failures,
}

FIGURES = {
    **dict.fromkeys(("deployments", "deployments_per_day", "deploy_days", "redeploys", "weekly"), "deployment_frequency"),
    **dict.fromkeys(("deploy_days_per_week_median", "daily", "by_service", "window_days"), "deployment_frequency"),
    **dict.fromkeys(("lead_time_s", "lead_time_invalid"), "change_lead_time"),
    **dict.fromkeys(("changes", "failed_changes", "failed_rollouts", "unlinked_incidents"), "change_fail_rate"),
    **dict.fromkeys(("recovery_s", "time_to_restore_s"), "recovery_time"),
    "rollbacks": "rework_rate",
}
"""The report's other numbers, each with the metric whose explanation shows its rows."""


def _no_deployments(report: Report) -> Iterator[Row]:
    for rollout in report.redeploys:
        yield _no_change(rollout, f"{rollout.deploy.version} was live already" if rollout.replaced else "it calls itself a redeploy")
    for rollout in report.rollbacks:
        yield _no_change(rollout, "a rollback; it has its own count")
    for rollout in report.failed_rollouts:
        yield _no_change(rollout, "the rollout failed")


def _quotient(part: int, whole: int, value: str) -> str:
    return f"{part} / {whole} = {value}" if whole else f"{part} / 0: there is nothing to divide by, so there is no rate"


def _no_change(rollout: Rollout, why: str) -> Row:
    return _rollout_row(rollout) | {"why": why}


def _rollout_row(rollout: Rollout) -> Row:
    return _deploy_row(rollout.deploy) | {"kind": rollout.kind.value, "role": rollout.role.value, "replaced": rollout.replaced}


def _commit_row(sha: str, deploy: Deploy) -> Row:
    return {"commit": sha} | _deploy_row(deploy)


def _mark_row(mark: Failure) -> Row:
    return {"failure": mark.id, "service": mark.service, "at": format_instant(mark.at), "why": "linked to no deployment"}


def _deploy_row(deploy: Deploy) -> Row:
    return {"deploy": deploy.id, "service": deploy.service, "version": deploy.version, "at": format_instant(deploy.at)}


def _change_row(change: Change) -> Row:
    return _deploy_row(change.first) | {
        "attempts": len(change.attempts),
        "failed": "yes" if change.failed else "no",
        "because": "; ".join(f"{reason.cause.value} ({reason.by})" for reason in change.reasons),
        "recovered_at": format_instant(change.recovered.at) if change.recovered else None,
        "recovered_by": change.recovered.by if change.recovered else None,
        "recovery_s": change.recovery_s,
    }
