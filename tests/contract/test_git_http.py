"""`Repositories` over git's smart HTTP with tokens: credentials, rules of the forge, faults; and no token in any text."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.git import GitRepositories
from bot.adapters.git_remote import Remote
from bot.adapters.github.auth import PersonalToken
from bot.domain.errors import OutcomeUnknown, RateLimited, Refused, Stale, TransientError
from tests.contract.forge_world import BRANCH, MAIN, REPO, ForgeWorld, build


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ForgeWorld]:
    made = build(tmp_path)
    yield made
    made.hub.stop()


def commit(world: ForgeWorld, text: str = "image: shop:2\n") -> tuple[str, str]:
    base = world.repositories.refresh(REPO)[MAIN]
    files = {"qa/shop.yaml": text.encode()}
    return base, world.repositories.commit(REPO, parent=base, files=files, message="m", at=world.clock())


def test_reading_costs_no_api_call_and_two_git_requests(world: ForgeWorld) -> None:
    world.repositories.refresh(REPO)
    with world.calls() as calls:
        head = world.repositories.refresh(REPO)[MAIN]
        world.repositories.read(REPO, head, "qa/shop.yaml")
        world.repositories.tree(REPO, head)
    assert len(calls()) == 2
    assert all(call.startswith("git ") for call in calls())


def test_a_hundred_branches_are_one_push(world: ForgeWorld) -> None:
    _, sha = commit(world)
    with world.calls() as calls:
        world.repositories.push(REPO, {f"promote/qa/{number}": (None, sha) for number in range(100)})
    assert len(calls()) == 2
    assert len(world.hub.list_branches(REPO)) == 101


def test_a_protected_branch_is_refused_with_githubs_words(world: ForgeWorld) -> None:
    base, sha = commit(world)
    world.hub.protect(REPO, MAIN, no_push=True)
    with pytest.raises(Refused) as caught:
        world.repositories.push(REPO, {MAIN: (base, sha)})
    assert caught.value.code == "ProtectedBranch"
    assert "GH006" in caught.value.what or "GH013" in caught.value.what
    assert world.hub.head(REPO, MAIN) == base


def test_what_a_person_pushed_meanwhile_is_never_overwritten(world: ForgeWorld) -> None:
    base, sha = commit(world)
    theirs = world.hub.push(REPO, MAIN, {"qa/shop.yaml": "image: shop:3\n"}, message="fix", author="ada")
    with pytest.raises(Stale):
        world.repositories.push(REPO, {MAIN: (base, sha)})
    assert world.hub.head(REPO, MAIN) == theirs


@pytest.mark.parametrize("token", ["", "ghs_wrongwrongwrongwrong0123456789"])
def test_without_good_credentials_it_is_refused_and_the_token_is_not_told(world: ForgeWorld, tmp_path: Path, token: str) -> None:
    server = world.hub.url
    remote = Remote(url=lambda name: f"{server}/{name}.git", protocols=frozenset({"http"}), tokens=PersonalToken(token))
    with pytest.raises(Refused) as caught:
        GitRepositories(tmp_path / "other", remote).refresh(REPO)
    assert caught.value.code in ("GitAuth", "RepositoryNotFound")
    assert not token or token not in f"{caught.value} {caught.value.what} {caught.value.fix} {caught.value.where}"


def test_a_repository_that_is_not_there_is_refused(world: ForgeWorld) -> None:
    with pytest.raises(Refused) as caught:
        world.repositories.refresh("acme/none")
    assert "contents: read" in caught.value.fix


def test_a_reader_may_not_push_and_the_permission_is_named(tmp_path: Path) -> None:
    world = build(tmp_path, permissions={"metadata": "read", "contents": "read"})
    try:
        _, sha = commit(world)
        with pytest.raises(Refused) as caught:
            world.repositories.push(REPO, {BRANCH: (None, sha)})
        assert "contents: write" in caught.value.fix
    finally:
        world.hub.stop()


def test_a_token_that_ended_is_renewed_for_a_push_too(world: ForgeWorld) -> None:
    _, sha = commit(world)
    world.hub.revoke_tokens()
    world.repositories.push(REPO, {BRANCH: (None, sha)})
    assert world.hub.head(REPO, BRANCH) == sha


@pytest.mark.parametrize("kind", ["applied_then_500", "applied_then_reset", "reset", "status:502"])
def test_a_push_whose_answer_is_lost_is_unknown_and_may_be_repeated(world: ForgeWorld, kind: str) -> None:
    _, sha = commit(world)
    world.hub.faults.add("GIT", "git-receive-pack", kind=kind, times=2 if kind == "reset" else 1)  # curl itself tries a reset once more
    with pytest.raises(OutcomeUnknown):
        world.repositories.push(REPO, {BRANCH: (None, sha)})
    world.hub.faults.clear()
    world.repositories.push(REPO, {BRANCH: (None, sha)})
    assert world.repositories.refresh(REPO)[BRANCH] == sha == world.hub.head(REPO, BRANCH)


@pytest.mark.parametrize("kind", ["status:503", "reset", "html200", "truncate"])
def test_a_fetch_that_fails_is_transient_and_changes_nothing(world: ForgeWorld, kind: str) -> None:
    before = world.repositories.refresh(REPO)
    world.hub.push(REPO, MAIN, {"x": "1"}, message="x", author="ada")
    world.hub.faults.add("GIT", "git-upload-pack", kind=kind, times=2 if kind == "reset" else 1)
    with pytest.raises(TransientError) as caught:
        world.repositories.refresh(REPO)
    world.hub.faults.clear()
    assert not isinstance(caught.value, OutcomeUnknown)
    assert world.repositories.heads(REPO) == before
    assert world.repositories.refresh(REPO)[MAIN] == world.hub.head(REPO, MAIN)


def test_a_pause_that_git_is_asked_for_is_a_rate_limit(world: ForgeWorld) -> None:
    world.repositories.refresh(REPO)
    world.hub.faults.add("GIT", "*", kind="status:429")
    with pytest.raises(RateLimited):
        world.repositories.refresh(REPO)


def test_the_token_is_in_no_argument_and_in_no_file(world: ForgeWorld, tmp_path: Path) -> None:
    world.repositories.refresh(REPO)
    token = world.forge.credentials.token()
    found = subprocess.run(["grep", "-rl", token, str(tmp_path / "clones")], capture_output=True, text=True, check=False)
    assert found.stdout == ""
