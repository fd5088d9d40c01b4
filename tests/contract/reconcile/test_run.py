"""One run: what fails in one action, and what becomes of the others."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.action import Action, Notify, OpenPromotion, Severity
from bot.domain.facts import Facts
from bot.domain.promotion import PromotionState
from bot.planning.standing import Plan
from bot.reconcile.run import LATER, RunResult, run_stage
from tests.contract.reconcile.stage_world import StageWorld
from tests.contract.reconcile.test_apply import opened


def notice(key: str = "k") -> Notify:
    return Notify(key=key, thread="t", severity=Severity.INFO, stage="qa", text="x", fields={})


def run(world: StageWorld, *actions: Action, **plan: Any) -> RunResult:
    facts = Facts(now=world.clock(), stage="qa", stages={})
    return run_stage(world.tools(), lambda _stage: facts, lambda _facts: Plan(stage="qa", actions=actions, reports=(), **plan))


def told(world: StageWorld) -> int:
    return world.outbox.counts().get("sent", 0)


def test_what_changes_the_world_is_looked_at_again_at_once(world: StageWorld) -> None:
    result = run(world, world.opening())
    assert result.done == ("OpenPromotion",)
    assert result.look_again is not None
    assert result.look_again <= world.clock()
    assert run(world, notice()).look_again is None


def test_the_plan_says_when_to_look_again(world: StageWorld) -> None:
    later = world.clock() + timedelta(hours=1)
    assert run(world, notice(), look_again=later).look_again == later


def test_a_world_that_moved_on_ends_nothing(world: StageWorld) -> None:
    promotion = opened(world)
    action = replace(world.merging(promotion), base="0" * 40)
    result = run(world, action, notice())
    assert (result.done, told(world)) == (("Notify",), 1)
    assert result.look_again is not None


def test_a_refusal_is_told_and_set_aside(world: StageWorld) -> None:
    world.hub.push(world.repo, world.promotion().branch, {"README.md": b"mine\n"}, message="mine", author="ana")
    result = run(world, world.opening(), notice())
    assert result.done == ("Notify",)
    assert "not the bot's" in result.problems[0]
    assert result.look_again is not None
    assert result.look_again > world.clock() + LATER - timedelta(minutes=1)


def test_a_rate_limit_puts_off_what_needs_the_forge_and_a_revert_by_git_goes_on(world: StageWorld) -> None:
    apply_merge(world)
    failed = world.failed(world.only())
    world.hub.faults.add("POST", "/repos/*/*/pulls", kind="primary_limit", times=None)
    other = OpenPromotion(promotion=replace(world.promotion("1.2.0", "1.1.0"), name="other"), title="t", body="b", labels=(), message="m\n")
    result = run(world, other, world.reverting(failed))
    assert result.done == ("Revert",)
    assert result.problems != ()
    assert next(row for row in world.rows() if row.id == failed.id).state is PromotionState.REVERTING
    assert "1.0.0" in world.text()


def apply_merge(world: StageWorld) -> None:
    from bot.reconcile.apply import apply

    apply(world.tools(), world.merging(opened(world)))


def test_our_own_fault_is_raised_after_all_the_others(world: StageWorld) -> None:
    facts = Facts(now=world.clock(), stage="qa", stages={})
    plan = Plan(stage="qa", actions=(world.opening(), notice()), reports=())
    broken = replace(world.tools(), forge=None)  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        run_stage(broken, lambda _stage: facts, lambda _facts: plan)
    assert told(world) == 1


def test_pull_requests_to_read_again_are_marked(world: StageWorld) -> None:
    result = run(world, reread=(7,))
    assert set(world.history.stale_pulls(world.repo)) == {7}
    assert result.look_again is not None
