"""The five metrics as cards, each with its sample size, its change against the window before, and whether that clears noise.

Decides what counts as better, as worse, and as noise; the figures come from the page's reports, the layout is left to the formats.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.statistics import counts_differ, median, rates_differ, samples_differ, wilson_bounds
from bot.reporting.dora import Report
from bot.reporting.page import Page
from bot.reporting.words import number, points, rate, relative, span


class Trend(StrEnum):
    """What became of a figure since the window before; `noise` is a difference that chance explains."""

    BETTER = "better"
    WORSE = "worse"
    NOISE = "noise"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One metric. `sample` says over what, `change` how much it moved, `interval` the 90 % interval of a rate; empty where not known.

    `spark` has one value for each of the last weeks, oldest first, None where a week has no data.
    """

    metric: str
    name: str
    value: str
    before: str
    sample: str
    change: str
    trend: Trend
    interval: str
    spark: tuple[float | None, ...]


def cards_of(page: Page) -> tuple[Card, ...]:
    """Deployment frequency, change lead time, change fail rate, recovery time, rework rate."""
    now, before = page.report, page.before
    reworked, reworked_before = _reworked(now), _reworked(before)
    failed, failed_before = (len(now.failed_changes), len(now.changes)), (len(before.failed_changes), len(before.changes))
    full = len(now.days) == len(before.days)
    return (
        _card(
            page, "deployment_frequency", "Deployment frequency", lambda report: report.deployments_per_day if report.days else None,
            lambda value: f"{number(value)} a day" if value is not None else number(value), relative,
            sample=f"{len(now.deployments)} deployments in {len(now.days)} days", larger_is_better=True,
            real=full and counts_differ(len(now.deployments), len(before.deployments)),
        ),
        _card(
            page, "lead_time_s", "Change lead time", lambda report: median(report.lead_times), span, relative,
            sample=f"{len(now.lead_times)} commits", larger_is_better=False, real=samples_differ(now.lead_times, before.lead_times),
        ),
        _card(
            page, "change_fail_rate", "Change fail rate", lambda report: report.change_fail_rate, rate, points,
            sample=f"{failed[0]} of {failed[1]} changes", larger_is_better=False, real=rates_differ(*failed, *failed_before),
            interval=_interval(*failed),
        ),
        _card(
            page, "recovery_s", "Failed deployment recovery time", lambda report: median(report.recovery_times), span, relative,
            sample=f"{len(now.recovery_times)} recovered, {len(now.open_failures)} open", larger_is_better=False,
            real=samples_differ(now.recovery_times, before.recovery_times),
        ),
        _card(
            page, "rework_rate", "Deployment rework rate", lambda report: report.rework_rate, rate, points,
            sample=f"{reworked[0]} of {reworked[1]} rollouts", larger_is_better=False, real=rates_differ(*reworked, *reworked_before),
            interval=_interval(*reworked),
        ),
    )  # fmt: skip


def headline(cards: Sequence[Card]) -> str:
    """One sentence on what really changed; where nothing clears noise it says so."""
    real = [card for card in cards if card.trend in (Trend.BETTER, Trend.WORSE)]
    if real:
        return "; ".join(f"{card.name} {card.before} → {card.value} ({card.trend.value}, {card.sample})" for card in real) + "."
    if all(card.trend is Trend.UNKNOWN for card in cards):
        return "There is too little data to compare with the window before."
    moved = [
        f"{card.name.lower()} {card.before} → {card.value}" for card in cards if card.trend is Trend.NOISE and card.before != card.value
    ]
    return "Nothing changed beyond noise" + (f": {', '.join(moved)}." if moved else ".")


def _card(
    page: Page,
    metric: str,
    name: str,
    value_of: Callable[[Report], float | None],
    write: Callable[[float | None], str],
    compare: Callable[[float | None, float | None], str],
    *,
    sample: str,
    larger_is_better: bool,
    real: bool,
    interval: str = "",
) -> Card:
    now, before = value_of(page.report), value_of(page.before)
    trend = Trend.UNKNOWN if now is None or before is None else Trend.NOISE
    if real and now is not None and before is not None and now != before:
        trend = Trend.BETTER if (now > before) == larger_is_better else Trend.WORSE
    return Card(
        metric=metric,
        name=name,
        value=write(now),
        before=write(before),
        sample=sample,
        change=compare(now, before),
        trend=trend,
        interval=interval,
        spark=tuple(value_of(week) for week in page.weeks),
    )


def _reworked(report: Report) -> tuple[int, int]:
    """Unplanned rollouts, and all that could have been."""
    unplanned = sum(rollout.kind.value in ("hotfix", "revert") for rollout in report.deployments)
    return unplanned + len(report.rollbacks), len(report.deployments) + len(report.rollbacks)


def _interval(part: int, whole: int) -> str:
    bounds = wilson_bounds(part, whole)
    return f"{rate(bounds[0])} to {rate(bounds[1])}" if bounds else ""
