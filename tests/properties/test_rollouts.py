"""Laws of rollout verdicts that hold for any object, any order of events and any history."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.rollout import RolloutState, WorkloadRef, WorkloadState, combine
from bot.workloads import assess, rules
from bot.workloads.cache import Cache
from bot.workloads.describe import describe
from bot.workloads.watch import Limits, Outcome, follow, judge
from tests.support import recordings

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KINDS = sorted(rules())
LIMITS = Limits(timeout=timedelta(seconds=60), bake=timedelta(seconds=10))

leaves = st.none() | st.booleans() | st.integers(-3, 9) | st.sampled_from(["True", "False", "Healthy", "Synced", "Ready", "", "-", "\x00"])
trees = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
    ["conditions", "status", "type", "reason", "message", "spec", "metadata", "replicas", "generation", "observedGeneration", "health",
     "sync", "operationState", "phase", "containerStatuses", "state", "waiting", "terminated", "ownerReferences", "uid", "template"]
), inner, max_size=5), max_leaves=25)  # fmt: skip


@given(
    st.sampled_from(KINDS),
    trees,
    trees,
    trees,
    st.lists(st.dictionaries(st.sampled_from(["kind", "metadata", "status"]), trees), max_size=3),
)
def test_no_object_breaks_the_rules(kind: tuple[str, str], metadata: Any, spec: Any, status: Any, related: list[Any]) -> None:
    group, name = kind
    obj = {"apiVersion": f"{group}/v1" if group else "v1", "kind": name, "metadata": metadata, "spec": spec, "status": status}
    said = assess(obj, related=related, now=NOW)
    assert said.state in RolloutState
    assert said.state is not RolloutState.TIMED_OUT
    assert said.reason
    assert describe(obj, related=related, at=NOW).state is said.state


@given(st.sampled_from(KINDS), trees, trees)
def test_nothing_observed_is_never_health(kind: tuple[str, str], spec: Any, related: Any) -> None:
    group, name = kind
    if name in ("CronJob", "HelmRepository"):
        return
    obj = {"apiVersion": f"{group}/v1" if group else "v1", "kind": name, "metadata": {"name": "web", "generation": 1}, "spec": spec}
    assert assess(obj, now=NOW).state is not RolloutState.HEALTHY


@given(st.randoms(use_true_random=False))
def test_the_cache_ends_alike_in_any_order_with_any_repeats(chance: random.Random) -> None:
    recording = recordings.read("08a_rollback_after_failure")
    changes = [(entry["event"]["type"], entry["event"]["object"]) for entry in recording["entries"] if entry["type"] == "watch_event"]
    straight, shuffled = Cache(), Cache()
    for change, obj in changes:
        straight.event(change, obj)
    mixed = changes + chance.sample(changes, len(changes) // 2)
    chance.shuffle(mixed)
    for change, obj in mixed:
        shuffled.event(change, obj)
    wanted = {key: obj["metadata"]["resourceVersion"] for key, obj in straight.objects.items()}
    assert {key: obj["metadata"]["resourceVersion"] for key, obj in shuffled.objects.items()} == wanted


states = st.sampled_from(
    [RolloutState.PROGRESSING, RolloutState.HEALTHY, RolloutState.DEGRADED, RolloutState.SUSPENDED, RolloutState.UNKNOWN]
)
tags = st.sampled_from(["1.4.2", "1.5.0", "1.6.0"])
steps = st.lists(st.tuples(st.integers(1, 40), states, tags, st.booleans(), st.integers(1, 3)), max_size=12)


def history(drawn: list[tuple[int, RolloutState, str, bool, int]]) -> list[WorkloadState]:
    ref = WorkloadRef(kind="StatefulSet", namespace="shop", name="web", api_version="apps/v1")
    found, at = [], NOW
    for wait, state, tag, rolled_out, generation in drawn:
        at += timedelta(seconds=wait)
        found.append(
            WorkloadState(
                ref=ref, images=(f"ghcr.io/acme/web:{tag}",), state=state, reason=f"{state}", observed_at=at, uid="u",
                generation=generation, rolled_out=rolled_out,
            )
        )  # fmt: skip
    return found


@given(steps, st.integers(0, 300))
def test_healthy_only_where_the_wanted_image_stood_complete_for_the_bake(drawn: list[Any], later: int) -> None:
    seen = history(drawn)
    now = (seen[-1].observed_at if seen else NOW) + timedelta(seconds=later)
    ruling = judge(follow("ghcr.io/acme/web:1.5.0", LIMITS, NOW, seen), now)
    if ruling.outcome is not Outcome.HEALTHY:
        return
    stretch = now
    for state in reversed(seen):
        if not (state.state is RolloutState.HEALTHY and state.rolled_out and state.images == ("ghcr.io/acme/web:1.5.0",)):
            break
        stretch = state.observed_at
    assert now - stretch >= LIMITS.bake


@given(steps)
def test_nothing_waits_for_ever(drawn: list[Any]) -> None:
    seen = history(drawn)
    end = (seen[-1].observed_at if seen else NOW) + LIMITS.timeout + LIMITS.bake
    ruling = judge(follow("ghcr.io/acme/web:1.5.0", LIMITS, NOW, seen), end)
    assert ruling.outcome is not Outcome.PROGRESSING


@given(st.lists(states, max_size=6))
def test_several_parts_are_healthy_only_together(parts: list[RolloutState]) -> None:
    together = combine(parts)
    assert (together is RolloutState.HEALTHY) == (bool(parts) and set(parts) == {RolloutState.HEALTHY})
    assert (together is RolloutState.DEGRADED) == (RolloutState.DEGRADED in parts)


def test_recordings_carry_no_credentials() -> None:
    for scenario in recordings.index():
        text = json.dumps(recordings.read(scenario))
        assert "Bearer " not in text
        assert '"Authorization"' not in text
