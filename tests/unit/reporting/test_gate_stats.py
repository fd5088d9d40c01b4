"""The figures for the `dora` gate: counted up to now over spans of time, the same at once and step by step."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

from bot.domain.history_file import read_history
from bot.reporting.gate_stats import StageHistory, delivery_stats
from tests.support.deliveries import deploy, failure, recovery
from tests.support.random_deliveries import random_history

OVER = timedelta(days=3)


def test_spans_end_now_and_open_failures_have_no_span() -> None:
    events = [
        deploy("d1", "1 09:00", "v1"), failure("f1", "1 10:00", "d1"), deploy("d2", "6 09:00", "v2", service="web"),
        deploy("d3", "7 09:00", "v3", service="web"), failure("f3", "7 10:00", "d3"), recovery("f3", "7 11:00"),
        deploy("d4", "9 09:00", "v4", service="web"),
    ]  # fmt: skip
    now = datetime(2025, 3, 9, 9, tzinfo=UTC)
    stats = delivery_stats(read_history(json.dumps({"events": events})).events, stage="prod", over=OVER, now=now)
    assert (stats.changes, stats.failed, stats.days, stats.as_of) == (3, 1, 3, now)
    assert [(found.deploy, found.service, found.version) for found in stats.open_failures] == [("d1", "api", "v1")]
    assert (stats.recovered, stats.recovery_median) == (1, timedelta(hours=2))
    later = delivery_stats(read_history(json.dumps({"events": events})).events, stage="prod", over=OVER, now=now + timedelta(seconds=1))
    assert later.changes == 2


def test_step_by_step_is_the_same_as_anew() -> None:
    for seed in range(150):
        rng = Random(seed)
        events = read_history(json.dumps({"events": random_history(rng)})).events
        history = StageHistory(events, stage="prod")
        for day in sorted(rng.sample(range(1, 16), 4)):
            now = datetime(2025, 3, day, 12, tzinfo=UTC)
            assert history.stats(over=OVER, now=now) == delivery_stats(events, stage="prod", over=OVER, now=now), f"seed {seed}"
