"""Merging on the sandbox: one call with the expected head, and what each refusal is called."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.errors import Refused, Stale, UserError
from bot.domain.pull import PullState
from tests.contract.forge_world import BRANCH, MAIN, REPO, ForgeWorld, build


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


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_merge_is_one_call_with_the_expected_head(app: ForgeWorld, method: str) -> None:
    number = app.open()
    head = app.read(number).head
    with app.calls() as calls:
        sha = app.forge.merge(REPO, number, head=head, method=method, title="promote(qa): shop", message="why")
    assert calls() == ["rest /repos/{owner}/{repo}/pulls/{pull_number}/merge"]
    assert sha == app.hub.head(REPO, MAIN) == app.repositories.refresh(REPO)[MAIN]
    assert app.hub.read_file(REPO, MAIN, "qa/shop.yaml") == b"image: shop:1.1\n"
    pull = app.read(number)
    assert (pull.state, pull.merge_commit) == (PullState.MERGED, sha)
    assert pull.merged_by is not None
    assert pull.merged_by.login == app.forge.identity()
    assert pull.merged_at is not None
    if method == "squash":
        (entry,) = app.repositories.log(REPO, after=pull.base, until=sha)
        assert (entry.subject, entry.body) == ("promote(qa): shop", "why")
    with pytest.raises(Stale):
        app.forge.merge(REPO, number, head=head, method=method, title="again")


def test_a_head_that_moved_is_never_merged(app: ForgeWorld) -> None:
    number = app.open()
    head = app.read(number).head
    app.hub.push(REPO, BRANCH, {"qa/shop.yaml": "image: evil:1\n"}, message="sneak", author="ada")
    with pytest.raises(Stale):
        app.forge.merge(REPO, number, head=head, method="squash", title="t")
    assert app.hub.read_file(REPO, MAIN, "qa/shop.yaml") == b"image: shop:1.0\n"


def test_a_conflict_is_stale_and_seen_as_not_mergeable(app: ForgeWorld) -> None:
    number = app.open()
    app.hub.push(REPO, MAIN, {"qa/shop.yaml": "image: shop:9\n"}, message="other", author="ada")
    pull = app.read(number)
    assert pull.mergeable is False
    with pytest.raises(Stale):
        app.forge.merge(REPO, number, head=pull.head, method="squash", title="t")


def test_a_rule_or_a_setting_that_forbids_merging_is_told(app: ForgeWorld) -> None:
    number = app.open()
    head = app.read(number).head
    app.hub.protect(REPO, MAIN, reviews=1)
    with pytest.raises(Refused) as caught:
        app.forge.merge(REPO, number, head=head, method="squash", title="t")
    assert caught.value.code == "MergeBlocked"
    assert "review" in caught.value.what
    app.hub.unprotect(REPO, MAIN)
    app.hub.repository(REPO).settings.allow_squash_merge = False
    with pytest.raises(Refused) as caught:
        app.forge.merge(REPO, number, head=head, method="squash", title="t")
    assert caught.value.code == "MergeMethod"


def test_auto_merge_waits_or_merges_at_once(app: ForgeWorld) -> None:
    app.hub.repository(REPO).settings.allow_auto_merge = True
    number = app.open()
    app.forge.queue_merge(REPO, app.read(number), head=app.read(number).head, method="squash")
    assert app.read(number).state is PullState.MERGED, "nothing was left to wait for"
    app.hub.protect(REPO, MAIN, checks=("ci",))
    second = app.open("image: shop:1.2\n", branch="promote/qa/second")
    pull = app.read(second)
    with app.calls() as calls:
        app.forge.queue_merge(REPO, pull, head=pull.head, method="squash")
    assert calls() == ["graphql enablePullRequestAutoMerge"]
    assert app.read(second).state is PullState.OPEN
    app.hub.set_status(REPO, pull.head, "ci", "success")
    assert app.read(second).state is PullState.MERGED


def test_auto_merge_that_the_repository_forbids_names_the_setting(app: ForgeWorld) -> None:
    app.hub.protect(REPO, MAIN, checks=("ci",))
    app.hub.repository(REPO).settings.allow_auto_merge = False
    pull = app.read(app.open())
    with pytest.raises(UserError) as caught:
        app.forge.queue_merge(REPO, pull, head=pull.head, method="squash")
    assert "auto-merge" in caught.value.fix.casefold()
