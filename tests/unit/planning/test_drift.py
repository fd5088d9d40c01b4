"""The cluster runs something else than git declares: told in the plan, held by the `health` gate, never mistaken for a rollout."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.facts import Health
from bot.domain.promotion import PromotionState
from bot.domain.rollout import ClusterSnapshot, RolloutState, WorkloadRef, WorkloadState
from bot.planning.health import healths
from bot.planning.plan import plan
from bot.planning.standing import Plan, Report, Standing
from tests.support.builders import LONG_AGO, NOW, config, facts, promotion, pull, slot, stage, view

RULES = {"qa": {"rollout": {"timeout": "10m"}, "gates": [{"gate": "health"}]}}


def running(text: str, declared: str, *, since=NOW, state=RolloutState.HEALTHY) -> Health:
    """The health of payments as the bot concludes it from a cluster that runs `text` while git declares `declared`."""
    ref = WorkloadRef(kind="Deployment", namespace="shop", name="payments", api_version="apps/v1")
    workload = WorkloadState(ref=ref, images=(f"ghcr.io/acme/payments:{text}",), state=state, reason="fine", observed_at=NOW)
    snapshot = ClusterSnapshot(at=NOW, reachable=True, workloads=(workload,))
    [found] = healths({"payments": view(slot(declared))}, snapshot, recorded={}, now=NOW).values()
    return replace(found, since=since)


def said(found: Plan) -> Report:
    [report] = [report for report in found.reports if report.service == "payments"]
    return report


def seen(health: Health, *, up: str = "1.0.0", rules=RULES, **more) -> Plan:
    return plan(config(**rules), facts(stage("dev", up), stage("qa", "1.0.0", health={"payments": health}), **more))


def test_an_up_to_date_service_whose_cluster_runs_something_else_says_so():
    report = said(seen(running("1.2.0", "1.0.0")))
    assert report.standing is Standing.UP_TO_DATE
    assert "does not run what git declares" in report.sentence
    assert "1.2.0" in report.sentence
    assert "/promote sync qa" in report.sentence


def test_it_is_called_drift_once_no_rollout_could_still_explain_it():
    assert said(seen(running("1.2.0", "1.0.0", since=NOW - timedelta(minutes=10)))).standing is Standing.DRIFTED
    assert said(seen(running("1.2.0", "1.0.0", since=NOW - timedelta(minutes=9)))).standing is Standing.UP_TO_DATE


def test_a_first_stage_tells_of_it_too():
    target = stage("dev", "1.0.0", health={"payments": running("1.2.0", "1.0.0", since=LONG_AGO)})
    report = said(plan(config(), facts(target, about="dev")))
    assert (report.standing, "1.2.0" in report.sentence) == (Standing.DRIFTED, True)


def test_nothing_is_said_where_the_cluster_runs_what_git_declares():
    assert "git declares" not in said(seen(running("1.0.0", "1.0.0"))).sentence


def test_an_unseen_cluster_is_no_drift():
    unseen = Health(service="payments", state=RolloutState.UNKNOWN, release=view(slot("1.0.0")).release, since=NOW, taken=False)
    assert "git declares" not in said(seen(unseen)).sentence


def test_a_watched_rollout_tells_of_its_own_progress_only():
    rolling = promotion(state=PromotionState.MERGED, merged_at=NOW, rollout_since=NOW)
    target = stage("qa", "1.1.0", health={"payments": running("1.0.0", "1.1.0", since=LONG_AGO)})
    report = said(plan(config(**RULES), facts(stage("dev", "1.1.0"), target, promotions=(rolling,))))
    assert report.standing is Standing.ROLLING_OUT
    assert "/promote sync" not in report.sentence


def gate_of(found: Plan):
    [verdict] = [verdict for verdict in said(found).verdicts if verdict.gate == "health"]
    return verdict


def test_the_health_gate_holds_a_promotion_over_drift_and_names_what_runs():
    more = {"up": "1.1.0", "promotions": (promotion(),), "pulls": {7: pull()}}
    verdict = gate_of(seen(running("1.2.0", "1.0.0"), **more))
    assert not verdict.lets_pass
    assert "ghcr.io/acme/payments:1.2.0" in verdict.sentence
    assert "which git does not declare" in verdict.sentence


def test_a_health_gate_that_does_not_ask_for_drift_looks_at_the_workloads_alone():
    rules = {"qa": {"gates": [{"gate": "health", "drift": False}]}}
    more = {"up": "1.1.0", "promotions": (promotion(),), "pulls": {7: pull()}, "rules": rules}
    assert gate_of(seen(running("1.2.0", "1.0.0"), **more)).lets_pass
    assert not gate_of(seen(running("1.2.0", "1.0.0", state=RolloutState.DEGRADED), **more)).lets_pass
