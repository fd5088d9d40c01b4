"""What late events changed in figures that were told before: the same window, as it was known then and as it is known now.

Compares two reports over one window; nothing aggregated is ever stored, so the old figures are computed again from the history.
"""

from bot.domain.statistics import median
from bot.reporting.dora import Report
from bot.reporting.words import number, rate, span


def restated(then: Report, now: Report) -> tuple[str, ...]:
    """One sentence for each figure that changed. Raises ValueError for reports over different windows or selections."""
    if (then.window, then.stage, then.service, then.team) != (now.window, now.stage, now.service, now.team):
        raise ValueError("only the same window of the same selection can be restated")
    pairs = [
        ("deployments", str(len(then.deployments)), str(len(now.deployments))),
        ("deployments a day", number(then.deployments_per_day), number(now.deployments_per_day)),
        ("change lead time", span(median(then.lead_times)), span(median(now.lead_times))),
        ("change fail rate", rate(then.change_fail_rate), rate(now.change_fail_rate)),
        ("recovery time", span(median(then.recovery_times)), span(median(now.recovery_times))),
        ("rework rate", rate(then.rework_rate), rate(now.rework_rate)),
    ]
    window = f"{now.window.first} to {now.window.end}"
    return tuple(f"{name} of {window}: {old} → {new}" for name, old, new in pairs if old != new)
