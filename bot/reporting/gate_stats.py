"""The figures that the `dora` gate is judged by: of one stage, over a span up to now, from the same code as every report.

Counts; whether the figures allow a promotion is decided by `domain.dora_rule`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.domain.dora_rule import DeliveryStats, OpenFailure
from bot.domain.history import Event
from bot.domain.statistics import median
from bot.reporting.lineage import Lineage, trace

RECOVERY_SPAN = timedelta(days=90)


def delivery_stats(
    events: Iterable[Event], *, stage: str, over: timedelta, now: datetime, blocked_since: datetime | None = None
) -> DeliveryStats:
    """The stage's figures as known at `now`: changes dated in the last `over`, recoveries of the last 90 days, open failures of all time.

    `blocked_since` is the first instant of the gate's block in force, None for none.
    """
    return stats_of(trace(events, stage=stage, as_of=now), over=over, blocked_since=blocked_since)


def stats_of(lineage: Lineage, *, over: timedelta, blocked_since: datetime | None = None) -> DeliveryStats:
    """The same from a lineage, at its instant."""
    now = lineage.as_of
    dated = [change for change in lineage.changes if now - over <= change.first.at]
    recent = [change.recovery_s for change in lineage.changes if change.failed and now - RECOVERY_SPAN <= change.first.at]
    recovered = [seconds for seconds in recent if seconds is not None and seconds >= 0]
    middle = median(recovered)
    return DeliveryStats(
        failed=sum(change.failed for change in dated),
        changes=len(dated),
        days=-(-over // timedelta(days=1)),
        as_of=now,
        open_failures=tuple(
            OpenFailure(deploy=change.first.id, service=change.first.service, version=change.first.version, since=change.first.at)
            for change in lineage.open_changes
        ),
        recovered=len(recovered),
        recovery_median=None if middle is None else timedelta(seconds=middle),
        recovery_days=RECOVERY_SPAN.days,
        blocked_since=blocked_since,
        rate_blocked=blocked_since is not None,
    )
