"""A revert that waits as a pull request, because the branch takes nothing unreviewed: what people do to the values meanwhile."""

from bot.domain.promotion import PromotionState
from bot.reconcile.apply import apply
from bot.reconcile.settling import settle
from tests.contract.reconcile.stage_world import PATH, StageWorld, manifest
from tests.contract.reconcile.test_apply import merged


def waiting(world: StageWorld) -> None:
    promotion = world.failed(merged(world))
    world.hub.protect(world.repo, "main", reviews=1)
    apply(world.tools(), world.reverting(promotion))
    assert (world.only().state, world.only().revert_commit) == (PromotionState.REVERTING, None)


def test_a_persons_other_value_ends_it_and_people_are_asked(world: StageWorld) -> None:
    waiting(world)
    world.hub.push(world.repo, "main", {PATH: manifest("1.0.5")}, message="by hand", author="ana")
    settle(world.tools())
    found = world.only()
    assert found.state is PromotionState.STUCK
    assert "was not forced" in found.reason
    assert "1.0.5" in found.reason
    assert "#2" in found.reason
    assert world.text() == manifest("1.0.5")


def test_nobody_merges_it_over_the_persons_value_even_when_it_is_approved(world: StageWorld) -> None:
    waiting(world)
    world.hub.push(world.repo, "main", {PATH: manifest("1.0.5")}, message="by hand", author="ana")
    world.hub.approve(world.repo, 2, "ana")
    settle(world.tools())
    assert world.text() == manifest("1.0.5")
    assert world.hub.pull(world.repo, 2).merged_at is None


def test_the_values_restored_by_hand_are_adopted(world: StageWorld) -> None:
    waiting(world)
    by_hand = world.hub.push(world.repo, "main", {PATH: manifest("1.0.0")}, message="by hand", author="ana")
    settle(world.tools())
    assert (world.only().state, world.only().revert_commit) == (PromotionState.REVERTING, by_hand)


def test_another_change_beside_it_does_not_disturb_it(world: StageWorld) -> None:
    waiting(world)
    world.hub.push(world.repo, "main", {"README.md": "changed\n"}, message="readme", author="ana")
    settle(world.tools())
    assert (world.only().state, world.only().revert_commit) == (PromotionState.REVERTING, None)
    world.hub.approve(world.repo, 2, "ana")
    settle(world.tools())
    assert world.text() == manifest("1.0.0")
    assert world.only().revert_commit == world.hub.head(world.repo, "main")
