"""A running sandbox whose every REST answer and every webhook is held against GitHub's own description."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.sandbox.github import Delivery, GitHubSandbox
from bot.sandbox.github.git import environment
from tests.support.github_schema import AnswerCheck, hook_errors
from tests.support.hook_sink import HookSink

REPO = "acme/dev"
SEED = {"apps/web/values.yaml": "image:\n  tag: 1.0.0 # web\nreplicas: 2\n", "README.md": "dev\n"}


@dataclass(frozen=True, slots=True)
class Forge:
    """The sandbox, the place where its webhooks arrive, and a client per person."""

    box: GitHubSandbox
    sink: HookSink
    tokens: dict[str, str]
    client: httpx.Client

    def api(self, who: str | None, method: str, path: str, json: Any = None, **more: Any) -> httpx.Response:
        """One REST call; `who` is a login of `tokens` (None: nobody), `path` begins after `/api/v3`."""
        headers = {"authorization": f"Bearer {self.tokens[who]}"} if who else {}
        headers |= more.pop("headers", {})
        return self.client.request(method, self.box.api_url + path, json=json, headers=headers, **more)

    def repo(self, who: str | None, method: str, path: str, json: Any = None, **more: Any) -> httpx.Response:
        """The same below `/repos/acme/dev`."""
        return self.api(who, method, f"/repos/{REPO}{path}", json, **more)

    def graphql(self, who: str, query: str, **variables: Any) -> Any:
        """The JSON answer of a GraphQL request."""
        headers = {"authorization": f"Bearer {self.tokens[who]}"}
        body = {"query": query, "variables": variables}
        return self.client.post(self.box.graphql_url, json=body, headers=headers).json()

    def branch(self, name: str, tag: str, *, author: str = "ann", **more: Any) -> str:
        """A branch of one commit that sets the tag of the web service."""
        files = {"apps/web/values.yaml": f"image:\n  tag: {tag} # web\nreplicas: 2\n"}
        return self.box.push(REPO, name, files, message=f"web {tag}", author=author, **more)

    def open(self, name: str = "promote/dev/web", tag: str = "1.1.0", *, who: str = "bot") -> Any:
        """A pull request from a fresh branch; its JSON."""
        self.branch(name, tag)
        answer = self.repo(who, "POST", "/pulls", {"title": f"web {tag}", "head": name, "base": "main", "body": "why"})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def arrived(self) -> list[Delivery]:
        """Every delivery so far, after all were answered."""
        assert self.box.deliveries.wait_idle()
        return list(self.box.deliveries.log)


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    """acme/dev with ann (write), rea (read), tri (triage), adm (admin), out (nothing) and an App's installation token as `bot`."""
    sink = HookSink(secret="it is a secret")
    box = GitHubSandbox(tmp_path / "forge", webhook_url=sink.url, webhook_secret="it is a secret")
    check = AnswerCheck(box.application)
    box.create_repo(REPO, SEED)
    tokens = {login: box.add_user(login) for login in ("ann", "ben", "rea", "tri", "adm", "out")}
    for login, role in (("ann", "write"), ("ben", "write"), ("rea", "read"), ("tri", "triage"), ("adm", "admin")):
        box.add_collaborator(REPO, login, role)
    box.create_app("promotion-bot")
    tokens["bot"] = installation_token(box, "promotion-bot")
    sink.start()
    box.start()
    with httpx.Client(trust_env=False, timeout=20, verify=False) as client:
        yield Forge(box, sink, tokens, client)
    box.stop()
    sink.stop()
    assert check.findings == []
    assert [error for delivery in box.deliveries.log for error in hook_errors(delivery)] == []


def installation_token(box: GitHubSandbox, slug: str) -> str:
    """A token as the API would mint it, without the JWT."""
    installation = next(item for item in box.world.installations.values() if item.app.slug == slug)
    token = box.world.new_token(installation.app.bot, "ghs")
    token.installation = installation
    return token.value


def git(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The finished git process of a client."""
    people = {"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.com"}
    people |= {"GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "ann@example.com"}
    command = ["git", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment(people), capture_output=True, text=True, timeout=30, check=False)
