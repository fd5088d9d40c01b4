"""The metrics against a second, slow reading of their definitions; the input's order and doubled events never matter."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.deliveries import figures
from tests.support.dora_reference import evaluate, instant
from tests.support.random_deliveries import random_history, random_instant, random_question

SEEDS = st.integers(0, 2**32)


def drawn(seed: int) -> tuple[Random, list[dict[str, Any]], dict[str, Any]]:
    rng = Random(seed)
    return rng, random_history(rng), random_question(rng)


def answer(events: list[dict[str, Any]], asked: dict[str, Any]) -> dict[str, Any]:
    same_names = {key: asked[key] for key in ("tz", "as_of", "stage", "service", "order")}
    return figures(events, first=asked["from"], end=asked["to"], **same_names)


def same(expected: Any, found: Any) -> bool:
    if isinstance(expected, dict):
        return all(name in found and same(value, found[name]) for name, value in expected.items())
    if isinstance(expected, list):
        return len(expected) == len(found) and all(same(one, other) for one, other in zip(expected, found, strict=True))
    if isinstance(expected, int | float) and isinstance(found, int | float):
        return abs(found - expected) <= 1e-6
    return bool(expected == found)


@pytest.mark.parametrize("block", range(4))
def test_agrees_with_the_slow_reading(block: int) -> None:
    for seed in range(block * 1000, block * 1000 + 1000):
        _, events, asked = drawn(seed)
        expected, found = evaluate(events, asked), answer(events, asked)
        differing = {name: (value, found[name]) for name, value in expected.items() if not same(value, found[name])}
        assert not differing, f"seed {seed}"


@settings(max_examples=100)
@given(SEEDS)
def test_neither_order_nor_doubling_matters(seed: int) -> None:
    rng, events, asked = drawn(seed)
    doubled = [*events, *rng.choices(events, k=4)] if events else []
    rng.shuffle(doubled)
    assert answer(doubled, asked) == answer(events, asked)


@settings(max_examples=100)
@given(SEEDS)
def test_different_events_under_one_id_do_not_make_the_order_matter(seed: int) -> None:
    rng, events, asked = drawn(seed)
    together = events + [event | {"at": random_instant(rng)} for event in events if event["t"] != "recovery"]
    before = answer(together, asked)
    rng.shuffle(together)
    assert answer(together, asked) == before


@settings(max_examples=100)
@given(SEEDS)
def test_what_lies_after_the_instant_is_not_known(seed: int) -> None:
    _, events, asked = drawn(seed)
    past = [event for event in events if instant(event["at"]) <= instant(asked["as_of"])]
    assert answer(past, asked) == answer(events, asked)


@settings(max_examples=100)
@given(SEEDS)
def test_services_add_up(seed: int) -> None:
    _, events, asked = drawn(seed)
    pooled = answer(events, asked | {"service": None})
    parts = [answer(events, asked | {"service": service}) for service in ("api", "web")]
    for field in ("deployments", "rollbacks", "redeploys", "failed_rollouts", "changes", "failed_changes", "lead_time_invalid"):
        assert pooled[field] == sum(part[field] for part in parts)
    assert sum(row["deployments"] for row in pooled["by_service"].values()) == pooled["deployments"] == sum(pooled["daily"]["deployments"])
