"""What comes with a change of state is written with it: dying before leaves nothing, dying after leaves everything."""

from dataclasses import replace

import pytest

from bot.domain.action import Action, Notify, SaveDeployment, SavePromotion, SaveQuarantine, SaveStageHold, Severity, Show
from bot.domain.errors import Stale
from bot.domain.facts import Quarantine, StageHold
from bot.domain.promotion import Promotion, PromotionState
from bot.reconcile.keeping import groups, keep
from tests.contract.reconcile.stage_world import Crashed, DiesAt, StageWorld


def failing(world: StageWorld, promotion: Promotion) -> list[Action]:
    """What a plan says of a failed rollout."""
    now = world.clock()
    failed = replace(promotion, state=PromotionState.FAILED, failed_at=now, reason="crash loop")
    ban = Quarantine(stage="qa", service="payments", release=promotion.moves[0].new, at=now, reason="crash loop", promotion=promotion.id)
    return [
        SavePromotion(promotion=failed, why="crash loop"),
        SaveQuarantine(quarantine=ban),
        SaveDeployment(promotion=failed, service="payments", at=now, status="failed", kind="promotion", version="1.1.0"),
        SaveStageHold(hold=StageHold(stage="qa", at=now, reason="too many")),
        Notify(key=f"{promotion.id}:failed", thread=promotion.id, severity=Severity.CRITICAL, stage="qa", text="failed", fields={}),
    ]


def shown(promotion: Promotion) -> Show:
    return Show(promotion=promotion, comment="c", check_title="t", check_summary="s", conclusion="failure", labels=())


def saved(world: StageWorld) -> Promotion:
    return world.history.save_promotion(
        replace(world.promotion(), state=PromotionState.MERGED), why="merged", actor="promotion-bot", now=world.clock()
    )


def test_rows_that_follow_a_change_of_state_belong_to_it(world: StageWorld) -> None:
    promotion = saved(world)
    rows = failing(world, promotion)
    face = shown(promotion)
    assert list(groups([face, *rows, face, *rows[1:]])) == [(face,), tuple(rows), (face,), *((row,) for row in rows[1:])]
    assert list(groups([*rows, *rows])) == [tuple(rows), tuple(rows)]


@pytest.mark.parametrize(("point", "stands"), [("history-saved:before", 0), ("history-saved:after", 1)])
def test_all_of_them_or_none(world: StageWorld, point: str, stands: int) -> None:
    [group] = groups(failing(world, saved(world)))
    with pytest.raises(Crashed):
        keep(world.tools(DiesAt(point)), group)
    states = [promotion.state for promotion in world.rows()]
    assert states == [PromotionState.FAILED if stands else PromotionState.MERGED]
    found = (world.history.quarantines(), world.history.deployments(), world.history.stage_holds("qa"), world.outbox.due(now=world.clock()))
    assert [len(one) for one in found] == [stands] * 4


def test_a_state_that_was_changed_meanwhile_takes_its_rows_with_it(world: StageWorld) -> None:
    promotion = saved(world)
    [group] = groups(failing(world, promotion))
    world.history.save_promotion(replace(promotion, reason="somebody was quicker"), why="x", actor="ana", now=world.clock())
    with pytest.raises(Stale):
        keep(world.tools(), group)
    assert world.history.quarantines() == []
    assert list(world.outbox.due(now=world.clock())) == []
