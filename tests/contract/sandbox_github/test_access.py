"""Who may what: App JWTs and installation tokens, roles, teams, and the sentences of a refusal."""

import time
from typing import Any

import github
import httpx
import jwt
import pytest
from github import Auth

from tests.contract.sandbox_github.conftest import REPO, Forge


def as_app(forge: Forge, key: str, method: str, path: str, **claims: Any) -> httpx.Response:
    now = int(time.time())
    token = jwt.encode({"iat": now - 60, "exp": now + 300} | claims, key, algorithm="RS256")
    forge.tokens["jwt"] = token
    return forge.api("jwt", method, path)


def test_an_app_finds_its_installation_and_mints_a_token(forge: Forge) -> None:
    number, key, installation = forge.box.create_app("second")
    assert as_app(forge, key, "GET", "/app", iss=str(number)).json()["slug"] == "second"
    assert [item["id"] for item in as_app(forge, key, "GET", "/app/installations", iss=str(number)).json()] == [installation]
    assert as_app(forge, key, "GET", f"/repos/{REPO}/installation", iss=str(number)).json()["id"] == installation
    minted = as_app(forge, key, "POST", f"/app/installations/{installation}/access_tokens", iss=str(number))
    assert minted.status_code == 201
    forge.tokens["second"] = minted.json()["token"]
    assert forge.repo("second", "GET", "").json()["permissions"]["push"] is True
    assert forge.api("second", "GET", "/installation/repositories").json()["total_count"] == 1


@pytest.mark.parametrize("claims", [{"exp": 1}, {"exp": int(time.time()) + 7200}, {"iat": int(time.time()) + 7200}, {"iss": "999999"}])
def test_a_jwt_that_is_not_good(forge: Forge, claims: dict[str, Any]) -> None:
    number, key, _ = forge.box.create_app("second")
    assert as_app(forge, key, "GET", "/app", **({"iss": str(number)} | claims)).status_code == 401


def test_a_jwt_signed_by_another_key(forge: Forge) -> None:
    number, _, _ = forge.box.create_app("second")
    _, other, _ = forge.box.create_app("third")
    assert as_app(forge, other, "GET", "/app", iss=str(number)).status_code == 401


def test_a_jwt_is_no_token_and_a_token_no_jwt(forge: Forge) -> None:
    number, key, _ = forge.box.create_app("second")
    assert as_app(forge, key, "GET", f"/repos/{REPO}", iss=str(number)).status_code == 404
    assert forge.api("bot", "GET", "/app").status_code == 401
    assert forge.repo("bot", "GET", "/installation").status_code == 401


def test_pygithub_works_as_an_installation(forge: Forge) -> None:
    number, key, installation = forge.box.create_app("second")
    found = github.GithubIntegration(auth=Auth.AppAuth(number, key), base_url=forge.box.api_url, lazy=True, seconds_between_requests=None)
    hub = found.get_github_for_installation(installation)
    forge.branch("x", "1.1.0")
    pull = hub.get_repo(REPO).create_pull(title="t", head="x", base="main", body="b")
    pull.add_to_labels("promotion")
    assert pull.merge(sha=pull.head.sha).merged
    assert forge.box.head(REPO) == forge.repo("bot", "GET", "/pulls/1").json()["merge_commit_sha"]


def test_a_token_can_be_narrowed_but_not_widened(forge: Forge) -> None:
    number, key, installation = forge.box.create_app("second", permissions={"contents": "read", "metadata": "read"})
    path = f"/app/installations/{installation}/access_tokens"
    as_app(forge, key, "GET", "/app", iss=str(number))
    assert forge.api("jwt", "POST", path, {"permissions": {"contents": "write"}}).status_code == 422
    assert forge.api("jwt", "POST", path, {"repositories": ["nowhere"]}).status_code == 422
    narrow = forge.api("jwt", "POST", path, {"repositories": ["dev"], "permissions": {"metadata": "read"}}).json()
    assert (narrow["repository_selection"], narrow["permissions"]) == ("selected", {"metadata": "read"})
    forge.tokens["narrow"] = narrow["token"]
    refused = forge.repo("narrow", "GET", "/contents/README.md")
    assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by integration")
    assert refused.headers["x-accepted-github-permissions"] == "contents=read"


def test_a_missing_permission_is_named(forge: Forge) -> None:
    installation = next(iter(forge.box.world.installations.values()))
    installation.permissions = {"metadata": "read", "contents": "write"}
    forge.branch("x", "1.1.0")
    refused = forge.repo("bot", "POST", "/pulls", {"title": "t", "head": "x", "base": "main"})
    assert (refused.status_code, refused.headers["x-accepted-github-permissions"]) == (403, "pull_requests=write")


def test_suspended_removed_expired(forge: Forge) -> None:
    installation = next(iter(forge.box.world.installations.values()))
    installation.repositories = {"acme/other"}
    assert forge.repo("bot", "GET", "").status_code == 404
    installation.repositories = None
    installation.suspended_at = forge.box.world.now()
    assert forge.repo("bot", "GET", "").status_code == 403
    installation.suspended_at = None
    forge.box.world.tokens[forge.tokens["bot"]].expires_at = forge.box.world.now()
    answer = forge.repo("bot", "GET", "")
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


