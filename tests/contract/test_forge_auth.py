"""Tokens, keys and permissions on the sandbox: minted once, renewed in time, named when they lack something, never told."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.github.auth import AppKey, PersonalToken, read_private_key
from bot.adapters.github.connecting import connect
from bot.domain.errors import Refused, UserError
from tests.contract.forge_world import BRANCH, MAIN, REPO, ForgeWorld, build


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ForgeWorld]:
    made = build(tmp_path)
    yield made
    made.hub.stop()


def test_an_expired_token_is_renewed_once_and_nobody_notices(world: ForgeWorld) -> None:
    number = world.open()
    world.hub.revoke_tokens()
    head = world.read(number).head
    world.hub.revoke_tokens()
    world.forge.merge(REPO, number, head=head, method="squash", title="t")
    world.hub.revoke_tokens()
    assert world.repositories.refresh(REPO)[MAIN] == world.hub.head(REPO, MAIN)


def test_a_token_is_renewed_before_it_ends(world: ForgeWorld) -> None:
    first = world.forge.credentials.token()
    world.clock.shift = timedelta(minutes=54)
    assert world.forge.credentials.token() == first
    world.clock.shift = timedelta(minutes=56)
    assert world.forge.credentials.token() != first


def test_a_clock_that_is_wrong_by_hours_does_not_mint_at_every_call(world: ForgeWorld) -> None:
    world.clock.shift = timedelta(hours=3)
    forge = world.again()
    tokens = {forge.credentials.token() for _ in range(5)}
    assert len(tokens) == 1


def test_sixteen_threads_mint_one_token(world: ForgeWorld) -> None:
    forge = world.again()
    with world.calls() as calls:
        threads = [threading.Thread(target=forge.permission, args=(REPO, "ada")) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum("access_tokens" in call for call in calls()) == 1


def test_a_single_installation_needs_no_id_and_several_do(world: ForgeWorld) -> None:
    assert isinstance(world.access, AppKey)
    alone = AppKey(app_id=world.access.app_id, private_key=world.access.private_key)
    forge = connect(alone, clock=world.clock, api_url=world.hub.api_url)
    assert forge.find_pull(REPO, BRANCH) is None


@pytest.mark.parametrize("key", ["", "not a key", "-----BEGIN RSA PRIVATE KEY-----\nMIIEsecret\n-----END RSA PRIVATE KEY-----"])
def test_a_key_that_is_none_is_refused_and_not_repeated(world: ForgeWorld, key: str) -> None:
    with pytest.raises(UserError) as caught:
        connect(AppKey(app_id=1, private_key=key), clock=world.clock, api_url=world.hub.api_url).find_pull(REPO, BRANCH)
    assert caught.value.code == "PrivateKey"
    assert "MIIEsecret" not in f"{caught.value!r}{caught.value.__cause__!r}{caught.value.fix}"


def test_a_key_of_another_app_and_a_token_that_is_none_are_refused(world: ForgeWorld) -> None:
    app_id, _, installation = world.hub.create_app("other")
    assert isinstance(world.access, AppKey)
    wrong = AppKey(app_id=app_id, private_key=world.access.private_key, installation=installation)
    for access in (wrong, PersonalToken("ghp_nosuchtoken0123456789")):
        with pytest.raises(UserError) as caught:
            connect(access, clock=world.clock, api_url=world.hub.api_url).permission(REPO, "ada")
        assert caught.value.code == "GitHubAuth"
        assert "nosuchtoken" not in f"{caught.value} {access!r}"


def test_the_private_key_file_must_not_be_everybodys(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("PEM")
    file.chmod(0o644)
    with pytest.raises(UserError) as caught:
        read_private_key(file)
    assert caught.value.code == "PrivateKeyMode"
    file.chmod(0o640)
    assert read_private_key(file) == "PEM"
    with pytest.raises(UserError):
        read_private_key(tmp_path / "none")


def test_missing_permissions_are_named(tmp_path: Path) -> None:
    world = build(tmp_path, permissions={"metadata": "read", "contents": "write"})
    try:
        world.push()
        with pytest.raises(Refused) as caught:
            world.forge.open_pull(REPO, branch=BRANCH, base_branch=MAIN, title="t", body="b")
        assert "pull_requests: write" in caught.value.fix
        world.hub.add_team("acme", "release", ["ada"])
        with pytest.raises(Refused) as caught:
            world.forge.teams_of("ada", ["acme/release"])
        assert "members: read" in caught.value.fix
    finally:
        world.hub.stop()


def test_a_suspended_app_is_told_so_and_works_again_once_it_may(world: ForgeWorld) -> None:
    number = world.open()
    head = world.read(number).head
    world.hub.suspend_app("promoter", "ada")
    with world.calls() as calls:
        for _ in range(3):
            with pytest.raises(Refused) as caught:
                world.forge.merge(REPO, number, head=head, method="squash", title="t")
    assert "suspended" in f"{caught.value.what} {caught.value.fix}"
    assert len(calls()) <= 9, "a refusal is not repeated by itself"
    world.hub.suspend_app("promoter", "ada", suspended=False)
    world.forge.merge(REPO, number, head=head, method="squash", title="t")
