"""Merging: the methods, GitHub's refusals, protection, auto-merge, the merge queue and the revert button."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from bot.sandbox.github import ApiError
from tests.contract.sandbox_github.conftest import REPO, Forge

VALUES = "apps/web/values.yaml"


def merge(forge: Forge, number: int = 1, *, who: str = "bot", **fields: Any) -> httpx.Response:
    return forge.repo(who, "PUT", f"/pulls/{number}/merge", fields)


@pytest.mark.parametrize(("method", "parents"), [("merge", 2), ("squash", 1), ("rebase", 1)])
def test_each_method_brings_the_change(forge: Forge, method: str, parents: int) -> None:
    head = forge.open()["head"]["sha"]
    forge.box.push(REPO, "main", {"README.md": "moved\n"}, message="readme", author="ben")
    answer = merge(forge, sha=head, merge_method=method)
    assert answer.json() == {"sha": forge.box.head(REPO), "merged": True, "message": "Pull Request successfully merged"}
    assert b"1.1.0" in (forge.box.read_file(REPO, "main", VALUES) or b"")
    assert forge.box.read_file(REPO, "main", "README.md") == b"moved\n"
    assert len(forge.box.log(REPO)[0].parents) == parents
    pull = forge.repo("bot", "GET", "/pulls/1").json()
    assert (pull["state"], pull["merged"], pull["merged_by"]["login"]) == ("closed", True, "promotion-bot[bot]")
    assert pull["merge_commit_sha"] == forge.box.head(REPO)
    signed = forge.repo("bot", "GET", f"/commits/{forge.box.head(REPO)}").json()["commit"]["verification"]["verified"]
    assert signed is (method != "rebase")


def test_the_commit_bears_the_words_that_were_given(forge: Forge) -> None:
    forge.open()
    merge(forge, merge_method="squash", commit_title="A title", commit_message="A body")
    assert forge.box.log(REPO)[0].message == "A title\n\nA body"


def test_another_head_than_expected_is_a_conflict(forge: Forge) -> None:
    old = forge.open()["head"]["sha"]
    forge.branch("promote/dev/web", "1.2.0")
    answer = merge(forge, sha=old)
    assert (answer.status_code, answer.json()["message"]) == (409, "Head branch was modified. Review and try the merge again.")
    assert forge.box.pull(REPO, 1).merged_at is None


def test_a_conflict_is_not_mergeable(forge: Forge) -> None:
    forge.open()
    forge.box.push(REPO, "main", {VALUES: "image:\n  tag: 9.9.9 # web\nreplicas: 2\n"}, message="hotfix", author="ben")
    pull = forge.repo("bot", "GET", "/pulls/1").json()
    assert (pull["mergeable"], pull["mergeable_state"]) == (False, "dirty")
    answer = merge(forge)
    assert (answer.status_code, answer.json()["message"]) == (405, "Pull Request is not mergeable")


def test_what_is_merged_or_closed_is_not_merged_again(forge: Forge) -> None:
    forge.open()
    assert merge(forge).status_code == 200
    assert merge(forge).json()["message"] == "Pull Request is not mergeable"


def test_a_method_that_the_repository_forbids(forge: Forge) -> None:
    forge.open()
    forge.box.repository(REPO).settings.allow_squash_merge = False
    answer = merge(forge, merge_method="squash")
    assert (answer.status_code, answer.json()["message"]) == (405, "Squash merges are not allowed on this repository.")
    assert merge(forge, merge_method="octopus").status_code == 422


def test_a_draft_waits(forge: Forge) -> None:
    forge.branch("x", "1.1.0")
    forge.repo("bot", "POST", "/pulls", {"title": "t", "head": "x", "base": "main", "draft": True})
    assert forge.repo("bot", "GET", "/pulls/1").json()["mergeable_state"] == "draft"
    assert merge(forge).json()["message"] == "Pull Request is still a draft"


def test_of_two_merges_at_once_each_sees_the_other(forge: Forge) -> None:
    """Two pull requests change the same line: one merge wins, the other is a conflict, whatever the order."""
    forge.open("a", "1.1.0")
    forge.open("b", "1.2.0")
    with ThreadPoolExecutor(2) as pool:
        codes = sorted(answer.status_code for answer in pool.map(lambda number: merge(forge, number), (1, 2)))
    assert codes == [200, 405]


def test_the_head_branch_goes_when_the_repository_says_so(forge: Forge) -> None:
    forge.box.repository(REPO).settings.auto_delete_head = True
    forge.open()
    merge(forge)
    assert forge.box.list_branches(REPO) == ["main"]
    assert forge.box.pull(REPO, 1).merged_at is not None


def test_required_checks(forge: Forge) -> None:
    head = forge.open()["head"]["sha"]
    forge.box.protect(REPO, "main", checks=("ci", "promotion/dev"))
    said = []
    for report in (
        lambda: None,
        lambda: forge.box.set_status(REPO, head, "ci", "pending"),
        lambda: forge.box.set_check(REPO, head, "promotion/dev", "failure"),
        lambda: forge.box.set_status(REPO, head, "ci", "success"),
    ):
        report()
        said.append(merge(forge).json()["message"])
    assert said == [
        "2 of 2 required status checks have not succeeded: 2 expected.",
        "2 of 2 required status checks have not succeeded: 1 expected and 1 pending.",
        "2 of 2 required status checks have not succeeded: 1 failing and 1 pending.",
        "1 of 2 required status checks have not succeeded: 1 failing.",
    ]
    assert forge.repo("bot", "GET", "/pulls/1").json()["mergeable_state"] == "blocked"
    forge.box.set_check(REPO, head, "promotion/dev", "neutral")
    assert merge(forge).status_code == 200


def test_one_required_check_is_named(forge: Forge) -> None:
    forge.open()
    forge.box.protect(REPO, "main", checks=("ci",))
    assert merge(forge).json()["message"] == 'Required status check "ci" is expected.'


def test_required_reviews_count_writers_only_and_fall_with_a_push(forge: Forge) -> None:
    forge.open()
    forge.box.protect(REPO, "main", reviews=1, dismiss_stale=True)
    wanted = "At least 1 approving review is required by reviewers with write access."
    assert merge(forge).json()["message"] == wanted
    forge.box.approve(REPO, 1, "rea")
    assert merge(forge).json()["message"] == wanted
    forge.box.approve(REPO, 1, "ben")
    forge.branch("promote/dev/web", "1.2.0")
    assert [review["state"] for review in forge.repo("bot", "GET", "/pulls/1/reviews").json()] == ["DISMISSED", "DISMISSED"]
    assert merge(forge).json()["message"] == wanted
    forge.box.approve(REPO, 1, "ben", state="CHANGES_REQUESTED")
    assert merge(forge).json()["message"].startswith("Changes have been requested")
    forge.box.approve(REPO, 1, "ben")
    assert merge(forge).status_code == 200


def test_a_strict_base_must_be_merged_in_first(forge: Forge) -> None:
    head = forge.open()["head"]["sha"]
    forge.box.protect(REPO, "main", strict=True, bypass=("ben",))
    forge.box.push(REPO, "main", {"README.md": "x\n"}, message="x", author="ben")
    assert forge.repo("bot", "GET", "/pulls/1").json()["mergeable_state"] == "behind"
    assert merge(forge).status_code == 405
    assert forge.repo("bot", "PUT", "/pulls/1/update-branch", {"expected_head_sha": "0" * 40}).status_code == 422
    assert forge.repo("bot", "PUT", "/pulls/1/update-branch", {"expected_head_sha": head}).status_code == 202
    assert merge(forge).status_code == 200


def test_signed_commits_are_those_that_the_forge_made(forge: Forge) -> None:
    forge.box.protect(REPO, "main", signatures=True)
    forge.open("pushed", "1.1.0")
    assert merge(forge).json()["message"] == "Commits must have verified signatures."
    base = forge.box.head(REPO)
    forge.repo("bot", "POST", "/git/refs", {"ref": "refs/heads/made", "sha": base})
    blob = forge.repo("bot", "GET", f"/contents/{VALUES}").json()
    forge.repo("bot", "PUT", f"/contents/{VALUES}", {"message": "m", "content": "dGFnCg==", "sha": blob["sha"], "branch": "made"})
    forge.repo("bot", "POST", "/pulls", {"title": "t", "head": "made", "base": "main"})
    assert merge(forge, 2).status_code == 200


def test_direct_pushes_are_refused_on_every_way(forge: Forge) -> None:
    forge.box.protect(REPO, "main", reviews=1)
    said = "Changes must be made through a pull request."
    head = forge.branch("x", "1.1.0")
    ref = forge.repo("bot", "PATCH", "/git/refs/heads/main", {"sha": head})
    assert (ref.status_code, ref.json()["message"]) == (422, said)
    put = forge.repo("bot", "PUT", "/contents/new.txt", {"message": "m", "content": "eA=="})
    assert (put.status_code, put.json()["message"]) == (409, said)
    assert forge.repo("bot", "DELETE", "/git/refs/heads/main").json()["message"] == "Cannot delete this branch"


def test_rules_are_shown_to_those_who_may_read(forge: Forge) -> None:
    forge.box.protect(REPO, "main", reviews=2, checks=("ci",), signatures=True, linear=True)
    rules = {rule["type"]: rule.get("parameters") for rule in forge.repo("bot", "GET", "/rules/branches/main").json()}
    assert set(rules) == {
        "deletion",
        "non_fast_forward",
        "required_linear_history",
        "required_signatures",
        "pull_request",
        "required_status_checks",
    }
    assert rules["required_status_checks"]["required_status_checks"] == [{"context": "ci"}]
    assert forge.repo("bot", "GET", "/rules/branches/other").json() == []
    branch = forge.repo("bot", "GET", "/branches/main").json()
    assert (branch["protected"], branch["protection"]["required_status_checks"]["contexts"]) == (True, ["ci"])


AUTO = "mutation($i:EnablePullRequestAutoMergeInput!){enablePullRequestAutoMerge(input:$i){pullRequest{autoMergeRequest{mergeMethod}}}}"


def test_auto_merge_waits_for_what_is_missing(forge: Forge) -> None:
    pull = forge.open()
    refused = forge.graphql("bot", AUTO, i={"pullRequestId": pull["node_id"]})
    assert "clean status" in refused["errors"][0]["message"]
    forge.box.protect(REPO, "main", checks=("ci",))
    done = forge.graphql("bot", AUTO, i={"pullRequestId": pull["node_id"], "mergeMethod": "SQUASH"})
    assert done["data"]["enablePullRequestAutoMerge"]["pullRequest"]["autoMergeRequest"] == {"mergeMethod": "SQUASH"}
    forge.box.set_status(REPO, pull["head"]["sha"], "ci", "failure")
    assert forge.box.pull(REPO, 1).merged_at is None
    forge.box.set_status(REPO, pull["head"]["sha"], "ci", "success")
    assert forge.box.pull(REPO, 1).merged_at is not None
    assert len(forge.box.log(REPO)[0].parents) == 1


ENQUEUE = "mutation($i:EnqueuePullRequestInput!){enqueuePullRequest(input:$i){mergeQueueEntry{state headCommit{oid}}}}"


@pytest.mark.parametrize(("conclusion", "merged", "reason"), [("success", True, "MERGE"), ("failure", False, "CI_FAILURE")])
def test_the_merge_queue_asks_for_checks_of_the_group(forge: Forge, conclusion: str, merged: bool, reason: str) -> None:
    pull = forge.open()
    forge.box.protect(REPO, "main", checks=("ci",))
    forge.box.repository(REPO).settings.merge_queue = True
    assert merge(forge).json()["message"] == "Changes must be made through the merge queue"
    entry = forge.graphql("bot", ENQUEUE, i={"pullRequestId": pull["node_id"]})["data"]["enqueuePullRequest"]["mergeQueueEntry"]
    forge.arrived()
    asked = next(item.body["merge_group"] for item in forge.sink.received if item.name == "merge_group.checks_requested")
    assert asked["head_sha"] == entry["headCommit"]["oid"]
    forge.box.set_check(REPO, pull["head"]["sha"], "ci", "success")
    assert forge.box.pull(REPO, 1).merged_at is None
    forge.box.set_check(REPO, asked["head_sha"], "ci", conclusion)
    assert (forge.box.pull(REPO, 1).merged_at is not None) is merged
    assert (forge.box.head(REPO) == asked["head_sha"]) is merged
    assert [branch for branch in forge.box.list_branches(REPO) if "queue" in branch] == []
    forge.arrived()
    assert [item.body["reason"] for item in forge.sink.received if item.name == "pull_request.dequeued"] == [reason]


REVERT = "mutation($i:RevertPullRequestInput!){revertPullRequest(input:$i){revertPullRequest{number headRefName title body}}}"


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_the_revert_button_restores_exactly_what_was(forge: Forge, method: str) -> None:
    before = forge.box.read_file(REPO, "main", VALUES)
    pull = forge.open()
    refused = forge.graphql("bot", REVERT, i={"pullRequestId": pull["node_id"]})
    assert refused["errors"][0]["message"] == "Pull request is not merged."
    merge(forge, merge_method=method)
    forge.box.push(REPO, "main", {"README.md": "later\n"}, message="later", author="ben")
    made = forge.graphql("bot", REVERT, i={"pullRequestId": pull["node_id"]})["data"]["revertPullRequest"]["revertPullRequest"]
    assert (made["headRefName"], made["title"]) == ("revert-1-promote/dev/web", 'Revert "web 1.1.0"')
    assert made["body"] == "Reverts acme/dev#1"
    merge(forge, made["number"])
    assert forge.box.read_file(REPO, "main", VALUES) == before
    assert forge.box.read_file(REPO, "main", "README.md") == b"later\n"


def test_a_revert_over_a_later_change_is_refused(forge: Forge) -> None:
    pull = forge.open()
    merge(forge)
    forge.box.push(REPO, "main", {VALUES: "image:\n  tag: 3.0.0 # web\nreplicas: 2\n"}, message="newer", author="ben")
    refused = forge.graphql("bot", REVERT, i={"pullRequestId": pull["node_id"]})
    assert "couldn’t be reverted automatically" in refused["errors"][0]["message"]


def test_people_are_refused_like_everybody(forge: Forge) -> None:
    forge.open()
    forge.box.protect(REPO, "main", reviews=1)
    with pytest.raises(ApiError, match="approving review"):
        forge.box.merge_pr(REPO, 1, "ann")
    forge.box.protect(REPO, "main", reviews=1, bypass=("adm",))
    assert forge.box.merge_pr(REPO, 1, "adm") == forge.box.head(REPO)


def test_two_branches_are_merged_without_a_pull_request(forge: Forge) -> None:
    forge.branch("x", "1.1.0")
    assert forge.repo("bot", "POST", "/merges", {"base": "main", "head": "x"}).status_code == 201
    assert forge.repo("bot", "POST", "/merges", {"base": "main", "head": "x"}).status_code == 204
    forge.branch("y", "2.0.0", base="x")
    forge.box.push(REPO, "main", {VALUES: "image:\n  tag: 3.0.0\n"}, message="z", author="ben")
    assert forge.repo("bot", "POST", "/merges", {"base": "main", "head": "y"}).status_code == 409
