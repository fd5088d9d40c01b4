"""The report against a second calculation that was written from the definitions alone: thousands of random histories."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.deliveries import figures
from tests.unit.reporting.histories import random_case
from tests.unit.reporting.reference import report


def ours(events: list[dict[str, Any]], asked: dict[str, Any]) -> dict[str, Any]:
    same_names = {name: asked[name] for name in ("end", "tz", "as_of", "stage", "service", "team")}
    return figures(events, first=asked["start"], order=asked["version_order"], **same_names)


def same(expected: Any, found: Any) -> bool:
    if isinstance(expected, dict):
        return expected.keys() <= found.keys() and all(same(value, found[name]) for name, value in expected.items())
    if isinstance(expected, list):
        return len(expected) == len(found) and all(same(one, other) for one, other in zip(expected, found, strict=True))
    if isinstance(expected, int | float) and isinstance(found, int | float):
        return abs(expected - found) <= 1e-6 + 1e-12
    return bool(expected == found)


@settings(max_examples=3000, derandomize=True)
@given(st.integers(0, 2**48))
def test_agrees_with_the_reference(seed: int) -> None:
    events, asked = random_case(Random(seed))
    expected, found = report(events, **asked), ours(events, asked)
    still = expected.pop("open_failures")
    different = {name: (value, found[name]) for name, value in expected.items() if not same(value, found[name])}
    assert not different, f"seed {seed}: {asked}"
    assert set(expected["by_service"]) == set(found["by_service"])
    assert len(still) == len(found["open_failures"])
    for one, other in zip(still, found["open_failures"], strict=True):
        assert other["deploy"] in one["ids"]
        assert same(one["age_s"], other["age_s"])
