"""What people order, planned: start, rollback, rebase, cancel, disable. Facts in, the exact actions out."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.action import ClosePromotion, MergePromotion, OpenPromotion, Revert, SavePromotion, SaveQuarantine, UpdatePromotion
from bot.domain.directive import Directive, Order
from bot.domain.facts import Facts, Quarantine
from bot.domain.promotion import PromotionState
from bot.domain.rollout import RolloutState
from bot.planning.plan import plan
from bot.planning.standing import Plan, Standing
from tests.support.builders import ANA, BASE, HEAD, NOW, config, facts, health, promotion, pull, release, stage

MINUTE = timedelta(minutes=1)
PLAIN = config()
SOAKING = config(qa={"gates": [{"gate": "soak", "for": "2d"}]})


def order(kind: Order, **more: Any) -> Directive:
    fields = {"stage": "qa", "actor": ANA, "at": NOW - MINUTE, "reason": "errors"}
    return Directive(key=f"comment:1:{kind}", order=kind, **{**fields, **more})


def of(planned: Plan, kind: type) -> list[Any]:
    return [action for action in planned.actions if isinstance(action, kind)]


def ready(*orders: Directive, **more: Any) -> Facts:
    return facts(stage("dev", "1.1.0"), stage("qa"), directives=orders, **more)


def opened(*orders: Directive, head: str = BASE, **more: Any) -> Facts:
    one = more.pop("one", promotion())
    return facts(
        stage("dev", "1.1.0"),
        stage("qa", head=head),
        promotions=(one,),
        pulls={7: pull()},
        branches={one.branch: HEAD},
        directives=orders,
        **more,
    )


def start(version: str = "1.1.0", **more: Any) -> Directive:
    return order(Order.START, service="payments", version=version, **more)


def test_to_opens_before_the_soak_is_over_in_the_name_of_whoever_ordered_it() -> None:
    assert of(plan(SOAKING, ready()), OpenPromotion) == []
    [action] = of(plan(SOAKING, ready(start())), OpenPromotion)
    assert action.promotion.starter == "ana"
    assert '"starter":"ana"' in action.body


@pytest.mark.parametrize("other", [start("1.0.9"), start(stage="prod"), start(withdrawn_at=NOW), start(until=NOW - MINUTE)])
def test_to_speaks_of_one_version_and_stage(other: Directive) -> None:
    assert of(plan(SOAKING, ready(other)), OpenPromotion) == []


def test_to_skips_no_gate_at_the_merge() -> None:
    found = plan(SOAKING, opened(start()))
    assert of(found, MergePromotion) == []
    [report] = found.reports
    assert [verdict.gate for verdict in report.verdicts if not verdict.lets_pass] == ["soak"]


def test_to_does_not_lift_a_quarantine_and_a_later_retry_does() -> None:
    bad = Quarantine(stage="qa", service="payments", release=release("1.1.0"), at=NOW - 2 * MINUTE, reason="crash", promotion="x")
    assert of(plan(PLAIN, ready(start(), quarantines=(bad,))), OpenPromotion) == []
    again = order(Order.RETRY, service="payments")
    assert len(of(plan(PLAIN, ready(again, quarantines=(bad,))), OpenPromotion)) == 1


def test_cancel_closes_and_keeps_closed() -> None:
    closed = order(Order.CLOSE, number=7)
    [action] = of(plan(PLAIN, opened(closed)), ClosePromotion)
    assert action.promotion.closed_by == "ana"
    assert action.reason == "@ana closed this promotion by order: errors. This version is not offered again by itself."
    over = replace(action.promotion, state=PromotionState.CLOSED, ended_at=NOW)
    after = plan(PLAIN, ready(closed, promotions=(over,)))
    assert (of(after, OpenPromotion), after.reports[0].standing) == ([], Standing.CLOSED)


def test_cancel_of_another_pull_request_or_stage_is_nothing_here() -> None:
    for other in (order(Order.CLOSE, number=8), order(Order.CLOSE, number=7, stage="prod")):
        assert of(plan(PLAIN, opened(other)), ClosePromotion) == []


def test_rebase_makes_it_again_once_and_only_on_a_newer_commit() -> None:
    again = order(Order.REBASE, number=7, head=HEAD)
    [action] = of(plan(PLAIN, opened(again, head="d" * 40)), UpdatePromotion)
    assert action.promotion.base == "d" * 40
    assert of(plan(PLAIN, opened(again)), UpdatePromotion) == []
    other = order(Order.REBASE, number=7, head="e" * 40)
    assert of(plan(PLAIN, opened(other, head="d" * 40)), UpdatePromotion) == []
    assert of(plan(PLAIN, opened(head="d" * 40)), UpdatePromotion) == []


def test_disable_keeps_the_hands_off() -> None:
    off = order(Order.DISABLE, number=7)
    assert of(plan(PLAIN, opened()), MergePromotion)
    assert of(plan(PLAIN, opened(off)), MergePromotion) == []
    newer = facts(stage("dev", "1.2.0"), stage("qa"), promotions=(promotion(),), pulls={7: pull()}, directives=(off,))
    assert of(plan(PLAIN, newer), UpdatePromotion) == []
    gone = facts(stage("dev", "1.0.0"), stage("qa"), promotions=(promotion(),), pulls={7: pull()}, directives=(off,))
    assert of(plan(PLAIN, gone), ClosePromotion) == []


def test_merge_by_order_where_people_merge() -> None:
    manual = config(qa={"merge": "manual"})
    assert of(plan(manual, opened()), MergePromotion) == []
    assert len(of(plan(manual, opened(order(Order.MERGE, number=7, head=HEAD))), MergePromotion)) == 1
    assert of(plan(manual, opened(order(Order.MERGE, number=7, head="e" * 40))), MergePromotion) == []


# rollback ---------------------------------------------------------------------------------------

DONE = replace(promotion(), state=PromotionState.HEALTHY, merged_at=NOW - timedelta(hours=2), ended_at=NOW - timedelta(hours=1))
BACK = order(Order.REVERT, service="payments", details={"from": release("1.1.0").text})


def runs(*orders: Directive, one: Any = DONE, version: str = "1.1.0", **more: Any) -> Facts:
    return facts(stage("dev", "1.1.0"), stage("qa", version), promotions=(one,), directives=orders, **more)


@pytest.mark.parametrize("state", [PromotionState.HEALTHY, PromotionState.MERGED])
def test_rollback_fails_the_promotion_bans_its_version_and_takes_it_back(state: PromotionState) -> None:
    one = replace(DONE, state=state, ended_at=DONE.ended_at if state is PromotionState.HEALTHY else None)
    first = plan(PLAIN, runs(BACK, one=one))
    [saved] = of(first, SavePromotion)
    assert (saved.promotion.state, saved.promotion.ended_at) == (PromotionState.FAILED, None)
    assert saved.promotion.reason == "@ana ordered to take it back: errors."
    [banned] = of(first, SaveQuarantine)
    assert (banned.quarantine.stage, banned.quarantine.release) == ("qa", release("1.1.0"))
    second = plan(PLAIN, runs(BACK, one=saved.promotion, quarantines=(banned.quarantine,)))
    [action] = of(second, Revert)
    assert [(edit.old, edit.new) for edit in action.edits] == [(move.old, move.new) for move in one.moves[0].edits]


def test_rollback_is_done_even_where_failures_are_only_told() -> None:
    only_told = config(qa={"on_failure": "notify"})
    failed = replace(DONE, state=PromotionState.FAILED, failed_at=NOW, ended_at=None)
    [action] = of(plan(only_told, runs(BACK, one=failed)), Revert)
    assert action.as_pull_request
    assert of(plan(only_told, runs(one=failed)), Revert) == []


def test_rollback_is_over_when_something_else_stands_there_or_it_came_again() -> None:
    assert of(plan(PLAIN, runs(BACK, version="1.0.0")), SavePromotion) == []
    again = replace(DONE, merged_at=NOW, ended_at=NOW)
    assert of(plan(PLAIN, runs(BACK, one=again)), SavePromotion) == []
    for dead in (replace(BACK, withdrawn_at=NOW), replace(BACK, until=NOW - MINUTE), replace(BACK, stage="prod")):
        assert of(plan(PLAIN, runs(dead)), SavePromotion) == []


NAMED = replace(BACK, version="0.9.0")


def test_rollback_to_a_version_opens_it_and_bans_what_stood_there() -> None:
    found = plan(PLAIN, runs(NAMED))
    [action] = of(found, OpenPromotion)
    assert (str(action.promotion.moves[0].old), str(action.promotion.moves[0].new)) == ("1.1.0", "0.9.0")
    assert action.promotion.starter == "ana"
    [banned] = of(found, SaveQuarantine)
    assert (banned.quarantine.release, banned.quarantine.reason) == (release("1.1.0"), "@ana ordered to take it back: errors.")
    assert of(found, SavePromotion) == []
    again = plan(PLAIN, runs(NAMED, quarantines=(banned.quarantine,)))
    assert of(again, SaveQuarantine) == []


def test_the_fast_lane_waits_for_no_soak_upstream_or_health_but_for_approval_and_freeze() -> None:
    gates = [{"gate": "soak", "for": "2d"}, {"gate": "health"}, {"gate": "approval"}]
    gated = config(qa={"gates": gates})
    back = promotion("0.9.0", "1.1.0")
    sick = replace(stage("qa", "1.1.0"), health={"payments": health("1.1.0", state=RolloutState.DEGRADED)})
    seen = facts(stage("dev", "1.1.0"), sick, promotions=(DONE, back), pulls={7: pull()}, branches={back.branch: HEAD}, directives=(NAMED,))
    [report] = plan(gated, seen).reports
    assert [verdict.gate for verdict in report.verdicts if not verdict.lets_pass] == ["approval"]
    skipped = {verdict.gate for verdict in report.verdicts if verdict.overridden_by == "ana"}
    assert skipped == {"upstream", "soak", "health"}
    frozen = order(Order.FREEZE, details={"allow": "none"})
    [held] = plan(PLAIN, replace(seen, directives=(NAMED, frozen))).reports
    assert [verdict.gate for verdict in held.verdicts if not verdict.lets_pass] == ["freeze"]
    passes = replace(frozen, details={"allow": "rollback"})
    assert len(of(plan(PLAIN, replace(seen, directives=(NAMED, passes))), MergePromotion)) == 1


def test_after_it_the_old_version_stays_out() -> None:
    banned = Quarantine(stage="qa", service="payments", release=release("1.1.0"), at=NOW, reason="x", promotion="")
    after = plan(PLAIN, runs(NAMED, version="0.9.0", quarantines=(banned,)))
    assert of(after, OpenPromotion) == []
    assert after.reports[0].standing is Standing.QUARANTINED
