"""One promotion's life as a whole bot lives it: `serve` in a process of its own, the sandbox's GitHub and clusters in another.

Run: python -m benchmarks travel. A developer pushes a version to dev; dev rolls it out; the pull request opens in qa, waits there for
an approval, is approved, merged and rolled out; then the same with commits that GitHub signs, and no approval. What the forge was
asked is read from the sandbox's own ledger. No soak. Goals: 2 s from the moment that dev runs the version to the open pull request;
4 REST calls for the whole life, or 2 GraphQL requests that write; none while it waits.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import yaml

from benchmarks.rows import Row
from bot.cli.demo import world
from bot.cli.sandbox import addresses

BOT = [sys.executable, "-c", "from bot.cli.main import main; main()"]
LIMIT, WAITS, STEP = 180.0, 10.0, 0.01
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
    """All rows: commits pushed by git, then commits that GitHub makes and signs."""
    return [*life(signed=False), *life(signed=True)]


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
        ]
    return [
        Row(what="push in dev to the open pull request in qa, in all", measured=round(opened - pushed, 2), unit="s"),
        Row(what="  from the moment that dev runs the version", measured=round(max(opened - rolled, 0), 2), unit="s", goal=2),
        Row(what="REST calls for a promotion's whole life", measured=len(rest) - rights, unit="calls", goal=4),
        Row(what="  and for the rights of who approved: permission, team", measured=rights, unit="calls"),
        Row(what="  GraphQL requests", measured=len(ledger.graphql), unit="calls"),
        Row(what=f"  API calls while it waited for {WAITS:g} s", measured=waiting, unit="calls", goal=0),
    ]


@contextmanager
def running(root: Path, *, signed: bool = False) -> Iterator[world.World]:
    """A sandbox of two stages, and a bot that serves it."""
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
