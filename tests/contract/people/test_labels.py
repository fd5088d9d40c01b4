"""Labels as input, on the sandbox forge: a person's label is that person's command; anybody else's is taken off again."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.adapters.github.face import MARKER
from bot.planning.face import show
from bot.planning.labels import ordered
from bot.reconcile.apply import apply
from tests.contract.people.desk_world import DeskWorld

HOLD, APPROVE = "promotion:hold", "promotion:approve"


def shown(world: DeskWorld) -> None:
    """The face as the plan draws it now."""
    promotion = world.open_promotion()
    apply(world.tools(), show(promotion, (), "why", ordered(world.facts(), promotion)))


def answers(world: DeskWorld) -> list[str]:
    """What the bot said beside its status comment."""
    return [text for text in world.replies() if not text.endswith(MARKER)]


def test_a_label_holds_and_taking_it_off_lifts(world: DeskWorld) -> None:
    world.hub.label(world.repo, world.number, "wes", HOLD)
    world.listen()
    world.listen()
    assert world.orders() == [("hold", "wes")]
    world.hub.label(world.repo, world.number, "wes", HOLD, remove=True)
    world.listen()
    assert world.orders() == []
    assert world.replies() == []


def test_b25_taken_off_by_somebody_who_may_not_it_is_put_on_again(world: DeskWorld) -> None:
    world.hub.add_collaborator(world.repo, "rea", "triage")
    world.hub.label(world.repo, world.number, "wes", HOLD)
    world.listen()
    world.hub.label(world.repo, world.number, "rea", HOLD, remove=True)
    world.listen()
    assert world.orders() == [("hold", "wes")]
    assert HOLD in world.read().labels
    [reply] = world.replies()
    assert reply.startswith("@rea The label `promotion:hold` was put on again: `unhold` was not applied")
    world.listen()
    assert len(world.replies()) == 1


def test_put_on_by_somebody_who_may_not_it_is_taken_off_with_a_sentence(world: DeskWorld) -> None:
    world.hub.add_collaborator(world.repo, "rea", "triage")
    world.hub.label(world.repo, world.number, "rea", HOLD)
    world.listen()
    assert world.orders() == []
    assert HOLD not in world.read().labels
    [reply] = world.replies()
    assert "was taken off again" in reply
    assert "needs the role *operator*" in reply


def test_approving_by_label_only_where_the_stage_allows_it(opened: Callable[..., DeskWorld]) -> None:
    world = opened()
    world.hub.label(world.repo, world.number, "mia", APPROVE)
    world.listen()
    assert world.orders() == []
    other = opened(labels_as_input=True)
    other.hub.label(other.repo, other.number, "mia", APPROVE)
    other.listen()
    assert other.orders() == [("approve", "mia")]
    [order] = other.history.directives("qa")
    assert (order.source, order.head) == ("label", other.read().head)
    other.hub.push(other.repo, other.open_promotion().branch, {"payments/more.txt": "x"}, message="more", author="wes")
    assert other.approvers() == []


def test_the_kill_switch(world: DeskWorld) -> None:
    world.hub.label(world.repo, world.number, "ana", "promotion:disabled")
    world.listen()
    assert world.orders() == [("disable", "ana")]
    world.hub.label(world.repo, world.number, "ana", "promotion:disabled", remove=True)
    world.listen()
    assert world.orders() == []


def test_b24_a_label_that_is_ours_means_nothing(world: DeskWorld) -> None:
    world.hub.label(world.repo, world.number, "ana", "promotion:ready")
    assert not world.listen().anything
    assert (world.orders(), world.approvers()) == ([], [])
    assert "promotion:ready" not in world.read().labels
    assert "promotion:waiting" in world.read().labels
    for _ in range(3):
        world.listen()
    [reply] = world.replies()
    assert reply.startswith("@ana The label `promotion:ready` was taken off again: it only tells how the promotion stands")


def test_a_hold_by_command_shows_as_a_label_and_the_label_goes_with_it(world: DeskWorld) -> None:
    world.say("wes", '/promote hold --reason "numbers look odd"')
    world.listen()
    shown(world)
    assert HOLD in world.read().labels
    assert not world.listen().anything
    assert world.orders() == [("hold", "wes")]
    world.say("wes", "/promote unhold")
    world.listen()
    shown(world)
    assert HOLD not in world.read().labels
    assert answers(world) == []


def test_b25_the_label_of_a_hold_by_command_is_taken_off_by_hand(world: DeskWorld) -> None:
    world.hub.add_collaborator(world.repo, "rea", "triage")
    world.say("wes", '/promote hold --reason "numbers look odd"')
    world.listen()
    shown(world)
    world.hub.label(world.repo, world.number, "rea", HOLD, remove=True)
    world.listen()
    assert (world.orders(), HOLD in world.read().labels) == ([("hold", "wes")], True)
    assert [reply.startswith("@rea The label `promotion:hold` was put on again") for reply in answers(world)] == [True]
    world.hub.label(world.repo, world.number, "mia", HOLD, remove=True)
    world.listen()
    shown(world)
    assert (world.orders(), HOLD in world.read().labels) == ([], False)
    assert len(answers(world)) == 1


def test_the_label_stays_while_somebody_else_holds(world: DeskWorld) -> None:
    world.hub.add_user("wim")
    world.hub.add_collaborator(world.repo, "wim", "write")
    world.say("wes", '/promote hold --reason "one"')
    world.say("wim", '/promote hold --reason "two"')
    world.listen()
    shown(world)
    world.hub.label(world.repo, world.number, "wim", HOLD, remove=True)
    world.listen()
    assert world.orders() == [("hold", "wes")]
    assert HOLD in world.read().labels
    assert answers(world) == []


def test_a_label_comes_off_when_its_order_was_taken_back_by_command(world: DeskWorld) -> None:
    world.hub.label(world.repo, world.number, "wes", HOLD)
    world.listen()
    world.say("wes", "/promote unhold")
    world.listen()
    world.listen()
    assert (world.orders(), HOLD in world.read().labels) == ([], False)
    assert answers(world) == []


def test_an_approving_label_comes_off_when_the_head_moves(opened: Callable[..., DeskWorld]) -> None:
    world = opened(labels_as_input=True)
    world.hub.label(world.repo, world.number, "mia", APPROVE)
    world.listen()
    world.listen()
    assert APPROVE in world.read().labels
    world.hub.push(world.repo, world.open_promotion().branch, {"payments/more.txt": "x"}, message="more", author="wes")
    world.listen()
    assert APPROVE not in world.read().labels
    assert answers(world) == []


@pytest.mark.parametrize("label", ["promotion:ready", HOLD])
def test_two_programs_that_do_not_agree_about_a_label_do_not_write_for_ever(
    world: DeskWorld, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another bot puts it on whenever it is gone."""
    monkeypatch.setattr(world.hub.world, "clock", world.clock)
    if not any(app.slug == "robo" for app in world.hub.world.apps.values()):
        world.hub.create_app("robo")
    for minute in range(9):
        world.clock.shift = timedelta(minutes=minute)
        if label not in world.read().labels:
            world.hub.label(world.repo, world.number, "robo[bot]", label)
        world.listen()
        world.listen()
    assert label in world.read().labels, "the bot has given way"
    assert world.orders() == []
    assert len(answers(world)) <= 1
    assert world.outbox.counts() == {"sent": 1}, "people are told of it once"
