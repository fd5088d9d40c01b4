"""A cold start with 1,000 services in four repositories: from the command to the finished plan of all stages; then the same with clusters.

Run: python -m benchmarks start. `plan` is measured as a person would run it: an empty state directory, every repository cloned
from the sandbox's GitHub over HTTP, 100 services newer in dev; then with four clusters, each listed (1,000 Deployments, 1,000 ReplicaSets
and 2,000 Pods). Then `serve` on such worlds with nothing to promote: its memory and processor use at rest. The servers run in another
process, on the same processors; processor seconds are the bot's own. Goals: 10 s and 200 MB.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.large import Cluster, tree
from benchmarks.rows import Row
from bot.sandbox.github import GitHubSandbox
from tests.support.wire import Wire

STAGES = ("dev", "qa", "uat", "prod")
NEWER = 100
BOT = [sys.executable, "-c", "from bot.cli.main import main; main()"]
LIMIT = timedelta(minutes=5).total_seconds()
SETTLES, IDLE = 75.0, 60.0


def bench() -> list[Row]:
    """All rows."""
    rows = []
    for what, clusters in (("1,000 services in 4 repositories", False), ("the same and 4 clusters", True)):
        with ExitStack() as stack:
            root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            hub, environment = stack.enter_context(world(root, clusters=clusters))
            planned = plan(root, environment, clusters=clusters)
            calls = len(hub.ledger.rest) + len(hub.ledger.graphql)
        with ExitStack() as stack:
            root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            _, environment = stack.enter_context(world(root, newer=0, clusters=clusters))
            resident, idle = serve(root, environment)
        rows += [
            Row(what=f"{what}: command to finished plan", measured=planned["seconds"], unit="s", goal=10),
            Row(what="  of which the bot's own processor time", measured=planned["cpu"], unit="s"),
            Row(what="  peak memory of the bot", measured=planned["peak"], unit="MB", goal=200),
            Row(what="  API calls to the forge", measured=calls, unit="calls", goal=0),
            Row(what="  serve on the same world: resident memory at rest", measured=resident, unit="MB", goal=200),
            Row(what="  processor while nothing happens", measured=idle, unit="%", goal=1),
        ]
    return rows


@contextmanager
def world(root: Path, *, newer: int = NEWER, clusters: bool = True) -> Iterator[tuple[GitHubSandbox, dict[str, str]]]:
    """The forge, and the clusters where asked for; the environment of the bot that shall look at them."""
    with ExitStack() as stack:
        hub = GitHubSandbox(root / "hub")
        hub.start()
        stack.callback(hub.stop)
        stages: dict[str, Any] = {}
        for place, stage in enumerate(STAGES):
            ahead = 0 if place else newer
            hub.create_repo(f"acme/env-{stage}", tree("1.0.0", newer=ahead, new_version="1.1.0"))
            stages[stage] = {"repository": f"acme/env-{stage}"}
            if clusters:
                wire = stack.enter_context(Wire(Cluster("1.0.0", newer=ahead, new_version="1.1.0").script))
                kubeconfig = wire.kubeconfig(root / f"{stage}.kubeconfig")
                os.chmod(kubeconfig, 0o600)
                stages[stage]["cluster"] = {"kubeconfig": kubeconfig}
            if place:
                stages[stage] |= {"after": STAGES[place - 1], "gates": [{"gate": "approval", "count": 1}]}
        token = hub.add_user("robot")
        for stage in STAGES:
            hub.add_collaborator(f"acme/env-{stage}", "robot", "admin")
        forge = {"url": hub.url, "api_url": hub.api_url}
        (root / "bot.yaml").write_text(json.dumps({"version": 1, "forge": forge, "pipeline": {"stages": stages}}))
        secret = root / "token"
        secret.touch(mode=0o600)
        secret.write_text(token)
        yield hub, {**os.environ, "PROMOTION_BOT_GITHUB_TOKEN_FILE": str(secret)}


def plan(root: Path, environment: dict[str, str], *, clusters: bool) -> dict[str, float]:
    """One `promotion-bot plan`: wall clock, processor seconds, peak memory."""
    report = root / "used.json"
    command = [*BOT, "plan", "--config", str(root / "bot.yaml"), "--wait", "120", "--output", "json"]
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks._apart", str(report), *command],
        check=False,
        cwd=Path(__file__).parents[1],
        env=environment | {"PROMOTION_BOT_STATE_DIR": str(root / "state")},
        stdout=subprocess.PIPE,
        text=True,
    )
    answer = json.loads(ran.stdout)
    wanted = "ready" if clusters else "waiting"
    found = [one for stage in answer["stages"] for one in stage["services"] if one["standing"] == wanted]
    if ran.returncode or len(found) != NEWER or len(answer["stages"]) != len(STAGES):
        raise SystemExit(f"the plan is not the one that this world asks for: status {ran.returncode}, {len(found)} {wanted}")
    used: dict[str, float] = json.loads(report.read_text())
    return used


def serve(root: Path, environment: dict[str, str]) -> tuple[float, float]:
    """A `serve` that has looked at every stage and has nothing left to do: resident memory (MB), processor use (% of one)."""
    own = {"PROMOTION_BOT_STATE_DIR": str(root / "served"), "PROMOTION_BOT_LISTEN_PORT": "18417", "PROMOTION_BOT_LOG_LEVEL": "error"}
    command = [*BOT, "serve", "--config", str(root / "bot.yaml"), "--insecure-no-webhook-secret"]
    process = subprocess.Popen(command, env=environment | own)
    try:
        deadline = time.monotonic() + LIMIT
        while not _looked(18417):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("serve ended, or did not look at every stage")
            time.sleep(1)
        time.sleep(SETTLES)
        known = psutil.Process(process.pid)
        before = known.cpu_times()
        time.sleep(IDLE)
        after = known.cpu_times()
        used = after.user + after.system - before.user - before.system
        return round(known.memory_info().rss / 1e6), round(100 * used / IDLE, 2)
    finally:
        process.terminate()
        process.wait(60)


def _looked(port: int) -> bool:
    """Every stage was run once."""
    try:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    except httpx.HTTPError:
        return False
    return len(set(re.findall(r'stage_last_run\w*\{stage="([^"]+)"\}', text))) == len(STAGES)


if __name__ == "__main__":
    print(*bench(), sep="\n")
