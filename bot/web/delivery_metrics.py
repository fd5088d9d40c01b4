"""The delivery figures on /metrics: counters, histograms and windowed gauges with their sample sizes, worked out at most once a minute.

Decides which windows and stages are shown; what is counted is decided by `reporting`, the same code as for every report.
"""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.config.schema import Config
from bot.reporting.dora import measure
from bot.reporting.exposition import Sample, exposition, totals, windowed
from bot.reporting.lineage import trace
from bot.reporting.live import Records, live_history
from bot.reporting.windows import Window

DAYS = (7, 28, 90)
EVERY = timedelta(minutes=1)


class Kept(Protocol):
    """Who keeps the history."""

    def records(self, stage: str | None = None) -> Records: ...


class DeliveryMetrics:
    """The text of the samples, held for a minute: a scrape must not read the whole history each time."""

    def __init__(self, config: Config, kept: Kept, clock: Callable[[], datetime]) -> None:
        self._config, self._kept, self._clock = config, kept, clock
        self._lock = threading.Lock()
        self._held: tuple[datetime, str] | None = None

    def text(self) -> str:
        """Prometheus' text format."""
        now = self._clock()
        with self._lock:
            if self._held is None or not timedelta() <= now - self._held[0] < EVERY:
                self._held = now, exposition(iter(dict.fromkeys(self._samples(now))))
            return self._held[1]

    def _samples(self, now: datetime) -> Iterator[Sample]:
        owners = {name: service.team for name, service in self._config.services.items() if service.team is not None}
        grace = {stage.name: stage.rollout.grace for stage in self._config.pipeline.stages}
        events = live_history(self._kept.records(), teams=owners, grace=grace).events
        zone = ZoneInfo(self._config.reports.zone)
        end = now.astimezone(zone).date() + timedelta(days=1)
        for stage in self._config.order():
            lineage = trace(events, stage=stage, as_of=now)
            yield from totals(lineage)
            for days in DAYS:
                window = Window(first=end - timedelta(days=days), end=end, zone=zone)
                for team in (None, *sorted(set(owners.values()))):
                    yield from windowed(measure(lineage, window, team=team), f"{days}d")
