"""Commits that GitHub makes and signs: one document, and the two-request way where the new branch is not seen in time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.errors import OutcomeUnknown, Refused, Stale
from bot.ports import SignedCommit
from tests.contract.forge_world import BRANCH, MAIN, REPO, ForgeWorld, build

FILES = {"qa/shop.yaml": b"image: shop:1.1\n", "qa/new/\xe4.yaml": b"\x00\xff"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ForgeWorld]:
    made = build(tmp_path)
    made.forge.pulls(REPO, base_branch=MAIN, prefix="promote/")
    yield made
    made.hub.stop()


def commit(world: ForgeWorld, **other: object) -> SignedCommit:
    base = world.hub.head(REPO, MAIN)
    wanted = {"repository": REPO, "branch": BRANCH, "expected": base, "files": FILES, "message": "promote: ä\n\nwhy", "create": True}
    return SignedCommit(**(wanted | other))  # type: ignore[arg-type]


def test_a_signed_promotion_is_opened_by_one_document(world: ForgeWorld) -> None:
    base = world.hub.head(REPO, MAIN)
    with world.calls() as calls:
        sha, opened = world.forge.open_signed(commit(world), base_branch=MAIN, title="t", body="b")
    assert calls() == ["graphql createRef,createCommitOnBranch,createPullRequest"]
    assert world.hub.head(REPO, BRANCH) == sha
    assert {path: world.hub.read_file(REPO, BRANCH, path) for path in FILES} == FILES
    assert world.hub.read_file(REPO, BRANCH, "README.md") is not None
    assert sha in world.hub.repository(REPO).verified
    assert world.forge.credentials.is_app
    world.repositories.refresh(REPO)
    (entry,) = world.repositories.log(REPO, after=base, until=sha)
    assert (entry.subject, entry.body) == ("promote: ä", "why")
    pull = world.read(opened.number)
    assert (pull.head, pull.branch, pull.title, pull.body) == (sha, BRANCH, "t", "b")
    assert dict(world.forge.ledger.of(f"{REPO}#{opened.number}")) == {"graphql": 1}


def test_the_whole_life_of_a_signed_promotion(world: ForgeWorld) -> None:
    world.forge.identity()
    _, opened = world.forge.open_signed(commit(world, branch="promote/qa/warm"), base_branch=MAIN, title="t", body="b")
    world.forge.add_labels(REPO, opened.number, ["promotion"])
    with world.calls() as calls:
        sha, opened = world.forge.open_signed(commit(world), base_branch=MAIN, title="t", body="b")
        world.show(opened.number, {}, pull=world.as_opened(opened.number), labels=["promotion"], conclusion="success")
        world.forge.merge(REPO, opened.number, head=sha, method="squash", title="t")
    assert [call.split()[0] for call in calls()] == ["graphql", "graphql", "rest"]
    assert {path: world.hub.read_file(REPO, MAIN, path) for path in FILES} == FILES


def test_where_the_branch_is_not_seen_yet_the_pull_request_is_opened_by_a_second_request(world: ForgeWorld) -> None:
    refused = commit(world)
    sha, opened = world.forge.open_signed(refused, base_branch=MAIN, title="t", body="b")
    again = commit(world, branch=BRANCH, expected=sha, files={"qa/shop.yaml": b"image: shop:1.2\n"}, create=False)
    with world.calls() as calls:
        newer, same = world.forge.open_signed(again, base_branch=MAIN, title="t2", body="b2")
    assert same.number == opened.number, "there is one already: it is adopted"
    assert world.hub.head(REPO, BRANCH) == newer
    assert calls()[0] == "graphql createCommitOnBranch,createPullRequest"
    assert calls()[1] == "rest /repos/{owner}/{repo}/pulls"


def test_commit_files_compares_the_head(world: ForgeWorld) -> None:
    base = world.hub.head(REPO, MAIN)
    assert base is not None
    with world.calls() as calls:
        sha = world.forge.commit_files(REPO, branch=BRANCH, expected=base, files=FILES, message="m", create_from=base)
    assert calls() == ["graphql createRef,createCommitOnBranch"]
    with pytest.raises(Stale):
        world.forge.commit_files(REPO, branch=BRANCH, expected=base, files={"x": b"1"}, message="m")
    newer = world.forge.commit_files(REPO, branch=BRANCH, expected=sha, files={"x": b"1"}, message="m")
    assert world.hub.head(REPO, BRANCH) == newer
    with pytest.raises(Stale):
        world.forge.commit_files(REPO, branch=BRANCH, expected=base, files={"x": b"2"}, message="m", create_from=base)
    assert world.hub.head(REPO, BRANCH) == newer


def test_a_branch_that_an_earlier_try_made_is_no_obstacle(world: ForgeWorld) -> None:
    base = world.hub.head(REPO, MAIN)
    assert base is not None
    world.repositories.refresh(REPO)
    world.repositories.push(REPO, {BRANCH: (None, base)})
    sha = world.forge.commit_files(REPO, branch=BRANCH, expected=base, files=FILES, message="m", create_from=base)
    assert world.hub.head(REPO, BRANCH) == sha


def test_a_protected_branch_refuses_and_a_lost_answer_is_unknown(world: ForgeWorld) -> None:
    base = world.hub.head(REPO, MAIN)
    assert base is not None
    world.hub.protect(REPO, MAIN, no_push=True)
    with pytest.raises(Refused):
        world.forge.commit_files(REPO, branch=MAIN, expected=base, files=FILES, message="m")
    assert world.hub.head(REPO, MAIN) == base
    world.hub.unprotect(REPO, MAIN)
    world.hub.faults.add("GRAPHQL", "createCommitOnBranch", kind="applied_then_500")
    with pytest.raises(OutcomeUnknown):
        world.forge.commit_files(REPO, branch=MAIN, expected=base, files=FILES, message="m")
    with pytest.raises(Stale):
        world.forge.commit_files(REPO, branch=MAIN, expected=base, files=FILES, message="m")
