"""The facts as CSV: one row for each rollout of the window, with what it counted as; for pivot tables."""

import csv
import io
from collections import defaultdict

from bot.domain.instants import format_instant
from bot.domain.statistics import median
from bot.reporting.page import Page

HEADS = (
    "id", "service", "team", "stage", "at", "local_day", "version", "replaced", "kind", "status", "role",
    "change", "change_failed", "because", "recovered_at", "recovery_s", "commits", "lead_time_median_s",
)  # fmt: skip


def render(page: Page) -> str:
    """Header line and rows by time; a column that is not known is empty. `change` is the id of the change's first attempt."""
    report = page.report
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADS)
    change_of = {attempt.deploy.id: change for change in report.changes for attempt in change.attempts}
    leads = defaultdict(list)
    for lead in report.leads:
        if lead.seconds >= 0:
            leads[lead.deploy.id].append(lead.seconds)
    every = {r.deploy.id: r for r in (*report.deployments, *report.rollbacks, *report.redeploys, *report.failed_rollouts)}
    for rollout in sorted(every.values(), key=lambda found: found.deploy.place):
        deploy, change = rollout.deploy, change_of.get(rollout.deploy.id)
        writer.writerow(
            cell(value)
            for value in (
                deploy.id, deploy.service, deploy.team, deploy.stage, format_instant(deploy.at), str(report.window.day_of(deploy.at)),
                deploy.version, rollout.replaced, rollout.kind.value, deploy.status.value, rollout.role.value,
                change.first.id if change else None, change.failed if change else None,
                "; ".join(f"{reason.cause.value} ({reason.by})" for reason in change.reasons) if change else None,
                format_instant(change.recovered.at) if change and change.recovered else None,
                change.recovery_s if change else None, len(deploy.commits), median(leads[deploy.id]),
            )
        )  # fmt: skip
    return out.getvalue()


def cell(value: object) -> object:
    """A value that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return "" if value is None else value
