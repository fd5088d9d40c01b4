"""After a failure: what holds a revert back, the bot's own stop told once, and bad news that may still pass."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.action import Notify, Revert, SaveStageHold
from bot.domain.facts import StageHold
from bot.domain.image import Version
from bot.domain.promotion import Promotion, PromotionState
from bot.domain.rollout import RolloutState
from bot.messages.rollouts import too_many_reverts
from bot.planning.plan import plan
from bot.planning.standing import Plan
from tests.support.builders import NOW, config, facts, health, promotion, release, slot, stage, view
from tests.unit.planning.test_plan_rollout import saved, seen, with_timeline

FROZEN = {"gate": "freeze", "reverts": False, "during": [{"from": "2026-11-20 00:00", "until": "2026-11-21 00:00", "reason": "sale"}]}
FAILED = promotion(
    state=PromotionState.FAILED, merged_at=NOW - timedelta(minutes=9), failed_at=NOW, merge_commit="c" * 40, reason="it crashed"
)


def after(record: Promotion, *more: Promotion, rules: dict[str, Any] | None = None, **known: Any) -> Plan:
    ill = replace(stage("qa", "1.1.0"), health={"payments": health("1.1.0", state=RolloutState.DEGRADED, reason="it crashed")})
    return plan(config(qa=rules or {}), facts(stage("dev", "1.1.0"), ill, promotions=(record, *more), **known))


def test_a_freeze_that_lets_nothing_pass_holds_the_revert_and_says_until_when() -> None:
    found = after(FAILED, rules={"gates": [FROZEN]})
    assert not any(isinstance(one, Revert) for one in found.actions)
    (report,) = found.reports
    assert report.sentence.startswith("The rollout of payments 1.1.0 in qa failed: it crashed. Taking it back waits: ")
    assert "sale" in report.sentence
    assert report.look_again is not None
    assert report.look_again > NOW


def test_a_freeze_that_lets_reverts_pass_does_not_hold_them() -> None:
    found = after(FAILED, rules={"gates": [{**FROZEN, "reverts": True}]})
    assert len([one for one in found.actions if isinstance(one, Revert)]) == 1


@pytest.mark.parametrize("known", [False, True])
def test_the_second_failure_in_a_row_holds_the_stage_once_and_still_goes_back(known: bool) -> None:
    before = promotion(
        "1.0.9", id="old", state=PromotionState.REVERTED, failed_at=NOW - timedelta(hours=2), ended_at=NOW - timedelta(hours=1)
    )
    holds = (StageHold(stage="qa", at=NOW, reason=too_many_reverts("qa", 2)),) if known else ()
    found = after(FAILED, before, stage_holds=holds)
    assert len([one for one in found.actions if isinstance(one, SaveStageHold)]) == (0 if known else 1)
    assert len([one for one in found.actions if isinstance(one, Revert)]) == 1
    assert [one.key for one in found.actions if isinstance(one, Notify)] == [f"{FAILED.id}:hold"]


def test_a_healthy_promotion_between_two_failures_breaks_the_row() -> None:
    before = promotion(
        "1.0.9", id="old", state=PromotionState.REVERTED, failed_at=NOW - timedelta(hours=2), ended_at=NOW - timedelta(hours=2)
    )
    good = promotion("1.0.10", id="good", state=PromotionState.HEALTHY, ended_at=NOW - timedelta(hours=1))
    assert not any(isinstance(one, SaveStageHold) for one in after(FAILED, before, good).actions)


def test_what_broke_once_after_it_was_healthy_is_told_and_not_yet_failed() -> None:
    once = with_timeline(
        seen("1.0.0", RolloutState.HEALTHY, -400, generation=1),
        seen("1.1.0", RolloutState.HEALTHY, -240),
        seen("1.1.0", RolloutState.DEGRADED, -5, restarts=1),
    )
    assert saved(once) is None
    assert once.reports[0].sentence.startswith("Degraded: ")
    assert once.look_again is not None


def test_a_workload_is_watched_for_the_image_that_git_declares_with_its_digest() -> None:
    digest = "sha256:" + "d" * 64
    version = Version(tag="1.1.0", digest=digest)
    state = replace(seen("1.1.0", RolloutState.HEALTHY, -240), images=(f"ghcr.io/acme/payments:1.1.0@{digest}", "envoy:1"))
    side = replace(state, ref=replace(state.ref, name="other"), images=("ghcr.io/acme/other:1",))
    fit = replace(health("1.1.0", since=NOW - timedelta(minutes=4), workloads=(side, state)), release=release(version))
    target = replace(stage("qa", None), services={"payments": view(slot(version))}, health={"payments": fit})
    target = replace(target, timelines={state.ref: (state,)})
    merged = promotion(version, state=PromotionState.MERGED, merged_at=NOW - timedelta(hours=1), rollout_since=NOW - timedelta(minutes=5))
    rules = config(qa={"rollout": {"timeout": "10m", "bake": "2m"}})
    assert saved(plan(rules, facts(stage("dev", "1.1.0"), target, promotions=(merged,)))).state is PromotionState.HEALTHY
