"""The fault script and the ledger: what a client sees, and what really happened."""

import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.contract.sandbox_github.conftest import REPO, Forge, git

MERGE = "/repos/{owner}/{repo}/pulls/{pull_number}/merge"
COMMENTS = "/repos/*/*/issues/*/comments"


def comment(forge: Forge) -> httpx.Response:
    return forge.repo("bot", "POST", "/issues/1/comments", {"body": "x"})


@pytest.fixture
def opened(forge: Forge) -> Forge:
    """A forge with one pull request and a clean ledger."""
    forge.open()
    forge.box.ledger.reset()
    return forge


def test_a_status_at_the_nth_call(opened: Forge) -> None:
    opened.box.faults.add("POST", COMMENTS, kind="status:502", at=2, times=1)
    assert [comment(opened).status_code for _ in range(4)] == [201, 502, 201, 201]
    assert len(opened.box.pull(REPO, 1).comments) == 3
    assert [(entry.status, entry.applied) for entry in opened.box.ledger.rest] == [(201, True), (502, False), (201, True), (201, True)]


def test_a_status_with_githubs_words(opened: Forge) -> None:
    opened.box.faults.add("PUT", MERGE, kind="status:405:Base branch was modified. Review and try the merge again.")
    answer = opened.repo("bot", "PUT", "/pulls/1/merge", {})
    assert (answer.status_code, answer.json()["message"]) == (405, "Base branch was modified. Review and try the merge again.")
    assert opened.repo("bot", "PUT", "/pulls/1/merge", {}).status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("applied_then_500", 500), ("applied_then:504", 504)])
def test_applied_then_an_error(opened: Forge, kind: str, status: int) -> None:
    opened.box.faults.add("PUT", MERGE, kind=kind)
    assert opened.repo("bot", "PUT", "/pulls/1/merge", {}).status_code == status
    assert opened.box.pull(REPO, 1).merged_at is not None
    assert opened.box.ledger.rest[0].applied is True


@pytest.mark.parametrize(("kind", "comments"), [("reset", 0), ("applied_then_reset", 1)])
def test_a_cut_connection(opened: Forge, kind: str, comments: int) -> None:
    opened.box.faults.add("POST", COMMENTS, kind=kind)
    with pytest.raises(httpx.TransportError):
        comment(opened)
    assert len(opened.box.pull(REPO, 1).comments) == comments
    assert opened.box.ledger.rest[-1].status == 0
    assert comment(opened).status_code == 201


def test_a_delay_outlasts_an_impatient_client(opened: Forge) -> None:
    opened.box.faults.add("POST", COMMENTS, kind="delay:0.6")
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{opened.box.api_url}/repos/{REPO}/issues/1/comments",
            json={"body": "late"},
            headers={"authorization": f"Bearer {opened.tokens['bot']}"},
            timeout=0.2,
            trust_env=False,
        )
    until = time.monotonic() + 5
    while not opened.box.pull(REPO, 1).comments and time.monotonic() < until:
        time.sleep(0.02)
    assert [item.body for item in opened.box.pull(REPO, 1).comments] == ["late"]


def test_limits(opened: Forge) -> None:
    opened.box.faults.add("*", "*", kind="secondary_limit:7")
    opened.box.faults.add("GET", "/repos/{owner}/{repo}", kind="primary_limit")
    first, second = comment(opened), opened.repo("bot", "GET", "")
    assert (first.status_code, first.headers["retry-after"]) == (403, "7")
    assert "secondary rate limit" in first.json()["message"]
    assert (second.status_code, second.headers["x-ratelimit-remaining"]) == (403, "0")


def test_broken_answers(opened: Forge) -> None:
    opened.box.faults.add("GET", "/repos/*/*/pulls/*", kind="truncate")
    opened.box.faults.add("GET", "/repos/*/*/pulls/*", kind="html200", at=2)
    cut, page = opened.repo("bot", "GET", "/pulls/1"), opened.repo("bot", "GET", "/pulls/1")
    assert cut.status_code == page.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
        cut.json()
    assert page.headers["content-type"].startswith("text/html")


