"""People on the sandbox: reactions, replies, roles, teams, and comments that another App wrote."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.errors import UserError
from tests.contract.forge_world import BRANCH, REPO, ForgeWorld, build


@pytest.fixture(params=["app", "token"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ForgeWorld]:
    made = build(tmp_path, app=request.param == "app")
    yield made
    made.hub.stop()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[ForgeWorld]:
    made = build(tmp_path)
    yield made
    made.hub.stop()


def test_reactions_and_replies(world: ForgeWorld) -> None:
    number = world.open()
    asked = world.hub.comment(REPO, number, "ada", "/promote now")
    world.forge.react(REPO, asked.id, "+1")
    world.forge.react(REPO, asked.id, "+1")
    for _ in range(2):
        world.forge.reply(REPO, number, "No.", marker=f"reply:{asked.id}")
        world.again().reply(REPO, number, "No.", marker=f"reply:{asked.id}")
    world.hub.comment(REPO, number, "ada", "<!-- promotion-bot:reply:5 -->")
    world.forge.reply(REPO, number, "Also no.", marker="reply:5")
    bodies = [comment.body for comment in world.read(number).comments if comment.ours]
    assert [body.splitlines()[0] for body in bodies] == ["No.", "Also no."]
    with pytest.raises(UserError):
        world.forge.react(REPO, 987654321, "+1")


def test_a_reaction_takes_the_place_of_another_and_old_answers_are_folded_in_one_document(world: ForgeWorld) -> None:
    number = world.open()
    asked = world.hub.comment(REPO, number, "ada", "/promote now")
    world.forge.react(REPO, asked.id, "eyes")
    world.forge.reply(REPO, number, "No.", marker="reply:1")
    theirs, ours = world.read(number).comments
    world.hub.ledger.reset()
    world.forge.settle(REPO, theirs.node_id, "confused", instead_of="eyes", hide=[ours.node_id])
    assert (len(world.hub.ledger.graphql), len(world.hub.ledger.rest)) == (1, 0)
    assert [reaction.content for reaction in asked.reactions] == ["confused"]
    assert [one.folded for one in world.read(number).comments] == [False, True]
    world.forge.settle(REPO, theirs.node_id, "rocket", instead_of="eyes", hide=["IC_gone"])
    assert [reaction.content for reaction in asked.reactions] == ["confused", "rocket"]
    with pytest.raises(UserError):
        world.forge.settle(REPO, "IC_gone", "rocket", instead_of="eyes")


def test_roles_come_from_the_permission_api(world: ForgeWorld) -> None:
    for role in ("read", "triage", "maintain", "admin"):
        world.hub.add_user(f"u-{role}")
        world.hub.add_collaborator(REPO, f"u-{role}", role)
        assert world.forge.permission(REPO, f"u-{role}") == role
    world.hub.add_user("stranger")
    assert world.forge.permission(REPO, "ada") == "write"
    assert world.forge.permission(REPO, "stranger") in ("none", "read")
    with pytest.raises(UserError):
        world.forge.permission("acme/no-such-repository", "ada")
    world.forge.find_pull(REPO, BRANCH)
    assert world.forge.permission(REPO, "no-such-person") == "none", "the repository is visible: it is the person who is not there"
    with world.calls() as calls:
        assert world.forge.permission(REPO, "ada") == "write"
    assert calls() == []


def test_teams_are_asked_one_by_one_and_remembered(app: ForgeWorld) -> None:
    app.hub.add_team("acme", "release", ["ada"])
    app.hub.add_user("bob")
    assert app.forge.teams_of("ada", ["acme/release", "acme/none"]) == {"acme/release"}
    assert app.forge.teams_of("bob", ["acme/release"]) == frozenset()
    with app.calls() as calls:
        assert app.forge.teams_of("ada", ["acme/release"]) == {"acme/release"}
    assert calls() == []
    with pytest.raises(UserError):
        app.forge.teams_of("ada", ["release"])


def test_a_command_written_through_another_app_is_marked(app: ForgeWorld) -> None:
    number = app.open()
    app.hub.comment(REPO, number, "ada", "/promote approve qa")
    with app.calls() as calls:
        assert [one.via_app for one in app.read(number).comments] == [False]
    assert calls() == ["graphql repository,rateLimit", "rest /repos/{owner}/{repo}/issues/{issue_number}/comments"]
    with app.calls() as calls:
        app.read(number)
    assert calls() == ["graphql repository,rateLimit"], "what was asked once is remembered"
