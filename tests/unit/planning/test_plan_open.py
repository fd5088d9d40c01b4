"""What becomes of an open promotion."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.action import ClosePromotion, MergePromotion, SavePromotion, SaveVerdicts, Show, UpdatePromotion
from bot.domain.directive import Directive, Order
from bot.domain.promotion import PromotionState
from bot.domain.pull import PullState
from bot.domain.rollout import RolloutState
from bot.planning.plan import plan
from bot.planning.standing import Standing
from tests.support.builders import ANA, BASE, BOT, HEAD, LONG_AGO, NOW, config, facts, health, promotion, pull, stage

OTHER = "c" * 40


def given(*, new="1.1.0", old="1.0.0", upstream=None, target=None, **more):
    fields = {"promotions": (promotion(),), "pulls": {7: pull()}, "branches": {"promote/qa/payments": HEAD}}
    return facts(upstream or stage("dev", new), target or stage("qa", old), **{**fields, **more})


def kinds(found):
    return [type(action) for action in found.actions]


def test_all_gates_pass_so_it_is_merged_with_exactly_this_head_and_base():
    found = plan(config(), given())
    merge = next(action for action in found.actions if isinstance(action, MergePromotion))
    assert (merge.head, merge.base, merge.method, merge.queue) == (HEAD, BASE, "squash", False)
    assert Show not in kinds(found)


def test_the_second_look_at_a_waiting_promotion_shows_it_and_changes_nothing():
    hold = Directive(key="h", order=Order.HOLD, actor=ANA, at=LONG_AGO, number=7, stage="qa", reason="demo")
    found = plan(config(), given(directives=(hold,)))
    assert kinds(found) == [SaveVerdicts, Show]
    assert plan(config(), given(directives=(hold,))) == found


def test_a_manual_stage_is_left_to_people():
    found = plan(config(qa={"merge": "manual"}), given())
    assert kinds(found) == [SaveVerdicts, Show]
    assert "by people" in found.reports[0].sentence


def test_a_manual_stage_merges_on_a_persons_order_for_this_head_only():
    order = Directive(key="m", order=Order.MERGE, actor=ANA, at=LONG_AGO, number=7, head=HEAD)
    assert MergePromotion in kinds(plan(config(qa={"merge": "manual"}), given(directives=(order,))))
    stale = replace(order, head=OTHER)
    assert MergePromotion not in kinds(plan(config(qa={"merge": "manual"}), given(directives=(stale,))))


def test_what_was_read_long_ago_is_read_again_before_the_merge():
    found = plan(config(), given(pulls={7: pull(read_at=NOW - timedelta(minutes=5))}))
    assert found.reread == (7,)
    assert MergePromotion not in kinds(found)


def test_a_degraded_upstream_blocks_but_does_not_close():
    upstream = stage("dev", "1.1.0", health={"payments": health("1.1.0", state=RolloutState.DEGRADED, reason="crash")})
    found = plan(config(), given(upstream=upstream))
    assert kinds(found) == [SaveVerdicts, Show]


def test_a_newer_candidate_updates_in_place():
    [action] = plan(config(), given(new="1.2.0")).actions
    assert isinstance(action, UpdatePromotion)
    assert (action.expected_head, action.promotion.number, action.promotion.branch) == (HEAD, 7, "promote/qa/payments")
    assert action.title == "promote(qa): payments 1.0.0 -> 1.2.0"
    assert action.replaces == promotion().id
    assert action.promotion.id != promotion().id


def test_a_changed_file_is_rendered_again_on_the_new_base():
    target = stage("qa", head=OTHER)
    changed = {promotion().id: ("payments/deployment.yaml",)}
    [action] = plan(config(), given(target=target, changed=changed)).actions
    assert isinstance(action, UpdatePromotion)
    assert action.promotion.base == OTHER


def test_a_base_that_moved_elsewhere_changes_nothing():
    target = stage("qa", head=OTHER)
    found = plan(config(), given(target=target, changed={promotion().id: ("search/deployment.yaml",)}))
    merge = next(action for action in found.actions if isinstance(action, MergePromotion))
    assert merge.base == OTHER


def test_a_candidate_that_was_taken_back_upstream_closes_it():
    [action] = plan(config(), given(new="1.0.0")).actions
    assert isinstance(action, ClosePromotion)


def test_closed_by_a_person_is_remembered():
    closed = pull(state=PullState.CLOSED, closed_at=NOW, closed_by=ANA)
    [action] = [a for a in plan(config(), given(pulls={7: closed})).actions if isinstance(a, SavePromotion)]
    assert (action.promotion.state, action.promotion.closed_by, action.actor) == (PromotionState.CLOSED, "ana", "ana")


def test_closed_by_the_bot_bans_nothing():
    closed = pull(state=PullState.CLOSED, closed_at=NOW, closed_by=BOT)
    [action] = [a for a in plan(config(), given(pulls={7: closed})).actions if isinstance(a, SavePromotion)]
    assert action.promotion.closed_by == ""


def test_merged_by_hand_is_adopted_and_says_which_gate_was_passed_over():
    merged = pull(state=PullState.MERGED, merged_at=NOW, merge_commit=OTHER, merged_by=ANA)
    hold = Directive(key="h", order=Order.HOLD, actor=ANA, at=LONG_AGO, number=7, stage="qa", reason="demo")
    found = plan(config(), given(pulls={7: merged}, directives=(hold,)))
    [action] = [a for a in found.actions if isinstance(a, SavePromotion)]
    assert action.promotion.state is PromotionState.MERGED
    assert (action.promotion.merge_commit, action.promotion.merged_by) == (OTHER, "ana")
    assert "hold" in action.why


def test_a_push_by_a_person_stops_the_bots_editing_and_merging():
    found = plan(config(), given(branches={"promote/qa/payments": OTHER}))
    [action] = [a for a in found.actions if isinstance(a, SavePromotion)]
    assert action.promotion.taken_over_by
    assert found.reread == (7,)
    taken = (action.promotion,)
    later = given(branches={"promote/qa/payments": OTHER}, pulls={7: pull(head=OTHER)}, promotions=taken, new="1.2.0")
    assert kinds(plan(config(), later)) == [SaveVerdicts, Show]


def test_a_promotion_that_the_database_lost_is_found_again_by_its_marker():
    from bot.planning.face import body

    lost = pull(body=body(promotion()))
    found = plan(config(), given(promotions=(), pulls={7: lost}))
    saved = next(action for action in found.actions if isinstance(action, SavePromotion))
    assert saved.promotion == replace(promotion(), opened_at=lost.created_at)
    assert found.reports[0].standing is Standing.OPEN


def test_a_strangers_pull_request_with_our_marker_is_not_adopted():
    from bot.planning.face import body

    foreign = pull(body=body(promotion()), ours=False, author=ANA)
    found = plan(config(), given(promotions=(), pulls={7: foreign}))
    assert not any(isinstance(action, SavePromotion) for action in found.actions)


@pytest.mark.parametrize("labels", [{"hotfix": None}, {}])
def test_what_is_merged_remembers_that_it_was_a_hotfix(labels):
    found = plan(config(), given(pulls={7: pull(labels=labels)}))
    merge = next(action for action in found.actions if isinstance(action, MergePromotion))
    assert merge.promotion.hotfix is bool(labels)
    behind = pull(labels=labels, state=PullState.MERGED, merge_commit=OTHER, merged_at=NOW)
    adopted = plan(config(), given(pulls={7: behind}))
    assert [action.promotion.hotfix for action in adopted.actions if isinstance(action, SavePromotion)] == [bool(labels)]
