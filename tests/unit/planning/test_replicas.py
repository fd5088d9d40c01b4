"""Drift of replicas: claimed where git says a number, the cluster wants another, and nobody else decides it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.action import SaveHealth
from bot.domain.facts import Health
from bot.domain.replicas import Replicas
from bot.domain.rollout import ClusterSnapshot, RolloutState, WorkloadRef, WorkloadState
from bot.planning.health import healths
from bot.planning.plan import plan
from bot.planning.standing import Report, Standing
from tests.support.builders import LONG_AGO, NOW, config, facts, promotion, pull, slot, stage, view

RULES = {"qa": {"rollout": {"timeout": "10m"}, "gates": [{"gate": "health"}]}}
KEY = ("Deployment", "shop", "payments")


def workload(replicas: int | None, *, namespace="shop", text="1.0.0", state=RolloutState.HEALTHY) -> WorkloadState:
    ref = WorkloadRef(kind="Deployment", namespace=namespace, name="payments", api_version="apps/v1")
    image = f"ghcr.io/acme/payments:{text}"
    return WorkloadState(ref=ref, images=(image,), state=state, reason="fine", observed_at=NOW, replicas=replicas)


def said_by_git(count: int, namespace: str = "shop") -> dict:
    one = Replicas(path="payments.yaml", line=6, kind="Deployment", namespace=namespace, name="payments", count=count)
    return {one.key: one}


def seen(*workloads: WorkloadState, git: dict, deciders=(), problem="", last: Health | None = None) -> Health:
    named = None if deciders is None else dict(deciders)
    snapshot = ClusterSnapshot(at=NOW, reachable=True, workloads=workloads, deciders=named, deciders_problem=problem)
    recorded = {"payments": last} if last else {}
    return healths({"payments": view(slot("1.0.0"))}, snapshot, recorded=recorded, now=NOW, replicas=git)["payments"]


def report(health: Health, **more) -> Report:
    target = stage("qa", "1.0.0", health={"payments": health})
    found = plan(config(**RULES), facts(stage("dev", more.pop("up", "1.0.0")), target, **more))
    return next(one for one in found.reports if one.service == "payments")


def test_other_replicas_than_git_declares_are_drift_with_both_numbers_and_the_place() -> None:
    found = seen(workload(5), git=said_by_git(3))
    assert found.drift == "Deployment shop/payments wants 5 replicas, git declares 3 (payments.yaml:6)"
    assert (found.drift_since, found.state, found.taken) == (NOW, RolloutState.HEALTHY, True)


@pytest.mark.parametrize(
    ("live", "git"),
    [(3, said_by_git(3)), (5, {}), (None, said_by_git(3)), (0, said_by_git(0))],
    ids=["the same", "git says nothing", "the object says nothing", "none at all"],
)
def test_no_drift_where_nothing_differs(live: int | None, git: dict) -> None:
    found = seen(workload(live), git=git)
    assert (found.drift, found.remark, found.drift_since) == ("", "", None)


def test_a_workload_scaled_to_nothing_has_drifted() -> None:
    assert "wants 0 replicas, git declares 3" in seen(workload(0), git=said_by_git(3)).drift
    assert "wants 1 replica, git declares 3" in seen(workload(1), git=said_by_git(3)).drift


def test_what_an_autoscaler_owns_is_nobodys_drift() -> None:
    found = seen(workload(5), git=said_by_git(3), deciders={KEY: "HorizontalPodAutoscaler shop/payments"})
    assert (found.drift, found.remark) == ("", "")
    other = {("Deployment", "shop", "orders"): "HorizontalPodAutoscaler shop/orders"}
    assert seen(workload(5), git=said_by_git(3), deciders=other).drift


def test_where_nobody_can_tell_it_is_remarked_and_not_held_against_the_stage() -> None:
    found = seen(workload(5), git=said_by_git(3), deciders=None, problem="may not list horizontalpodautoscalers.autoscaling (403)")
    assert (found.drift, found.drift_since) == ("", None)
    assert "cannot tell whether an autoscaler owns the replicas: may not list horizontalpodautoscalers" in found.remark
    told = report(found)
    assert (told.standing, "cannot tell" in told.sentence) == (Standing.UP_TO_DATE, True)
    held = report(found, up="1.1.0", promotions=(promotion(),), pulls={7: pull()})
    assert all(verdict.lets_pass for verdict in held.verdicts if verdict.gate == "health")


def test_nothing_is_remarked_where_the_numbers_agree() -> None:
    assert seen(workload(3), git=said_by_git(3), deciders=None, problem="403").remark == ""


def test_before_the_first_answers_nothing_is_said() -> None:
    found = seen(workload(5), git=said_by_git(3), deciders=None)
    assert (found.drift, found.remark) == ("", "")


def test_a_manifest_without_a_namespace_speaks_where_the_name_stands_once() -> None:
    assert seen(workload(5), git=said_by_git(3, namespace="")).drift
    assert not seen(workload(5), workload(3, namespace="preview"), git=said_by_git(3, namespace="")).drift
    assert not seen(workload(5), git=said_by_git(3, namespace="elsewhere")).drift


def test_a_version_that_is_not_taken_is_the_drift_that_is_told() -> None:
    found = seen(workload(5, text="0.9.0"), git=said_by_git(3))
    assert (found.taken, found.drift) == (False, "")


def test_it_lasts_since_it_was_first_seen_and_is_recorded() -> None:
    first = seen(workload(5), git=said_by_git(3))
    later = seen(workload(6), git=said_by_git(3), last=replace(first, drift_since=LONG_AGO))
    assert later.drift_since == LONG_AGO
    assert seen(workload(3), git=said_by_git(3), last=later).drift_since is None
    target = stage("qa", "1.0.0", health={"payments": first})
    found = plan(config(**RULES), facts(stage("dev", "1.0.0"), target, recorded={"payments": replace(first, drift="", drift_since=None)}))
    assert [action.health for action in found.actions if isinstance(action, SaveHealth)] == [first]


def test_plan_and_why_tell_it_and_call_it_drift_after_the_rollouts_time() -> None:
    young, old = (replace(seen(workload(5), git=said_by_git(3)), drift_since=NOW - timedelta(minutes=age)) for age in (9, 10))
    assert report(young).standing is Standing.UP_TO_DATE
    told = report(old)
    assert told.standing is Standing.DRIFTED
    assert "wants 5 replicas, git declares 3 (payments.yaml:6)." in told.sentence
    assert "since 2026-11-20 11:50" in told.sentence
    assert "`/promote sync qa`" in told.sentence


def test_the_health_gate_waits_for_it_unless_told_not_to_look() -> None:
    found = seen(workload(5), git=said_by_git(3))
    more = {"up": "1.1.0", "promotions": (promotion(),), "pulls": {7: pull()}}
    [verdict] = [verdict for verdict in report(found, **more).verdicts if verdict.gate == "health"]
    assert not verdict.lets_pass
    assert "drifted in qa: Deployment shop/payments wants 5 replicas, git declares 3" in verdict.sentence
    blind = {"qa": {"gates": [{"gate": "health", "drift": False}]}}
    target = stage("qa", "1.0.0", health={"payments": found})
    looked = plan(config(**blind), facts(stage("dev", "1.1.0"), target, promotions=(promotion(),), pulls={7: pull()}))
    [told] = [one for one in looked.reports if one.service == "payments"]
    assert all(verdict.lets_pass for verdict in told.verdicts if verdict.gate == "health")


def test_a_watched_rollout_is_not_disturbed_by_it() -> None:
    assert seen(workload(5, state=RolloutState.DEGRADED), git=said_by_git(3)).state is RolloutState.DEGRADED
