"""One promotion's life as a whole bot lives it: `serve` in a process of its own, the sandbox's GitHub and clusters in another.

Run: python -m benchmarks travel. A developer pushes a version to dev; dev rolls it out; the pull request opens in qa, waits there for
an approval, is approved, merged and rolled out; then the same with commits that GitHub signs, and no approval. What the forge was
asked is read from the sandbox's own ledger. No soak. Goals: 2 s from the moment that dev runs the version to the open pull request;
4 REST calls for the whole life, or 2 GraphQL requests that write; none while it waits; 6 edits of comment and check together from the
open pull request to the healthy rollout, also in a busy life: two checks, two approvals and a soak time that come one after the other.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from benchmarks.rows import Row
from bot.cli.demo import world
from bot.cli.sandbox import addresses
from bot.sandbox.github.state import Pull

BOT = [sys.executable, "-c", "from bot.cli.main import main; main()"]
LIMIT, WAITS, STEP = 180.0, 10.0, 0.01
APART = 17.0
"""Seconds between two things that happen to a busy promotion: more than the pause that the bot makes between two edits."""
CHECKS, PEOPLE = ("build", "end-to-end"), ("bo", "cem")
BUSY: tuple[dict[str, Any], ...] = (
    {"gate": "soak", "for": "10s"},
    {"gate": "health"},
    {"gate": "checks", "required": list(CHECKS)},
    {"gate": "approval", "count": 2, "teams": [f"{world.OWNER}/{world.TEAM}"]},
)
ARTIFACT, FILE, OLD, NEW = "ghcr.io/acme/web", "web.yaml", "1.0.0", "1.1.0"
MANIFEST = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers: [{{name: web, image: {ARTIFACT}:{OLD}}}]
"""


def bench() -> list[Row]:
    """All rows: commits pushed by git, commits that GitHub makes and signs, then a life in which much happens."""
    return [*life(signed=False), *life(signed=True), *busy_life()]


def life(*, signed: bool) -> list[Row]:
    """One promotion's life."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), signed=signed) as place:
        hub, ledger = place.github, place.github.ledger
        dev, qa = place.repository("dev"), place.repository("qa")
        until("the first look", lambda: len(ledger.git) > 4)
        time.sleep(3)
        ledger.reset()
        hub.push(dev, "main", {FILE: MANIFEST.replace(OLD, NEW)}, message="web", author=world.DEVELOPER)
        pushed = time.monotonic()
        until("dev runs it", lambda: runs(place, "dev"))
        rolled = time.monotonic()
        until("the pull request", lambda: hub.pulls(qa))
        opened = time.monotonic()
        time.sleep(3)
        settled = len(ledger.rest) + len(ledger.graphql)
        time.sleep(WAITS)
        waiting = len(ledger.rest) + len(ledger.graphql) - settled
        if not signed:
            hub.approve(qa, hub.pulls(qa)[0].number, world.APPROVER)
        until("qa runs it", lambda: runs(place, "qa"))
        until("the healthy face", lambda: shows(hub.pulls(qa)[0], "healthy"))
        time.sleep(3)
        rest = [f"{entry.method} {entry.operation}" for entry in ledger.rest if "access_tokens" not in entry.operation]
        rights = sum(asks_rights(call) for call in rest)
        graphql = [entry.operation for entry in ledger.graphql]
        print("REST calls:", *rest, "GraphQL:", *graphql, sep="\n  ", file=sys.stderr)
    if signed:
        writes = sum(not is_reading(one) for one in graphql)
        return [
            Row(
                what="signed, no approval needed: GraphQL requests that write",
                measured=writes,
                unit="calls",
                goal=2,
            ),
            Row(what="  GraphQL requests that read", measured=len(graphql) - writes, unit="calls"),
            Row(what="  REST calls", measured=len(rest), unit="calls"),
            *written("  ", rest, graphql),
        ]
    return [
        Row(what="push in dev to the open pull request in qa, in all", measured=round(opened - pushed, 2), unit="s"),
        Row(what="  from the moment that dev runs the version", measured=round(max(opened - rolled, 0), 2), unit="s", goal=2),
        Row(what="REST calls for a promotion's whole life", measured=len(rest) - rights, unit="calls", goal=4),
        Row(what="  and for the rights of who approved: permission, team", measured=rights, unit="calls"),
        Row(what="  GraphQL requests", measured=len(ledger.graphql), unit="calls"),
        Row(what=f"  API calls while it waited for {WAITS:g} s", measured=waiting, unit="calls", goal=0),
        *written("", rest, graphql),
    ]


def busy_life() -> list[Row]:
    """What is written while a promotion meets a soak time, two checks and two approvals, none at the same time as another."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), gates=BUSY) as place:
        hub, ledger = place.github, place.github.ledger
        qa = place.repository("qa")
        for login in PEOPLE:
            hub.add_user(login)
            hub.add_collaborator(qa, login, "maintain")
        hub.add_team(world.OWNER, world.TEAM, PEOPLE)
        until("the first look", lambda: len(ledger.git) > 4)
        time.sleep(3)
        ledger.reset()
        hub.push(place.repository("dev"), "main", {FILE: MANIFEST.replace(OLD, NEW)}, message="web", author=world.DEVELOPER)
        until("the face of the pull request", lambda: hub.pulls(qa) and hub.pulls(qa)[0].comments)
        pull = hub.pulls(qa)[0]
        for name in CHECKS:
            time.sleep(APART)
            hub.set_check(qa, pull.head_sha, name, "success")
        for login in PEOPLE:
            time.sleep(APART)
            hub.approve(qa, pull.number, login)
        until("the healthy face", lambda: shows(pull, "healthy"))
        time.sleep(3)
        rest = [f"{entry.method} {entry.operation}" for entry in ledger.rest]
        graphql = [entry.operation for entry in ledger.graphql]
        print("busy, GraphQL:", *graphql, sep="\n  ", file=sys.stderr)
    return written(f"soak, {len(CHECKS)} checks and {len(PEOPLE)} approvals {APART:g} s apart: ", rest, graphql)


