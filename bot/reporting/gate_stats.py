"""The figures that the `dora` gate is judged by: of one stage, over a span up to now, from the same code as every report.

Counts; whether the figures allow a promotion is decided by `domain.dora_rule`.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bot.domain.dora_rule import DeliveryStats, OpenFailure
from bot.domain.history import Deploy, Event, Failure, Recovery
from bot.domain.statistics import median
from bot.reporting.blame import Change
from bot.reporting.lineage import trace

RECOVERY_SPAN = timedelta(days=90)


def delivery_stats(
    events: Iterable[Event], *, stage: str, over: timedelta, now: datetime, blocked_since: datetime | None = None
) -> DeliveryStats:
    """The stage's figures as known at `now`: changes dated in the last `over`, recoveries of the last 90 days, open failures of all time.

    `blocked_since` is the first instant of the gate's block in force, None for none.
    """
    return _counted(trace(events, stage=stage, as_of=now).changes, over=over, now=now, blocked_since=blocked_since)


class StageHistory:
    """The same figures at many instants of one history: a service is traced again only when something about it has become known."""

    def __init__(self, events: Iterable[Event], *, stage: str, version_order: Sequence[str] | None = None) -> None:
        """`events` in any order; `version_order` oldest first."""
        self._stage, self._order = stage, version_order
        self._events = _by_service(sorted(events, key=lambda event: event.at))
        self._instants = {service: [event.at for event in found] for service, found in self._events.items()}
        self._traced: dict[str, tuple[int, tuple[Change, ...]]] = {}

    def stats(self, *, over: timedelta, now: datetime) -> DeliveryStats:
        """As `delivery_stats` at `now`."""
        changes = [change for service in self._events for change in self._changes(service, now)]
        return _counted(changes, over=over, now=now, blocked_since=None)

    def _changes(self, service: str, now: datetime) -> tuple[Change, ...]:
        known = bisect_right(self._instants[service], now)
        held = self._traced.get(service)
        if held is None or held[0] != known:
            lineage = trace(self._events[service][:known], stage=self._stage, as_of=now, version_order=self._order)
            held = known, tuple(change for change in lineage.changes if change.first.service == service)
            self._traced[service] = held
        return held[1]


def _by_service(events: Sequence[Event]) -> dict[str, list[Event]]:
    """What bears on each service: its rollouts, the marks on them with their recoveries, and rollouts of others that fix it."""
    service_of = {event.id: event.service for event in events if isinstance(event, Deploy)}
    marked = {event.id: service_of[event.deploy] for event in events if isinstance(event, Failure) and event.deploy in service_of}
    found: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        match event:
            case Deploy():
                for service in {event.service, *(service_of[name] for name in event.fixes if name in service_of)}:
                    found[service].append(event)
            case Failure(deploy=str(deploy)) if deploy in service_of:
                found[service_of[deploy]].append(event)
            case Recovery() if event.failure in marked:
                found[marked[event.failure]].append(event)
    return dict(found)


def _counted(changes: Iterable[Change], *, over: timedelta, now: datetime, blocked_since: datetime | None) -> DeliveryStats:
    dated = failed = 0
    recovered: list[float] = []
    still: list[Change] = []
    for change in changes:
        if change.first.at >= now - over:
            dated += 1
            failed += change.failed
        if not change.failed:
            continue
        seconds = change.recovery_s
        if seconds is None:
            still.append(change)
        elif seconds >= 0 and change.first.at >= now - RECOVERY_SPAN:
            recovered.append(seconds)
    middle = median(recovered)
    return DeliveryStats(
        failed=failed,
        changes=dated,
        days=-(-over // timedelta(days=1)),
        as_of=now,
        open_failures=tuple(
            OpenFailure(deploy=change.first.id, service=change.first.service, version=change.first.version, since=change.first.at)
            for change in sorted(still, key=lambda change: change.first.place)
        ),
        recovered=len(recovered),
        recovery_median=None if middle is None else timedelta(seconds=middle),
        recovery_days=RECOVERY_SPAN.days,
        blocked_since=blocked_since,
        rate_blocked=blocked_since is not None,
    )
