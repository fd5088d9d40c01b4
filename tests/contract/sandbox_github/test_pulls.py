"""Pull requests over REST: opening, refusing, editing, following their branches."""

from typing import Any

import pytest

from tests.contract.sandbox_github.conftest import REPO, Forge


def test_a_new_pull_request_does_not_know_yet_whether_it_merges(forge: Forge) -> None:
    opened = forge.open()
    assert (opened["number"], opened["state"], opened["mergeable"], opened["mergeable_state"]) == (1, "open", None, "unknown")
    assert opened["user"]["login"] == "promotion-bot[bot]"
    assert opened["user"]["type"] == "Bot"
    later = forge.repo("bot", "GET", "/pulls/1").json()
    assert (later["mergeable"], later["mergeable_state"]) == (True, "clean")
    assert (later["commits"], later["changed_files"], later["additions"], later["deletions"]) == (1, 1, 1, 1)
    assert later["head"]["sha"] == forge.box.head(REPO, "promote/dev/web")
    assert later["html_url"] == f"{forge.box.url}/{REPO}/pull/1"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"head": "main"}, "No commits between main and main"),
        ({"head": "nowhere"}, ("head", "invalid")),
        ({"base": "nowhere"}, ("base", "invalid")),
        ({"head": "stranger:x"}, ("head", "invalid")),
        ({}, "A pull request already exists for acme:promote/dev/web."),
        ({"title": " "}, ("title", "missing_field")),
    ],
)
def test_what_cannot_be_a_pull_request_is_refused(forge: Forge, change: dict[str, str], said: Any) -> None:
    forge.open()
    answer = forge.repo("bot", "POST", "/pulls", {"title": "t", "head": "promote/dev/web", "base": "main"} | change)
    error = answer.json()["errors"][0]
    assert answer.status_code == 422
    assert answer.json()["message"] == "Validation Failed"
    assert (error.get("message") if isinstance(said, str) else (error["field"], error["code"])) == said


def test_unrelated_histories_are_refused(forge: Forge) -> None:
    tree = forge.repo("bot", "POST", "/git/trees", {"tree": [{"path": "a", "mode": "100644", "type": "blob", "content": "x"}]}).json()
    commit = forge.repo("bot", "POST", "/git/commits", {"message": "alone", "tree": tree["sha"], "parents": []}).json()
    forge.repo("bot", "POST", "/git/refs", {"ref": "refs/heads/alone", "sha": commit["sha"]})
    answer = forge.repo("bot", "POST", "/pulls", {"title": "t", "head": "alone", "base": "main"})
    assert answer.json()["errors"][0]["message"] == "The alone branch has no history in common with main"


def test_a_missing_field_is_named(forge: Forge) -> None:
    answer = forge.repo("bot", "POST", "/pulls", {"title": "t", "base": "main"})
    assert (answer.status_code, answer.json()["message"]) == (422, 'Invalid request.\n\n"head" wasn\'t supplied.')


def test_lists_filter_by_state_head_and_base(forge: Forge) -> None:
    forge.open("promote/dev/web", "1.1.0")
    forge.open("promote/dev/api", "1.2.0")
    forge.box.close_pr(REPO, 1, "ann")

    def numbers(query: str) -> list[int]:
        return [pull["number"] for pull in forge.repo("bot", "GET", f"/pulls?{query}").json()]

    assert numbers("") == [2]
    assert numbers("state=all") == [2, 1]
    assert numbers("state=all&direction=asc") == [1, 2]
    assert numbers("state=closed") == [1]
    assert numbers("state=all&head=acme:promote/dev/web") == [1]
    assert numbers("state=all&head=other:promote/dev/web") == []
    assert numbers("state=all&base=elsewhere") == []


def test_only_real_changes_are_announced(forge: Forge) -> None:
    forge.open()
    forge.repo("bot", "PATCH", "/pulls/1", {"title": "web 1.1.0", "body": "why"})
    forge.repo("bot", "PATCH", "/pulls/1", {"title": "other", "body": "because"})
    forge.arrived()
    edits = [item.body for item in forge.sink.received if item.name == "pull_request.edited"]
    assert [edit["changes"] for edit in edits] == [{"title": {"from": "web 1.1.0"}, "body": {"from": "why"}}]


def test_a_push_to_the_head_branch_moves_the_pull_request(forge: Forge) -> None:
    before = forge.open()["head"]["sha"]
    after = forge.branch("promote/dev/web", "1.2.0")
    forge.arrived()
    event = next(item.body for item in forge.sink.received if item.name == "pull_request.synchronize")
    assert (event["before"], event["after"], event["pull_request"]["head"]["sha"]) == (before, after, after)
    assert forge.repo("bot", "GET", "/pulls/1/files").json()[0]["patch"].count("1.2.0") == 1
    assert [commit["sha"] for commit in forge.repo("bot", "GET", "/pulls/1/commits").json()] == [before, after]


def test_the_base_sha_is_that_of_the_last_synchronisation(forge: Forge) -> None:
    base = forge.open()["base"]["sha"]
    moved = forge.box.push(REPO, "main", {"README.md": "new\n"}, message="readme", author="ben")
    assert forge.repo("bot", "GET", "/pulls/1").json()["base"]["sha"] == base
    forge.branch("promote/dev/web", "1.2.0")
    assert forge.repo("bot", "GET", "/pulls/1").json()["base"]["sha"] == moved


