"""The decision behind the `dora` gate, from tables of figures."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.dora_rule import DeliveryStats, DoraOverride, DoraRule, Mode, OpenFailure, Signal, fail_rate_signal, judge
from bot.domain.history import RolloutKind

NOW = datetime(2025, 3, 10, tzinfo=UTC)
ROWS = json.loads((Path(__file__).parents[2] / "data/dora/examples.json").read_text())["gates_cfr"]
STATS = DeliveryStats(failed=0, changes=20, days=28, as_of=NOW)
BLOCKING = DoraRule(change_fail_rate=Mode.BLOCK, recovery=Mode.OFF)
OPEN = OpenFailure(deploy="d7", service="api", version="1.4.2", since=NOW - timedelta(hours=3))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['failed']}/{row['changes']}")
def test_examples(row: dict[str, Any]) -> None:
    signal = fail_rate_signal(row["failed"], row["changes"], limit=row["threshold"], min_changes=row["min_changes"])
    assert signal.value == row["decision"]


@pytest.mark.parametrize(
    ("n", "warns", "blocks"), [(10, 2, 4), (20, 4, 6), (50, 8, 12)]
)  # the smallest numbers of failures whose rate, and whose bound, exceed 15 %
def test_limits_of_the_bound(n: int, warns: int, blocks: int) -> None:
    found = [fail_rate_signal(failed, n, limit=0.15, min_changes=10) for failed in range(n + 1)]
    assert found.index(Signal.WARN) == warns
    assert found.index(Signal.BLOCK) == blocks
    assert found[blocks:] == [Signal.BLOCK] * (n + 1 - blocks)


def test_the_sentence_shows_the_numbers() -> None:
    signal, sentence = judge(replace(STATS, failed=3, changes=10), BLOCKING, NOW)
    assert signal is Signal.WARN
    assert sentence == "3 of 10 changes failed in 28 days; lower bound 12.7 %, limit 15 %: allowed, watch (as of 2025-03-10T00:00:00Z)."


@pytest.mark.parametrize(("mode", "signal"), [(Mode.WARN, Signal.WARN), (Mode.BLOCK, Signal.BLOCK), (Mode.OFF, Signal.PASS)])
def test_the_fail_rate_warns_by_default_and_blocks_by_choice(mode: Mode, signal: Signal) -> None:
    assert DoraRule().change_fail_rate is Mode.WARN
    assert judge(replace(STATS, failed=9), replace(BLOCKING, change_fail_rate=mode), NOW)[0] is signal


def test_an_open_failure_blocks_without_any_statistics() -> None:
    signal, sentence = judge(replace(STATS, changes=1, failed=1, open_failures=(OPEN,)), DoraRule(), NOW)
    assert signal is Signal.BLOCK
    assert "api 1.4.2 (d7) since 3h" in sentence


@pytest.mark.parametrize("kind", [RolloutKind.ROLLBACK, RolloutKind.REVERT, RolloutKind.HOTFIX])
def test_the_remedy_is_never_blocked(kind: RolloutKind) -> None:
    assert judge(replace(STATS, failed=20, open_failures=(OPEN,), kind=kind), BLOCKING, NOW)[0] is Signal.EXEMPT


def test_labels_and_running_overrides_exempt_and_ended_ones_do_not() -> None:
    bad = replace(STATS, open_failures=(OPEN,))
    assert judge(replace(bad, labels=frozenset(["security"])), BLOCKING, NOW)[0] is Signal.EXEMPT
    override = DoraOverride(by="ann", reason="known flake", until=NOW + timedelta(seconds=1))
    assert judge(replace(bad, override=override), BLOCKING, NOW)[0] is Signal.EXEMPT
    signal, sentence = judge(replace(bad, override=replace(override, until=NOW)), BLOCKING, NOW)
    assert signal is Signal.BLOCK
    assert "the override by ann ended at" in sentence


def test_a_block_holds_until_the_rate_itself_is_back() -> None:
    held = replace(STATS, failed=4, blocked_since=NOW - timedelta(days=1), rate_blocked=True)
    assert judge(replace(held, rate_blocked=False), BLOCKING, NOW)[0] is Signal.WARN
    assert judge(held, BLOCKING, NOW)[0] is Signal.BLOCK
    assert judge(replace(held, failed=3), BLOCKING, NOW)[0] is Signal.PASS
    assert judge(replace(held, failed=4, changes=9), BLOCKING, NOW)[0] is Signal.INSUFFICIENT


def test_a_block_ends_after_the_longest_time() -> None:
    held = replace(STATS, failed=9, blocked_since=NOW - timedelta(days=7))
    signal, sentence = judge(held, BLOCKING, NOW)
    assert (signal, signal.allows) == (Signal.WARN, True)
    assert "longer than 7d: only a warning now" in sentence
    assert not judge(held, BLOCKING, NOW - timedelta(seconds=1))[0].allows


def test_no_data_allows_and_says_so() -> None:
    for stats in (None, replace(STATS, changes=0)):
        signal, sentence = judge(stats, replace(BLOCKING, open_failure=Mode.OFF), NOW)
        assert (signal, signal.allows) == (Signal.INSUFFICIENT, True)
        assert "allowed" in sentence


def test_recovery_and_error_budget() -> None:
    slow = replace(STATS, recovered=3, recovery_median=timedelta(hours=25), budget_remaining=-0.1)
    assert judge(slow, DoraRule(), NOW)[0] is Signal.WARN
    assert judge(replace(slow, recovered=2), DoraRule(), NOW)[0] is Signal.INSUFFICIENT
    assert judge(slow, DoraRule(error_budget=Mode.BLOCK), NOW)[0] is Signal.BLOCK
    assert "not known" in judge(replace(STATS, budget_remaining=None), DoraRule(error_budget=Mode.BLOCK, recovery=Mode.OFF), NOW)[1]


def test_without_any_metric_that_is_asked_for_nothing_is_held() -> None:
    nothing = DoraRule(open_failure=Mode.OFF, change_fail_rate=Mode.OFF, recovery=Mode.OFF, error_budget=Mode.OFF)
    assert judge(replace(STATS, failed=20, open_failures=(OPEN,)), nothing, NOW) == (
        Signal.PASS,
        "No delivery metric is asked for: allowed.",
    )
