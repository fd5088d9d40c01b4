"""What several formats show alike: the page's title, its facts as rows, its services as rows."""

from bot.domain.instants import format_instant
from bot.domain.statistics import median
from bot.reporting.dora import Report, age, by_service
from bot.reporting.page import Page
from bot.reporting.words import rate, span


def title(page: Page) -> str:
    """Whom and what the page is about."""
    report = page.report
    about = report.service or (f"team {report.team}" if report.team else "all services")
    return f"Delivery of {about} to {report.stage}"


def facts(page: Page) -> list[tuple[str, str]]:
    """The header: window, zone, instant, sample sizes."""
    report = page.report
    return [
        ("Window", f"{report.window.first} to {report.window.end} (exclusive), {report.window.zone.key}, {len(report.days)} days begun"),
        ("Compared with", f"{page.before.window.first} to {page.before.window.end}"),
        ("As of", format_instant(report.as_of)),
        (
            "Counted",
            f"{len(report.deployments)} deployments, {len(report.changes)} changes, {len(report.lead_times)} commits, "
            f"{len(report.failed_changes)} failed changes, {len(report.rollbacks)} rollbacks, {len(report.redeploys)} redeploys, "
            f"{len(report.failed_rollouts)} failed rollouts",
        ),
    ]


def services(page: Page) -> list[tuple[str, str, str, str, str, str]]:
    """One row for each service: name, deployments, failed of changes, fail rate, median lead time, change of deployments."""
    now, before = by_service(page.report), by_service(page.before)
    changes: dict[str, list[bool]] = {}
    for change in page.report.changes:
        changes.setdefault(change.first.service, []).append(change.failed)
    found = []
    for name, row in now.items():
        counts = changes.get(name, [])
        moved = (row["deployments"] or 0) - ((before.get(name) or {}).get("deployments") or 0)
        found.append(
            (
                name,
                str(row["deployments"]),
                f"{sum(counts)} of {len(counts)}",
                rate(row["change_fail_rate"]),
                span(row["lead_time_median_s"]),
                f"{moved:+d}" if moved else "±0",
            )
        )
    return found


def open_failures(report: Report) -> list[tuple[str, str, str, str, str]]:
    """One row for each open failure: deploy, service, version, age, reason."""
    return [
        (
            change.first.id,
            change.first.service,
            change.first.version,
            span(age(change, report.as_of)),
            "; ".join(f"{reason.cause.value} ({reason.by})" for reason in change.reasons),
        )
        for change in report.open_failures
    ]


BLOCKED_HEADS = ("Stage", "Service", "Version", "Waits for", "Gate", "Why")
PHASE_HEADS = ("Stage", "Waited for", "Median", "p90", "Promotions")


def blocked(page: Page) -> list[tuple[str, str, str, str, str, str]]:
    """One row for each promotion that is open now: stage, service, version, age, gate, reason."""
    return [(row.stage, row.service, row.version, span(row.age_s), row.gate, row.reason) for row in page.blocked]


def phases(page: Page) -> list[tuple[str, str, str, str, str]]:
    """One row for each gate and stage that merged promotions spent time on."""
    return [(row.stage, row.name, span(row.median), span(row.p90), str(len(row.seconds))) for row in page.phases]


def recovered(report: Report) -> str:
    """Time to restore, told beside the recovery time."""
    return f"from the first failure mark: {span(median(report.restore_times))} (n {len(report.restore_times)})"
