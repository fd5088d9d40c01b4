"""No request makes the server fall over: every route with fields of the wrong type, and odd values in the path."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.github import GitHubSandbox
from bot.sandbox.github.rest.call import Request, Route, answer
from bot.sandbox.github.rest.table import all_routes
from tests.contract.sandbox_github.conftest import REPO, SEED, installation_token

WRONG: list[Any] = [None, 7, -1, True, "", "x", "2026-99-99", [], [None], [{}], {}, {"a": 1}, "\ud800", "\0"]
SAMPLE = 12
FIELDS = (
    *(
        "title",
        "head",
        "base",
        "body",
        "state",
        "draft",
        "labels",
        "name",
        "color",
        "description",
        "sha",
        "ref",
        "force",
        "content",
        "encoding",
    ),
    *(
        "message",
        "branch",
        "tree",
        "base_tree",
        "parents",
        "author",
        "committer",
        "merge_method",
        "commit_title",
        "expected_head_sha",
        "event",
    ),
    *("commit_id", "context", "target_url", "head_sha", "status", "conclusion", "output", "started_at", "completed_at", "external_id"),
    *(
        "environment",
        "payload",
        "required_contexts",
        "log_url",
        "config",
        "events",
        "active",
        "permissions",
        "repositories",
        "repository_ids",
    ),
)
GOOD: dict[str, Any] = {
    "title": "t",
    "head": "x",
    "base": "main",
    "name": "n",
    "ref": "main",
    "message": "m",
    "content": "eA==",
    "state": "success",
    "event": "COMMENT",
    "body": "b",
    "config": {"url": "http://127.0.0.1:9/h"},
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> GitHubSandbox:
    """A forge that is not served: routes are called directly."""
    made = GitHubSandbox(Path(tmp_path_factory.mktemp("robust")) / "forge")
    made.create_repo(REPO, SEED)
    made.add_user("adm")
    made.add_collaborator(REPO, "adm", "admin")
    made.create_app("promotion-bot")
    made.push(REPO, "x", {"a": "b"}, message="m", author="adm")
    made.open_pr(REPO, title="t", head="x", base="main", author="adm")
    made.comment(REPO, 1, "adm", "hello")
    made.limits.core = 10**9
    return made


def routes(box: GitHubSandbox) -> list[Route]:
    return all_routes(box.deliveries, box._dispatcher)


def ask(box: GitHubSandbox, route: Route, token: str, body: bytes, **parameters: str) -> int:
    """The status of one call; any exception but a refusal leaves here."""
    given = {"owner": "acme", "repo": "dev"} | parameters
    request = Request(
        method=route.method,
        path=route.template,
        parameters=given,
        query={},
        headers={"authorization": f"Bearer {token}"},
        body=body,
    )
    reply = answer(box.world, box.limits, route, request)
    reply.written()
    return reply.status


def parameters(box: GitHubSandbox, route: Route, odd: str | None = None) -> dict[str, str]:
    """Values for the parameters of a route: those of things that exist, or the same odd one for all."""
    head = str(box.head(REPO, "x"))
    comment = box.repository(REPO).issues[1].comments
    known = {
        "pull_number": "1",
        "issue_number": "1",
        "comment_id": str(comment[0].id if comment else 0),
        "ref": "heads/x" if "/git/" in route.template else "x",
        "sha": head,
        "branch": "main",
        "path": "README.md",
        "basehead": "main...x",
        "username": "adm",
        "name": "n",
        "repository_id": str(box.repository(REPO).id),
        "tree_sha": head,
        "commit_sha": head,
        "file_sha": head,
    }
    names = [part.split(":")[0] for part in route.template.replace("}", "{").split("{")[1::2]]
    return {name: odd if odd is not None else known.get(name, "1") for name in names if name not in ("owner", "repo")}


def bodies(route: Route) -> list[bytes]:
    """Malformed ones, and per route its own choice of the fields with wrong values."""
    found = [b"", b"{}", b"[]", b"[1]", b"null", b'"x"', b"{", b"\xff\xfe"]
    pairs = [(field, value) for field in FIELDS for value in WRONG]
    chosen = random.Random(route.template).sample(pairs, min(SAMPLE, len(pairs)))
    return found + [json.dumps(GOOD | {field: value}).encode() for field, value in chosen]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_wrong_types_are_refused(box: GitHubSandbox, method: str) -> None:
    token, app = box.create_token("adm"), installation_token(box, "promotion-bot")
    for route in routes(box):
        if route.method != method or route.template.startswith("/app"):
            continue
        for body in bodies(route):
            for who in (token, app) if "check" in route.template else (token,):
                status = ask(box, route, who, body, **parameters(box, route))
                assert status < 500, (route.template, body)


@pytest.mark.parametrize(
    "odd", ["", "0", "99999999999999999999", "-1", "--upload-pack=x", "../../etc/passwd", "a..b", "HEAD", "\0", "ü", "x" * 5000]
)
def test_odd_values_in_the_path(box: GitHubSandbox, odd: str) -> None:
    token = box.create_token("adm")
    for route in routes(box):
        if route.template.startswith("/app/"):
            continue
        for body in (b"", b'{"title": "t", "head": "x", "base": "main", "sha": "x", "body": "b", "message": "m", "content": "eA=="}'):
            assert ask(box, route, token, body, **parameters(box, route, odd)) < 500, route.template
