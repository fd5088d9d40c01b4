"""What arrives becomes a promotion into the first stage, by the same rules as everything else."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.action import ClosePromotion, OpenPromotion
from bot.domain.arrival import Arrival
from bot.domain.facts import Facts
from bot.domain.image import Version
from bot.domain.slot import Slot
from bot.planning.plan import plan
from bot.planning.standing import Plan, Standing
from tests.support.builders import HEAD, NOW, config, facts, promotion, pull, slot, stage, view

ARTIFACT = slot().artifact
DIGEST = f"sha256:{'a' * 64}"


def offer(version: str, artifact: str = ARTIFACT) -> dict[str, Arrival]:
    return {artifact: Arrival(artifact=artifact, version=Version.parse(version), at=NOW - timedelta(minutes=1), source="registry")}


def dev(*slots: Slot, **more: object) -> Facts:
    found = stage("dev", "1.0.0")
    if slots:
        found = replace(found, services={"payments": view(*slots)})
    return facts(found, about="dev", **more)


def opened(found: Plan) -> list[str]:
    return [str(move.new) for action in found.actions if isinstance(action, OpenPromotion) for move in action.promotion.moves]


def test_a_newer_version_is_opened_in_the_first_stage() -> None:
    found = plan(config(), dev(offers=offer("1.1.0")))
    assert opened(found) == ["1.1.0"]
    (edit,) = next(action for action in found.actions if isinstance(action, OpenPromotion)).promotion.moves[0].edits
    assert (edit.old, edit.new) == (Version(tag="1.0.0"), Version(tag="1.1.0"))


@pytest.mark.parametrize(
    ("version", "standing", "told"),
    [("1.0.0", Standing.UP_TO_DATE, "the newest that was offered"), ("0.9.0", Standing.DIVERGED, "ahead")],
)
def test_the_same_and_an_older_version_open_nothing(version: str, standing: Standing, told: str) -> None:
    found = plan(config(), dev(offers=offer(version)))
    assert opened(found) == []
    assert found.reports[0].standing is standing
    assert told in found.reports[0].sentence


def test_what_arrives_is_for_its_own_artifact_and_for_first_stages_only() -> None:
    assert opened(plan(config(), dev(offers=offer("1.1.0", "ghcr.io/acme/else")))) == []
    later = facts(stage("dev", "1.0.0"), stage("qa", "1.0.0"), offers=offer("1.1.0"))
    assert opened(plan(config(), later)) == []


def test_a_slot_with_a_digest_takes_the_digest_that_arrived_and_none_without_one() -> None:
    pinned = slot(Version(tag="1.0.0", digest=f"sha256:{'b' * 64}"))
    found = plan(config(), dev(pinned, offers=offer(f"1.1.0@{DIGEST}")))
    assert [action.promotion.moves[0].edits[0].new for action in found.actions if isinstance(action, OpenPromotion)] == [
        Version(tag="1.1.0", digest=DIGEST)
    ]
    without = plan(config(), dev(pinned, offers=offer("1.1.0")))
    assert opened(without) == []
    assert without.reports[0].standing is Standing.UNREADABLE


def test_places_that_disagree_are_told_and_not_guessed() -> None:
    found = plan(config(), dev(slot("1.0.0"), slot("1.0.1", path="other.yaml"), offers=offer("1.1.0")))
    assert opened(found) == []
    assert found.reports[0].standing is Standing.AMBIGUOUS


def test_an_open_promotion_outlives_a_lost_database_and_follows_what_is_known_again() -> None:
    open_one = {
        "promotions": (promotion(into="dev"),),
        "pulls": {7: pull(into="dev")},
        "branches": {"promote/dev/payments": HEAD},
    }
    lost = plan(config(), dev(**open_one))
    assert not [action for action in lost.actions if isinstance(action, ClosePromotion)]
    known = plan(config(), dev(**open_one, offers=offer("1.1.0")))
    assert not [action for action in known.actions if isinstance(action, ClosePromotion | OpenPromotion)]
    gone = plan(config(), dev(**open_one, offers=offer("1.0.0")))
    assert [type(action) for action in gone.actions if isinstance(action, ClosePromotion)] == [ClosePromotion]