def written(where: str, rest: list[str], graphql: list[str]) -> list[Row]:
    """How often comment, check and labels were written. An edit changes a comment or a check that stands there already."""
    fields = Counter(field for operation in graphql for field in operation.split(","))
    labels = sum("/labels" in call and not call.startswith("GET") for call in rest)
    return [
        Row(what=f"{where}comment writes", measured=fields["addComment"] + fields["updateIssueComment"], unit="writes"),
        Row(what=f"{where}check writes", measured=fields["createCheckRun"] + fields["updateCheckRun"], unit="writes"),
        Row(
            what=f"{where}label writes",
            measured=labels + fields["addLabelsToLabelable"] + fields["removeLabelsFromLabelable"],
            unit="writes",
        ),
        Row(
            what=f"{where}edits of comment and check",
            measured=fields["updateIssueComment"] + fields["updateCheckRun"],
            unit="edits",
            goal=6,
        ),
    ]


@contextmanager
def running(root: Path, *, signed: bool = False, gates: Sequence[dict[str, Any]] = ()) -> Iterator[world.World]:
    """A sandbox of two stages, and a bot that serves it; `gates` in place of the sandbox's own."""
    for stage in ("dev", "qa"):
        (root / "seed" / stage).mkdir(parents=True)
        (root / "seed" / stage / FILE).write_text(MANIFEST)
    with ExitStack() as stack:
        place = world.build(root / "seed", rollout_seconds=1.0, progress_deadline=30.0)
        stack.callback(place.stop)
        told = addresses(place, root / "seed")
        config = yaml.safe_load(Path(told["bot"]["config"]).read_text())
        qa = config["pipeline"]["stages"]["qa"]
        qa["gates"] = [gate for gate in qa["gates"] if gate["gate"] != "soak"]
        if signed:
            qa["commits"] = "signed"
            qa["gates"] = [gate for gate in qa["gates"] if gate["gate"] != "approval"]
        qa["gates"] = list(gates) or qa["gates"]
        config["timing"] = {"resync": "10m"}
        path = root / "bot.yaml"
        path.write_text(yaml.safe_dump(config))
        port = free_port()
        lines = Path(told["bot"]["environment"]).read_text().splitlines()
        given = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        environment = {**os.environ, **given, "PROMOTION_BOT_LISTEN_PORT": str(port), "PROMOTION_BOT_LOG_LEVEL": "error"}
        process = subprocess.Popen([*BOT, "serve", "--config", str(path)], env=environment)
        stack.callback(lambda: (process.terminate(), process.wait(60)))
        place.github.set_webhook(f"http://127.0.0.1:{port}/webhooks/github", world.WEBHOOK_SECRET)
        until("the bot is ready", lambda: ready(port))
        yield place


def runs(place: world.World, stage: str) -> bool:
    """Every workload of the stage runs the new version and is healthy."""
    found = place.clusters[stage].running(ARTIFACT)
    return bool(found) and all(one.health == "Healthy" and set(one.versions(ARTIFACT)) == {NEW} for one in found)


def shows(pull: Pull, words: str) -> bool:
    """Does the headline of the status comment say so?"""
    return any(words in comment.body.partition("\n")[0] for comment in pull.comments)


def asks_rights(call: str) -> bool:
    """Was it asked what a person may do?"""
    return "/permission" in call or "/teams/" in call


def is_reading(operation: str) -> bool:
    """Is it a query and not a mutation?"""
    return not any(word in operation for word in ("create", "update", "add", "remove", "merge", "minimize", "enable"))


def until(what: str, happened: Callable[[], object]) -> None:
    """Wait for it; SystemExit when it does not come."""
    deadline = time.monotonic() + LIMIT
    while not happened():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not within {LIMIT:g} seconds")
        time.sleep(STEP)


def ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


if __name__ == "__main__":
    print(*bench(), sep="\n")