def test_a_deleted_branch_closes_its_pull_request_which_cannot_come_back(forge: Forge) -> None:
    forge.open()
    forge.box.delete_branch(REPO, "promote/dev/web", "ann")
    assert forge.box.pull(REPO, 1).state == "closed"
    answer = forge.repo("bot", "PATCH", "/pulls/1", {"state": "open"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["message"] == "state cannot be changed. The promote/dev/web branch has been deleted."


def test_a_closed_pull_request_can_be_reopened_unless_its_branch_was_rewritten(forge: Forge) -> None:
    forge.open()
    assert forge.repo("bot", "PATCH", "/pulls/1", {"state": "closed"}).json()["state"] == "closed"
    assert forge.repo("bot", "PATCH", "/pulls/1", {"state": "open"}).json()["state"] == "open"
    forge.repo("bot", "PATCH", "/pulls/1", {"state": "closed"})
    forge.branch("promote/dev/web", "1.3.0", force=True)
    answer = forge.repo("bot", "PATCH", "/pulls/1", {"state": "open"})
    assert "was force-pushed or recreated" in answer.json()["errors"][0]["message"]


def test_pushing_the_commits_to_the_base_merges_the_pull_request(forge: Forge) -> None:
    forge.open()
    head = forge.box.head(REPO, "promote/dev/web")
    answer = forge.repo("ann", "PATCH", "/git/refs/heads/main", {"sha": head})
    assert answer.status_code == 200
    pull = forge.repo("bot", "GET", "/pulls/1").json()
    assert (pull["merged"], pull["merged_by"]["login"], pull["merge_commit_sha"]) == (True, "ann", head)


def test_labels_are_made_when_they_are_put_on(forge: Forge) -> None:
    forge.open()
    put = forge.repo("bot", "POST", "/issues/1/labels", {"labels": ["promotion", "stage/dev"]})
    assert [label["name"] for label in put.json()] == ["promotion", "stage/dev"]
    assert [label["name"] for label in forge.repo("bot", "DELETE", "/issues/1/labels/stage/dev").json()] == ["promotion"]
    assert forge.repo("bot", "DELETE", "/issues/1/labels/stage/dev").status_code == 404
    assert forge.repo("bot", "PUT", "/issues/1/labels", {"labels": ["a"]}).json()[0]["name"] == "a"
    assert {label["name"] for label in forge.repo("bot", "GET", "/labels").json()} == {"promotion", "stage/dev", "a"}
    again = forge.repo("bot", "POST", "/labels", {"name": "A", "color": "ffffff"})
    assert (again.status_code, again.json()["errors"][0]["code"]) == (422, "already_exists")
    events = [(item["event"], item["label"]["name"]) for item in forge.repo("bot", "GET", "/issues/1/events").json()]
    assert events == [
        ("labeled", "promotion"),
        ("labeled", "stage/dev"),
        ("unlabeled", "stage/dev"),
        ("unlabeled", "promotion"),
        ("labeled", "a"),
    ]


def test_comments_are_written_edited_and_reacted_to(forge: Forge) -> None:
    forge.open()
    made = forge.repo("bot", "POST", "/issues/1/comments", {"body": "waiting"}).json()
    assert made["performed_via_github_app"]["slug"] == "promotion-bot"
    changed = forge.repo("bot", "PATCH", f"/issues/comments/{made['id']}", {"body": "done"}).json()
    assert (changed["id"], changed["body"], changed["user"]["login"]) == (made["id"], "done", "promotion-bot[bot]")
    assert [forge.repo("bot", "POST", f"/issues/comments/{made['id']}/reactions", {"content": "eyes"}).status_code for _ in "ab"] == [
        201,
        200,
    ]
    assert forge.repo("bot", "GET", "/issues/1/comments").json()[0]["reactions"]["eyes"] == 1
    assert forge.repo("rea", "PATCH", f"/issues/comments/{made['id']}", {"body": "no"}).status_code == 403
    assert forge.repo("bot", "POST", "/issues/1/comments", {"body": " "}).status_code == 422
    assert forge.repo("bot", "POST", "/issues/1/comments", {"body": "x" * 65537}).status_code == 422
    assert forge.repo("bot", "POST", "/issues/7/comments", {"body": "x"}).status_code == 404


def test_comments_since(forge: Forge) -> None:
    forge.open()
    forge.box.comment(REPO, 1, "ann", "/promote")
    assert len(forge.repo("bot", "GET", "/issues/1/comments?since=2020-01-01T00:00:00Z").json()) == 1
    assert forge.repo("bot", "GET", "/issues/1/comments?since=2999-01-01T00:00:00Z").json() == []


def test_nobody_approves_their_own_work(forge: Forge) -> None:
    forge.box.push(REPO, "x", {"a": "b"}, message="x", author="ann")
    forge.box.open_pr(REPO, title="x", head="x", base="main", author="ann")
    own = forge.repo("ann", "POST", "/pulls/1/reviews", {"event": "APPROVE"})
    assert (own.status_code, own.json()["errors"]) == (422, ["Can not approve your own pull request"])
    review = forge.repo("ben", "POST", "/pulls/1/reviews", {"event": "APPROVE"}).json()
    assert (review["state"], review["commit_id"]) == ("APPROVED", forge.box.head(REPO, "x"))
    assert forge.repo("ann", "PUT", f"/pulls/1/reviews/{review['id']}/dismissals", {"message": "old"}).json()["state"] == "DISMISSED"