def test_stale_reads(opened: Forge) -> None:
    before = opened.repo("bot", "GET", "/issues/1/comments").json()
    comment(opened)
    opened.box.faults.add("GET", COMMENTS, kind="stale_read", times=2)
    opened.box.faults.add("GET", "/repos/*/*/pulls*", kind="stale_read", times=2)
    assert opened.repo("bot", "GET", "/issues/1/comments").json() == before == []
    assert opened.repo("bot", "GET", "/issues/1/comments?page=1").json() == []
    assert len(opened.repo("bot", "GET", "/issues/1/comments").json()) == 1
    assert opened.repo("bot", "GET", "/pulls?head=acme:promote/dev/web").json() == []
    assert opened.repo("bot", "GET", "/pulls/1").status_code == 404
    assert opened.repo("bot", "GET", "/pulls/1").status_code == 200


def test_graphql_and_git_have_faults_too(opened: Forge, tmp_path: Path) -> None:
    opened.box.faults.add("GRAPHQL", "viewer", kind="status:502")
    opened.box.faults.add("GRAPHQL", "rateLimit", kind="primary_limit")
    opened.box.faults.add("GIT", "git-receive-pack", kind="applied_then_500")
    opened.box.faults.add("GIT", "git-upload-pack", kind="status:503")
    headers = {"authorization": f"Bearer {opened.tokens['bot']}"}
    assert httpx.post(opened.box.graphql_url, json={"query": "{viewer{login}}"}, headers=headers, trust_env=False).status_code == 502
    assert opened.graphql("bot", "{rateLimit{cost}}")["errors"][0]["type"] == "RATE_LIMITED"
    url = opened.box.clone_url(REPO).replace("http://", f"http://x:{opened.tokens['ann']}@")
    assert git("clone", "-q", url, str(tmp_path / "a")).returncode == 128
    assert git("clone", "-q", url, str(tmp_path / "b")).returncode == 0
    done: subprocess.CompletedProcess[str] = git("push", "origin", "HEAD:x", cwd=tmp_path / "b")
    assert done.returncode != 0
    assert "x" in opened.box.list_branches(REPO)


def test_a_script_is_checked_and_can_be_cleared(opened: Forge) -> None:
    for kind in ("explode", "status", "delay"):
        with pytest.raises(ValueError, match=kind):
            opened.box.faults.add("GET", "*", kind=kind)
    forever = opened.box.faults.add("GET", "/repos/*/*", kind="status:500", times=None)
    assert [opened.repo("bot", "GET", "").status_code for _ in range(3)] == [500, 500, 500]
    assert (forever.seen, forever.struck) == (3, 3)
    opened.box.faults.clear()
    assert opened.repo("bot", "GET", "").status_code == 200


def test_the_ledger_counts_by_route_and_caller(opened: Forge, tmp_path: Path) -> None:
    comment(opened)
    comment(opened)
    opened.repo("ann", "GET", "/branches/promote/dev/web")
    opened.graphql("bot", "{viewer{login} rateLimit{cost}}")
    git("clone", "-q", opened.box.clone_url(REPO).replace("http://", f"http://x:{opened.tokens['bot']}@"), str(tmp_path / "c"))
    ledger = opened.box.ledger
    assert ledger.count("rest") == {
        "POST /repos/{owner}/{repo}/issues/{issue_number}/comments": 2,
        "GET /repos/{owner}/{repo}/branches/{branch}": 1,
    }
    assert ledger.count("graphql") == {"POST viewer,rateLimit": 1}
    assert {entry.caller for entry in ledger.rest} == {"promotion-bot[bot]", "ann"}
    assert {entry.operation for entry in ledger.git} == {"info/refs git-upload-pack", "git-upload-pack"}
    ledger.reset()
    assert ledger.entries == ()
