"""A revert whose pull request is not merged has restored nothing yet: it is told so, and people are called once."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.action import Notify, SavePromotion
from bot.domain.promotion import PromotionState
from bot.domain.rollout import RolloutState
from bot.planning.plan import plan
from bot.planning.standing import Plan, Standing
from tests.support.builders import NOW, config, facts, health, promotion, stage

RULES = {"qa": {"rollout": {"timeout": "10m", "bake": "2m"}, "on_failure": "revert-pr"}}
WAITING = replace(
    promotion(),
    state=PromotionState.REVERTING,
    merged_at=NOW - timedelta(minutes=9),
    failed_at=NOW - timedelta(minutes=5),
    rollout_since=NOW - timedelta(minutes=5),
    revert_number=8,
    reason="it crashed",
)


def watched(state: RolloutState, present: str, record=WAITING) -> Plan:
    target = stage("qa", present, health={"payments": health(present, state=state, since=NOW - timedelta(minutes=3))})
    return plan(config(**RULES), facts(stage("dev", "1.1.0"), target, promotions=(record,)))


def saved(found: Plan) -> list[PromotionState]:
    return [action.promotion.state for action in found.actions if isinstance(action, SavePromotion)]


def test_it_is_told_that_the_pull_request_waits_and_who_can_merge_it():
    found = watched(RolloutState.DEGRADED, "1.1.0")
    [report] = [report for report in found.reports if report.service == "payments"]
    assert report.standing is Standing.ROLLING_OUT
    assert "#8" in report.sentence
    assert "was restored" not in report.sentence
    [notice] = [action for action in found.actions if isinstance(action, Notify)]
    assert "#8" in notice.text
    assert saved(found) == []


def test_its_time_does_not_run_out_while_nothing_is_restored():
    late = replace(WAITING, rollout_since=NOW - timedelta(hours=3))
    assert saved(watched(RolloutState.DEGRADED, "1.1.0", late)) == []


def test_once_merged_a_newer_value_of_a_person_ends_the_watch():
    found = watched(RolloutState.HEALTHY, "1.0.5", replace(WAITING, revert_commit="c" * 40))
    assert saved(found) == [PromotionState.REVERTED]


def test_a_branch_that_was_not_read_since_the_merge_ends_nothing():
    found = watched(RolloutState.HEALTHY, "1.1.0", replace(WAITING, revert_commit="c" * 40))
    assert saved(found) == []
    late = replace(WAITING, revert_commit="c" * 40, rollout_since=NOW - timedelta(minutes=10))
    assert saved(watched(RolloutState.HEALTHY, "1.1.0", late)) == [PromotionState.REVERTED]
