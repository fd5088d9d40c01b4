"""`sync` over the desk: the agent is asked once, by who may, and whatever keeps it from being asked is said."""

from collections.abc import Callable

import pytest

from bot.commands.model import Outcome, Problem, Surface
from bot.domain.errors import BotError, Refused, TransientError
from bot.domain.people import Person
from bot.reconcile.orders import Answer, Desk
from bot.reconcile.questions import Questions
from bot.reconcile.scenes import Said
from tests.contract.people.desk_world import DeskWorld

AGENT = {"cluster": {"agent": "flux"}}


def desk_of(world: DeskWorld, sync: Callable[[str], None]) -> Desk:
    return Desk(
        world.config,
        history=world.history,
        repositories=world.repositories,
        rights=world.rights,
        questions=Questions(world.config, plan=world.plan, pulse=lambda: {}),
        clock=world.clock,
        wake=lambda stage, reason: None,
        sync=sync,
    )


def say(world: DeskWorld, login: str, sync: Callable[[str], None], *, dry_run: bool = False) -> Answer:
    person = Person(id=world.hub.account(login).id, login=login)
    said = Said(actor=person, at=world.clock(), key=f"cli:{login}")
    return desk_of(world, sync).run("sync qa", said, surface=Surface.CLI, dry_run=dry_run)


def test_the_agent_is_asked_once_and_not_on_a_dry_run(opened: Callable[..., DeskWorld]) -> None:
    world, asked = opened(**AGENT), []
    assert say(world, "wes", asked.append, dry_run=True).outcome is Outcome.DONE
    assert asked == []
    assert say(world, "wes", asked.append).outcome is Outcome.DONE
    assert asked == ["qa"]


def test_a_reader_may_not(opened: Callable[..., DeskWorld]) -> None:
    asked: list[str] = []
    answer = say(opened(**AGENT), "rea", asked.append)
    assert (answer.problem, asked) == (Problem.UNAUTHORISED, [])


def test_a_stage_without_an_agent_is_refused_with_the_setting(world: DeskWorld) -> None:
    asked: list[str] = []
    answer = say(world, "wes", asked.append)
    assert (answer.outcome, asked) == (Outcome.REFUSED, [])
    assert "cluster.agent" in answer.told


@pytest.mark.parametrize("error", [Refused("it may not patch", fix="add the rule"), TransientError("no answer")])
def test_what_keeps_the_agent_from_being_asked_is_said(opened: Callable[..., DeskWorld], error: BotError) -> None:
    def sync(stage: str) -> None:
        raise error

    answer = say(opened(**AGENT), "wes", sync)
    assert (answer.outcome, answer.problem) == (Outcome.REFUSED, Problem.UNAVAILABLE)
    assert str(error) in answer.told