@pytest.mark.parametrize(
    ("who", "statuses"),
    [(None, [404, 404, 404]), ("out", [404, 404, 404]), ("rea", [200, 403, 403]), ("tri", [200, 200, 403]), ("ann", [200, 200, 200])],
)
def test_roles(forge: Forge, who: str | None, statuses: list[int]) -> None:
    """Reading needs read, labels need triage, merging needs write."""
    forge.open()
    asked = [
        forge.repo(who, "GET", "/pulls/1"),
        forge.repo(who, "POST", "/issues/1/labels", {"labels": ["x"]}),
        forge.repo(who, "PUT", "/pulls/1/merge", {}),
    ]
    assert [answer.status_code for answer in asked] == statuses


def test_permissions_of_a_person(forge: Forge) -> None:
    forge.box.add_team("acme", "sre", ["out"], repos={REPO: "maintain"})

    def said(login: str) -> tuple[str, str]:
        body = forge.repo("bot", "GET", f"/collaborators/{login}/permission").json()
        return body["permission"], body["role_name"]

    assert [said(login) for login in ("adm", "ann", "tri", "rea", "out")] == [
        ("admin", "admin"),
        ("write", "write"),
        ("read", "triage"),
        ("read", "read"),
        ("write", "maintain"),
    ]
    assert forge.repo("bot", "GET", "/collaborators/nobody/permission").status_code == 404
    forge.box.add_user("guest")
    assert said("guest") == ("none", "none")


def test_teams(forge: Forge) -> None:
    forge.box.add_team("acme", "sre", ["Ann", "ben"])
    assert forge.api("bot", "GET", "/orgs/acme/teams/sre/memberships/ann").json()["state"] == "active"
    assert forge.api("bot", "GET", "/orgs/acme/teams/sre/memberships/rea").status_code == 404
    assert forge.api("bot", "GET", "/orgs/acme/teams/none/memberships/ann").status_code == 404
    assert {user["login"] for user in forge.api("bot", "GET", "/orgs/acme/teams/sre/members").json()} == {"ann", "ben"}
    assert forge.api("bot", "GET", "/orgs/acme/teams/sre").json()["members_count"] == 2
    next(iter(forge.box.world.installations.values())).permissions.pop("members")
    refused = forge.api("bot", "GET", "/orgs/acme/teams/sre/memberships/ann")
    assert (refused.status_code, refused.headers["x-accepted-github-permissions"]) == (403, "members=read")


def test_who_am_i(forge: Forge) -> None:
    assert forge.api("ann", "GET", "/user").json()["login"] == "ann"
    assert forge.api("bot", "GET", "/user").status_code == 403
    assert forge.api(None, "GET", "/user").status_code == 401
    assert forge.api("ann", "GET", "/users/promotion-bot[bot]").json()["type"] == "Bot"
    assert forge.api("ann", "GET", "/users/nobody").status_code == 404
    assert forge.api("ann", "GET", "/apps/promotion-bot").json()["slug"] == "promotion-bot"


def test_check_runs_are_for_apps_and_their_own(forge: Forge) -> None:
    head = forge.open()["head"]["sha"]
    body = {"name": "promotion/dev", "head_sha": head, "status": "in_progress", "output": {"title": "waits", "summary": "s"}}
    refused = forge.repo("ann", "POST", "/check-runs", body)
    assert (refused.status_code, refused.json()["message"]) == (403, "You must authenticate via a GitHub App.")
    run = forge.repo("bot", "POST", "/check-runs", body).json()
    done = forge.repo("bot", "PATCH", f"/check-runs/{run['id']}", {"conclusion": "success"}).json()
    assert (done["status"], done["conclusion"], done["output"]["title"]) == ("completed", "success", "waits")
    other = forge.box.set_check(REPO, head, "ci", "failure")
    assert forge.repo("bot", "PATCH", f"/check-runs/{other.id}", {"conclusion": "success"}).status_code == 403
    listed = forge.repo("bot", "GET", f"/commits/{head}/check-runs").json()
    assert [item["name"] for item in listed["check_runs"]] == ["ci", "promotion/dev"]
    assert forge.repo("bot", "GET", f"/commits/{head}/check-runs?check_name=ci").json()["total_count"] == 1


def test_statuses(forge: Forge) -> None:
    head = forge.open()["head"]["sha"]
    assert forge.repo("bot", "GET", f"/commits/{head}/status").json()["state"] == "pending"
    for state in ("pending", "success"):
        assert forge.repo("ann", "POST", f"/statuses/{head}", {"state": state, "context": "ci"}).status_code == 201
    combined = forge.repo("bot", "GET", f"/commits/{head}/status").json()
    assert (combined["state"], combined["total_count"]) == ("success", 1)
    assert [item["state"] for item in forge.repo("bot", "GET", f"/commits/{head}/statuses").json()] == ["success", "pending"]
    assert forge.repo("ann", "POST", f"/statuses/{head}", {"state": "fine"}).status_code == 422
    assert forge.repo("ann", "POST", f"/statuses/{head}", {"state": "success", "description": "x" * 141}).status_code == 422
    assert forge.repo("ann", "POST", f"/statuses/{'0' * 40}", {"state": "success"}).status_code == 422


def test_deployments(forge: Forge) -> None:
    first, second = (
        forge.repo("bot", "POST", "/deployments", {"ref": "main", "environment": "dev", "required_contexts": []}).json()["id"] for _ in "ab"
    )
    for number in (first, second):
        assert forge.repo("bot", "POST", f"/deployments/{number}/statuses", {"state": "success"}).status_code == 201
    states = [item["state"] for item in forge.repo("bot", "GET", f"/deployments/{first}/statuses").json()]
    assert states == ["inactive", "success"]
    assert [item["id"] for item in forge.repo("bot", "GET", "/deployments?environment=dev").json()] == [second, first]
    assert forge.repo("bot", "POST", "/deployments", {"ref": "nowhere"}).status_code == 422
