"""What git and GitHub cost: requests and milliseconds per operation, on the sandbox. Run: python -m benchmarks.forge [FILES]

A repository of FILES manifests (default 8,000); then one promotion's whole life as an App, with a token, and signed.
Goals: 4 REST calls or fewer for a life (2 GraphQL requests and a merge when signed), none while waiting. Prints one line of JSON.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.rows import Row
from bot.adapters.git import GitRepositories
from bot.adapters.git_remote import Remote
from bot.adapters.github.auth import AppKey, PersonalToken
from bot.adapters.github.connecting import connect
from bot.adapters.github.forge import GitHubForge
from bot.adapters.github.signed import SignedCommit
from bot.domain.people import Person
from bot.domain.pull import PullRequest, PullState
from bot.ports import OpenedPull
from bot.sandbox.github import GitHubSandbox

REPO, MAIN = "acme/env", "main"
LABELS = ["promotion", "qa"]


def clock() -> datetime:
    return datetime.now(UTC)


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """The result, and milliseconds."""
    began = time.perf_counter()
    result = call()
    return result, round((time.perf_counter() - began) * 1000, 1)


def reading(bot: GitRepositories) -> dict[str, float]:
    """Cold clone to one commit pushed, step by step."""
    heads, clone = timed(lambda: bot.refresh(REPO))
    _, again = timed(lambda: bot.refresh(REPO))
    entries, tree = timed(lambda: bot.tree(REPO, heads[MAIN]))
    _, blobs = timed(lambda: bot.blobs(REPO, [entry.blob for entry in entries]))
    path = entries[0].path
    sha, commit = timed(lambda: bot.commit(REPO, parent=heads[MAIN], files={path: b"image: x:2\n"}, message="m", at=clock()))
    _, push = timed(lambda: bot.push(REPO, {"promote/qa/bench": (None, sha)}))
    _, changed = timed(lambda: bot.changed(REPO, heads[MAIN], sha))
    return {"clone": clone, "fetch": again, "tree": tree, "blobs": blobs, "commit": commit, "push": push, "changed": changed}


def pull_of(opened: OpenedPull, branch: str, head: str, base: str) -> PullRequest:
    """The pull request as the engine knows it right after opening."""
    now = clock()
    return PullRequest(
        repository=REPO, number=opened.number, node_id=opened.node_id, url=opened.url, title="t", body="b", branch=branch, head=head,
        base_branch=MAIN, base=base, state=PullState.OPEN, author=Person(id=0, login="bot"), created_at=now, updated_at=now, read_at=now,
        ours=True, labels=dict.fromkeys(LABELS),
    )  # fmt: skip


def life(hub: GitHubSandbox, bot: GitRepositories, forge: GitHubForge, name: str, *, signed: bool) -> dict[str, Any]:
    """Open, show, merge one promotion; what it cost on the wire."""
    branch, files = f"promote/qa/{name}", {f"qa/{name}.yaml": b"image: x:1\n"}
    base = bot.refresh(REPO)[MAIN]
    before = len(hub.ledger.entries)
    began = time.perf_counter()
    if signed:
        wanted = SignedCommit(repository=REPO, branch=branch, expected=base, files=files, message="m", create=True)
        head, opened = forge.open_signed(wanted, base_branch=MAIN, title=name, body="b")
    else:
        head = bot.commit(REPO, parent=base, files=files, message="m", at=clock())
        bot.push(REPO, {branch: (None, head)})
        opened = forge.open_pull(REPO, branch=branch, base_branch=MAIN, title=name, body="b")
        forge.add_labels(REPO, opened.number, LABELS)
    face = {"comment": "all gates pass", "check": "promotion/qa", "conclusion": "success", "title": "ready", "summary": "ready"}
    forge.show(REPO, pull_of(opened, branch, head, base), labels=LABELS, bound={}, **face)
    forge.merge(REPO, opened.number, head=head, method="squash", title=name)
    seconds = time.perf_counter() - began
    spent = hub.ledger.entries[before:]
    counts = {kind: sum(1 for entry in spent if entry.kind == kind) for kind in ("rest", "graphql", "git")}
    return counts | {"milliseconds": round(seconds * 1000)}


def measure(files: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        hub = GitHubSandbox(root / "hub")
        hub.start()
        try:
            hub.create_repo(REPO, {f"dev/s{number % 100}/{number}.yaml": f"image: x:{number}\n" for number in range(files)})
            app_id, key, installation = hub.create_app("promoter")
            robot = hub.add_user("robot")
            hub.add_collaborator(REPO, "robot", "admin")
            app = connect(AppKey(app_id=app_id, private_key=key, installation=installation), clock=clock, api_url=hub.api_url)
            token = connect(PersonalToken(robot), clock=clock, api_url=hub.api_url)
            remote = Remote(url=hub.clone_url, protocols=frozenset({"http"}), tokens=app.credentials, limit=timedelta(minutes=5))
            bot = GitRepositories(root / "clones", remote)
            result: dict[str, Any] = {"files": files, "git milliseconds": reading(bot)}
            for forge in (app, token):
                forge.identity()
                forge.pulls(REPO, base_branch=MAIN, prefix="promote/")
                life(hub, bot, forge, f"warm-{forge.identity().removesuffix('[bot]')}", signed=False)
            result["life as App"] = life(hub, bot, app, "app", signed=False)
            result["life with token"] = life(hub, bot, token, "token", signed=False)
            result["life signed"] = life(hub, bot, app, "signed", signed=True)
            _, pulls = timed(lambda: app.pulls(REPO, base_branch=MAIN, prefix="promote/"))
            return result | {"pulls milliseconds": pulls}
        finally:
            hub.stop()


def bench() -> list[Row]:
    """What a promotion's pull request costs on the wire."""
    found = measure(2_000)
    rows = [
        Row(what=f"{name}: REST calls", measured=found[name]["rest"], unit="calls", goal=4) for name in ("life as App", "life with token")
    ]
    signed = found["life signed"]
    return [
        *rows,
        Row(what="life signed: GraphQL requests (open, face)", measured=signed["graphql"], unit="calls"),
        Row(what="clone of 2,000 files", measured=found["git milliseconds"]["clone"], unit="ms"),
        Row(what="fetch with nothing new", measured=found["git milliseconds"]["fetch"], unit="ms"),
    ]


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 8_000)))
