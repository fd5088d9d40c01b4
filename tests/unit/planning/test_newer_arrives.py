"""A newer version arrives at each point of an older one's life: the rows of the table in docs/promotions.md."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.action import ClosePromotion, MergePromotion, OpenPromotion, Revert, UpdatePromotion
from bot.domain.facts import Quarantine
from bot.domain.people import Approval
from bot.domain.promotion import PromotionState
from bot.domain.rollout import RolloutState
from bot.planning.plan import plan
from bot.planning.standing import Standing
from tests.support.builders import ANA, HEAD, LONG_AGO, NOW, config, facts, health, promotion, pull, release, stage

TABLE = Path(__file__).parents[3] / "docs" / "promotions.md"
WORLD = (OpenPromotion, UpdatePromotion, ClosePromotion, MergePromotion, Revert)
OPEN = {"pulls": {7: pull()}, "branches": {"promote/qa/payments": HEAD}}


def world(found):
    return [type(action) for action in found.actions if isinstance(action, WORLD)]


def newer(*, target=None, settings=None, **more):
    """dev runs 1.2.0 healthily since yesterday; the older 1.1.0 is somewhere on its way into qa, which had 1.0.0."""
    return plan(settings or config(), facts(stage("dev", "1.2.0"), target or stage("qa", "1.0.0"), **more))


def after_merge(state, **more):
    fields = {"merged_at": NOW - timedelta(minutes=1), "rollout_since": NOW - timedelta(minutes=1), "merge_commit": "c" * 40}
    return promotion(state=state, **{**fields, **more})


def rolling(state=RolloutState.PROGRESSING):
    return stage("qa", "1.1.0", health={"payments": health("1.1.0", state=state, since=NOW - timedelta(seconds=30), reason="pods start.")})


def test_while_the_older_soaks_the_soak_begins_anew_for_the_newer():
    just_healthy = stage("dev", "1.2.0", health={"payments": health("1.2.0", since=NOW - timedelta(minutes=1))})
    found = plan(config(qa={"gates": [{"gate": "soak", "for": "10m"}]}), facts(just_healthy, stage("qa")))
    assert world(found) == []
    assert found.look_again == NOW + timedelta(minutes=9)


def test_while_the_older_is_being_opened_it_is_closed_and_the_newer_planned_next():
    older = promotion(state=PromotionState.OPENING, number=None)
    assert world(newer(promotions=(older,))) == [ClosePromotion]


def test_while_the_older_is_open_the_pull_request_is_renewed_in_place():
    found = newer(promotions=(promotion(),), **OPEN)
    assert world(found) == [UpdatePromotion]


def test_while_the_older_is_approved_the_approval_falls_with_its_head():
    approved = {7: (Approval(person=ANA, head=HEAD, at=LONG_AGO, source="review"),)}
    found = newer(
        promotions=(promotion(),), approvals=approved, settings=config(qa={"gates": [{"gate": "approval", "users": ["ana"]}]}), **OPEN
    )
    [action] = [action for action in found.actions if isinstance(action, UpdatePromotion)]
    assert action.expected_head == HEAD
    assert action.promotion.id != promotion().id


def test_while_the_newer_still_rolls_out_upstream_the_older_is_kept_but_not_merged():
    upstream = stage("dev", "1.2.0", health={"payments": health("1.2.0", state=RolloutState.PROGRESSING)})
    found = plan(config(), facts(upstream, stage("qa"), promotions=(promotion(),), **OPEN))
    assert world(found) == []
    assert found.reports[0].standing is Standing.OPEN


def test_while_a_person_holds_the_branch_nothing_is_renewed():
    found = newer(promotions=(promotion(taken_over_by="ana"),), **OPEN)
    assert UpdatePromotion not in world(found)


@pytest.mark.parametrize("state", [RolloutState.PROGRESSING, RolloutState.HEALTHY])
def test_while_the_older_rolls_out_or_bakes_the_newer_waits(state):
    found = newer(target=rolling(state), promotions=(after_merge(PromotionState.MERGED),))
    assert OpenPromotion not in world(found)


def test_while_the_older_fails_it_is_taken_back_first():
    older = after_merge(PromotionState.FAILED, failed_at=NOW, reason="it crashed")
    assert world(newer(target=rolling(RolloutState.DEGRADED), promotions=(older,))) == [Revert]


def test_while_the_older_is_taken_back_the_newer_waits():
    older = after_merge(PromotionState.REVERTING, failed_at=NOW, reason="it crashed", revert_commit="d" * 40)
    target = stage("qa", "1.0.0", health={"payments": health("1.0.0", state=RolloutState.PROGRESSING)})
    assert world(newer(target=target, promotions=(older,))) == []


def ban():
    return Quarantine(stage="qa", service="payments", release=release("1.1.0"), at=LONG_AGO, reason="it crashed.", promotion="p")


def test_after_the_older_was_taken_back_the_newer_is_opened():
    older = after_merge(PromotionState.REVERTED, failed_at=LONG_AGO, ended_at=LONG_AGO, reason="it crashed")
    assert world(newer(promotions=(older,), quarantines=(ban(),))) == [OpenPromotion]


def test_after_the_older_was_healthy_the_newer_is_opened():
    older = after_merge(PromotionState.HEALTHY, ended_at=LONG_AGO)
    assert world(newer(target=stage("qa", "1.1.0"), promotions=(older,))) == [OpenPromotion]


def test_after_a_person_closed_the_older_the_newer_is_opened():
    older = promotion(state=PromotionState.CLOSED, closed_by="ana", ended_at=LONG_AGO)
    assert world(newer(promotions=(older,))) == [OpenPromotion]


def test_a_batch_takes_the_newer_content_of_one_of_its_services():
    found = newer(
        promotions=(replace(promotion(), name="all", branch="promote/qa/all"),),
        pulls={7: pull(branch="promote/qa/all")},
        branches={"promote/qa/all": HEAD},
        settings=config(qa={"batch": "stage"}),
    )
    assert world(found) == [UpdatePromotion]


def test_the_table_has_a_row_for_each_of_these():
    table = TABLE.read_text().partition("## Waves")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 14
