"""The forge merges something else than what was approved, as it has happened: the stage is held and people are called."""

from dataclasses import replace
from typing import Any

from bot.domain.action import Severity
from bot.domain.promotion import PromotionState
from bot.ports import Forge
from bot.reconcile.apply import apply
from tests.contract.reconcile.stage_world import PATH, StageWorld, manifest


class MergesSomethingElse:
    """The real forge, but what it merges holds this text."""

    def __init__(self, world: StageWorld, text: str) -> None:
        self._world = world
        self._text = text

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.forge, name)

    def merge(self, *given: Any, **more: Any) -> str:
        self._world.forge.merge(*given, **more)
        return self._world.hub.push(self._world.repo, "main", {PATH: self._text}, message="as merged", author="ana")


def merge(world: StageWorld, text: str) -> None:
    apply(world.tools(), world.opening())
    forge: Forge = MergesSomethingElse(world, text)  # type: ignore[assignment]
    apply(replace(world.tools(), forge=forge), world.merging(world.only()))


def test_wrong_content_holds_the_stage_and_calls_people(world: StageWorld) -> None:
    merge(world, manifest("9.9.9"))
    assert world.only().state is PromotionState.MERGED
    [hold] = world.history.stage_holds("qa")
    assert PATH in hold.reason
    assert "is not what was approved" in hold.reason
    [notice] = [one for one in world.outbox.due(now=world.clock()) if one.severity is Severity.CRITICAL]
    assert notice.text == f"qa is held: {hold.reason}. Look at the branch, then lift the hold."


def test_the_approved_content_holds_nothing(world: StageWorld) -> None:
    merge(world, manifest("1.1.0"))
    assert world.only().state is PromotionState.MERGED
    assert list(world.history.stage_holds("qa")) == []
    assert [one for one in world.outbox.due(now=world.clock()) if one.severity is Severity.CRITICAL] == []
