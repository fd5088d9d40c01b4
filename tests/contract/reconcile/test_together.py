"""Several openings of one plan: their branches go with one push, and what is wrong with one of them holds up no other."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.adapters.store.pace import SharedPace
from bot.domain.action import OpenPromotion
from bot.domain.facts import Facts
from bot.domain.promotion import PromotionState, branch_name
from bot.planning.standing import Plan
from bot.reconcile.branches import push_together
from bot.reconcile.crash import BRANCH_PUSHED
from bot.reconcile.run import run_stage
from tests.contract.reconcile.stage_world import Crashed, DiesAt, StageWorld
from tests.contract.reconcile.test_run import apply_merge, notice, run

NAMES = ("cart", "ledger", "payments")


def openings(world: StageWorld) -> list[OpenPromotion]:
    plain = world.promotion()
    return [world.opening(replace(plain, id=f"{plain.id}-{name}", name=name, branch=branch_name("qa", name))) for name in NAMES]


def pushes(world: StageWorld) -> int:
    return sum("git-receive-pack" in entry.operation and entry.method == "POST" for entry in world.hub.ledger.git)


@pytest.fixture
def quiet(world: StageWorld) -> StageWorld:
    world.forge.pulls(world.repo, base_branch="main", prefix="promote/")
    world.hub.ledger.reset()
    return world


def branches(world: StageWorld) -> set[str]:
    return set(world.hub.list_branches(world.repo)) - {"main"}


def test_one_push_carries_the_branches_of_all(quiet: StageWorld) -> None:
    result = run(quiet, *openings(quiet))
    assert result.done == ("OpenPromotion",) * 3
    assert pushes(quiet) == 1
    assert branches(quiet) == {branch_name("qa", name) for name in NAMES}
    assert {row.name: row.state for row in quiet.rows()} == dict.fromkeys(NAMES, PromotionState.OPEN)
    assert len(quiet.hub.pulls(quiet.repo)) == 3
    calls = [entry.operation for entry in quiet.hub.ledger.rest if entry.operation.startswith("/repos")]
    assert len(calls) == 6, "one pull request and its labels each"


def test_a_branch_that_is_not_ours_holds_up_no_other(quiet: StageWorld) -> None:
    taken = branch_name("qa", "ledger")
    mine = quiet.hub.push(quiet.repo, taken, {"README.md": b"mine\n"}, message="mine", author="ana")
    quiet.hub.ledger.reset()
    result = run(quiet, *openings(quiet))
    assert result.done == ("OpenPromotion",) * 2
    assert "not the bot's" in result.problems[0]
    assert quiet.hub.head(quiet.repo, taken) == mine
    assert pushes(quiet) == 1


def test_content_that_cannot_be_made_holds_up_no_other(quiet: StageWorld) -> None:
    first, second, third = openings(quiet)
    gone = replace(second, promotion=replace(second.promotion, moves=quiet.promotion(old="0.9.0").moves))
    result = run(quiet, first, gone, third)
    assert result.done == ("OpenPromotion",) * 2
    assert len(result.problems) == 1
    assert branches(quiet) == {branch_name("qa", "cart"), branch_name("qa", "payments")}


def test_without_room_for_a_push_each_opening_says_so_and_no_pull_request_is_opened(quiet: StageWorld) -> None:
    SharedPace(quiet.database).take(f"push {quiet.repo}", 10_000, ())
    result = run(quiet, *openings(quiet))
    assert result.done == ()
    assert len(result.problems) == 3
    assert all("pushes a minute" in problem for problem in result.problems)
    assert branches(quiet) == set()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_around_the_push_loses_and_doubles_nothing(quiet: StageWorld, moment: str) -> None:
    actions = openings(quiet)
    with pytest.raises(Crashed):
        push_together(quiet.tools(DiesAt(f"{BRANCH_PUSHED}:{moment}")), actions)
    assert branches(quiet) == (set() if moment == "before" else {branch_name("qa", name) for name in NAMES})
    result = run(quiet, *actions)
    assert result.done == ("OpenPromotion",) * 3
    assert pushes(quiet) == 1
    assert len(quiet.hub.pulls(quiet.repo)) == 3
    assert [row.state for row in quiet.rows()] == [PromotionState.OPEN] * 3


def test_one_alone_and_signed_ones_go_their_own_way(quiet: StageWorld, signing: StageWorld) -> None:
    push_together(quiet.tools(), openings(quiet)[:1])
    push_together(signing.tools(), openings(signing))
    assert branches(quiet) == branches(signing) == set()
    assert quiet.rows() == signing.rows() == []


def test_our_own_fault_in_one_opening_holds_up_nothing_else_and_is_raised_at_the_end(quiet: StageWorld) -> None:
    first, second, third = openings(quiet)
    broken = replace(second, promotion=replace(second.promotion, moves=None))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        run(quiet, first, broken, third, notice())
    assert {row.name for row in quiet.rows() if row.state is PromotionState.OPEN} == {"cart", "payments"}
    assert quiet.outbox.counts() == {"sent": 1}
    assert pushes(quiet) == 1


def test_what_is_urgent_does_not_wait_for_the_branches_of_openings(quiet: StageWorld) -> None:
    """A plan names reverts before openings; so many commits and a push take their time, or hang."""
    apply_merge(quiet)
    failed = quiet.failed(quiet.only())
    actions = [replace(one, promotion=replace(one.promotion, moves=quiet.promotion("1.2.0", "1.1.0").moves)) for one in openings(quiet)]
    plan = Plan(stage="qa", actions=(quiet.reverting(failed), *actions), reports=())
    facts = Facts(now=quiet.clock(), stage="qa", stages={})
    with pytest.raises(Crashed):
        run_stage(quiet.tools(DiesAt(f"{BRANCH_PUSHED}:before")), lambda _stage: facts, lambda _facts: plan)
    assert "1.0.0" in quiet.text()


def test_openings_that_wait_for_a_limit_are_not_asked_about_in_each_run(quiet: StageWorld) -> None:
    """GitHub said no before it opened anything: there is nothing to find. Each webhook meanwhile begins a run."""
    quiet.hub.faults.add("POST", "/repos/*/*/pulls", kind="secondary_limit", times=None)
    assert run(quiet, *openings(quiet)).done == ()
    assert len(branches(quiet)) == 3
    quiet.hub.faults.clear()
    with quiet.database.write() as session:
        session.connection().execute(sa.text("DELETE FROM pauses"))
    quiet.hub.ledger.reset()
    run(quiet)
    assert [entry.operation for entry in (*quiet.hub.ledger.rest, *quiet.hub.ledger.graphql)] == []
