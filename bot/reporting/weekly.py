"""The report's two charts as plain numbers, week by week: rollouts by outcome, and change lead time.

Decides which rows are counted; how they are drawn is the page's (`formats/html.py`) and the picture's (`picture.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.statistics import median, percentile
from bot.reporting.page import Page

_DAY = 86_400
_KINDS = ("promotion", "hotfix", "revert")
Counts = Sequence[tuple[str, Sequence[int]]]
Days = Sequence[tuple[str, Sequence[float | None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """`names` are the first days of the weeks, oldest first. Lead times are in days, None where a week has none."""

    names: Sequence[str]
    rollouts: Counts
    lead_times: Days


def weekly(page: Page) -> Weekly:
    """The numbers of a page's weeks."""
    rollouts = [(kind, [sum(rollout.kind.value == kind for rollout in week.deployments) for week in page.weeks]) for kind in _KINDS]
    rollouts += [
        ("rollback", [len(week.rollbacks) for week in page.weeks]),
        ("failed rollout", [len(week.failed_rollouts) for week in page.weeks]),
    ]
    middle = [_days(median(week.lead_times)) for week in page.weeks]
    slow = [_days(percentile(week.lead_times, 0.9)) for week in page.weeks]
    return Weekly(
        names=[f"{week.window.first:%d %b}" for week in page.weeks], rollouts=rollouts, lead_times=[("median", middle), ("p90", slow)]
    )


def _days(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / _DAY, 2)
