"""The examples of the definitions, the rows of the fail-rate gate, percentiles and benchmark bands."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.domain.statistics import percentile, wilson_bounds
from bot.reporting.benchmarks import frequency_standing, standing
from tests.support.deliveries import figures

EXAMPLES = json.loads((Path(__file__).parents[2] / "data/dora/examples.json").read_text())
HOUR = 3600


def close(expected: Any, found: Any) -> bool:
    if isinstance(expected, dict):
        return all(name in found and close(value, found[name]) for name, value in expected.items())
    if isinstance(expected, int | float) and isinstance(found, int | float):
        return abs(expected - found) <= 1e-6
    return bool(expected == found)


@pytest.mark.parametrize("case", EXAMPLES["cases"], ids=lambda case: case["id"])
def test_examples(case: dict[str, Any]) -> None:
    for asked in case["evaluations"]:
        span = asked["window"]
        found = figures(case["events"], first=span["from"], end=span["to"], tz=span["tz"], as_of=asked["as_of"])
        assert {name for name, value in asked["expected"].items() if not close(value, found[name])} == set()


@pytest.mark.parametrize("row", EXAMPLES["gates_cfr"], ids=lambda row: f"{row['failed']}/{row['changes']}")
def test_wilson_bounds(row: dict[str, Any]) -> None:
    bounds = wilson_bounds(row["failed"], row["changes"])
    assert (bounds is None) == (row["wilson_lower"] is None)
    assert bounds is None or bounds == pytest.approx((row["wilson_lower"], row["wilson_upper"]), abs=1e-6)


@pytest.mark.parametrize("row", EXAMPLES["percentiles"], ids=lambda row: str(row["values"]))
def test_percentiles(row: dict[str, Any]) -> None:
    assert percentile(row["values"], 0.5) == row["p50"]
    assert percentile(row["values"], 0.9) == (pytest.approx(row["p90"]) if row["values"] else None)


@pytest.mark.parametrize("row", EXAMPLES["benchmarks"]["cases_2025"], ids=lambda row: f"{row['metric']} {row['top_pct']}")
def test_benchmark_2025(row: dict[str, Any]) -> None:
    found = frequency_standing(row["deployments"], row["days"]) if "days" in row else standing(row["metric"], row["value"])
    assert found.top_pct == row["top_pct"]


@pytest.mark.parametrize("row", EXAMPLES["benchmarks"]["cases_2023"], ids=lambda row: f"{row['metric']} {row['level']}")
def test_benchmark_2023(row: dict[str, Any]) -> None:
    found = frequency_standing(row["deployments"], row["days"]) if "days" in row else standing(row["metric"], row["value"])
    assert found.tier == row["level"]


def test_nothing_is_null_and_never_zero() -> None:
    found = figures([])
    assert (found["window_days"], found["deployments"], found["deployments_per_day"], found["deploy_days"]) == (7, 0, 0.0, 0)
    assert (found["change_fail_rate"], found["rework_rate"]) == (None, None)
    assert found["lead_time_s"] == {"n": 0, "median": None, "p90": None}
    assert found["recovery_s"] == found["time_to_restore_s"] == {"n": 0, "median": None}
    assert found["by_service"] == {}
    assert found["daily"]["change_fail_rate"] == [None] * 7 == found["daily"]["lead_time_median_s"]
