"""The world of the crash matrix: two stages on a sandbox forge, with a cluster each and a chat, and the bot as a process of its own.

Decides what stands there and how the bot is started and killed; what happens in it is told by `scenarios`.
"""

import contextlib
import fcntl
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from bot.reconcile import crash
from bot.sandbox.cluster import ClusterSandbox, Source
from bot.sandbox.github import GitHubSandbox
from bot.sandbox.github.state import Pull
from bot.sandbox.slack import SlackSandbox

ROOT = Path(__file__).parents[2]
STAGES = ("dev", "qa")
CHANNEL, TEAM, DEVELOPER, APPROVER, STRANGER = "deployments", "release-managers", "ana", "bo", "eve"
HOOK_SECRET = "the-webhook-secret-of-these-tests"
SERVE = "from bot.cli.main import main; main()"
IMAGE = "ghcr.io/acme/payments"
PATH = "payments/deployment.yaml"

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: payments, namespace: default}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: payments}}}}
  template:
    metadata: {{labels: {{app: payments}}}}
    spec:
      containers:
      - name: web
        image: ghcr.io/acme/payments:{version}   # kept as it is
"""


_HELD: list[TextIO] = []
"""Ports that this process has given away, each by a lock that ends with the process."""


def free_port() -> int:
    """A port that nobody listens on and nobody else was given, below those that the system gives to clients: it is still free when the
    bot starts, and when it starts again."""
    places = Path(tempfile.gettempdir()) / "promotion-bot-ports"
    places.mkdir(exist_ok=True)
    for port in random.sample(range(20_000, 32_000), 200):
        held = (places / str(port)).open("w")
        with contextlib.suppress(BlockingIOError), socket.socket() as found:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if found.connect_ex(("127.0.0.1", port)) != 0:
                _HELD.append(held)
                return port
        held.close()
    raise RuntimeError("no port is free")


@dataclass(slots=True)
class BotProcess:
    """`promotion-bot serve` over this world. `deaths` counts how often it was killed."""

    config: Path
    environment: Mapping[str, str]
    log: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    told_to_leave: bool = False

    def start(self, **more: str) -> None:
        """Start it with these variables on top; it may die at once."""
        command = [sys.executable, "-c", SERVE, "serve", "--config", str(self.config)]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, env={**self.environment, **more}, stdout=output, stderr=output)

    @property
    def ended(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return None if self.process is None else self.process.poll()

    def terminate(self, seconds: float = 60) -> int:
        """SIGTERM, and the exit status it left with. It is started again when the story goes on."""
        assert self.process is not None
        self.told_to_leave = True
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def pause(self, *, on: bool = True) -> None:
        """Stop it where it stands, or let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    def answers(self) -> bool:
        """True once it takes requests."""
        with socket.socket() as found:
            found.settimeout(0.2)
            return found.connect_ex(("127.0.0.1", self.port)) == 0

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)

    def close(self) -> None:
        self._end(signal.SIGKILL)


@dataclass(slots=True)
class World:
    """The running sandbox with its files in `root`. `stages` holds what the configuration says of a stage beyond the usual."""

    root: Path
    database_url: str
    stages: Mapping[str, Mapping[str, Any]]
    github: GitHubSandbox = field(init=False)
    slack: SlackSandbox = field(init=False)
    clusters: dict[str, ClusterSandbox] = field(init=False)
    bot: BotProcess = field(init=False)
    done: set[str] = field(default_factory=set)
    """What people did already."""

    def __post_init__(self) -> None:
        self.github = GitHubSandbox(self.root / "github", webhook_secret=HOOK_SECRET)
        self.slack = SlackSandbox()
        self.github.start()
        self.slack.start()
        self.slack.add_channel(CHANNEL)
        self.clusters = {}
        for login in (DEVELOPER, APPROVER, STRANGER):
            self.github.add_user(login)
        for stage in STAGES:
            version = "1.1.0" if stage == "dev" else "1.0.0"
            self.github.create_repo(self.repository(stage), {PATH: MANIFEST.format(version=version)}, auto_delete_head=True)
            for login in (DEVELOPER, APPROVER):
                self.github.add_collaborator(self.repository(stage), login, "maintain")
            self.github.add_collaborator(self.repository(stage), STRANGER, "read")
            self._cluster(stage)
        self.github.add_team("acme", TEAM, [APPROVER])
        self._bot(*self.github.create_app("promotion-bot", owner="acme"))

    def _cluster(self, stage: str) -> None:
        source = Source(url=str(self.root / "github" / f"{self.repository(stage)}.git"))
        cluster = ClusterSandbox(stage, source=source, rollout_seconds=0.3, progress_deadline=1.0, poll_seconds=0.3)
        cluster.start()
        cluster.kubeconfig(self.root / f"{stage}.kubeconfig")
        self.clusters[stage] = cluster

    def _bot(self, app_id: int, key: str, installation: int) -> None:
        config = self.root / "promotion-bot.json"
        document = {
            "version": 1,
            "forge": {
                "url": self.github.url,
                "api_url": self.github.api_url,
                "app": {"app_id": app_id, "installation_id": installation},
                "writes_per_minute": 100_000,
                "writes_per_hour": 100_000,
                "pushes_per_minute": 100_000,
            },
            "pipeline": {"stages": {stage: self._stage(stage) for stage in STAGES}},
            "notifications": {"slack": {"channel": CHANNEL, "api_url": self.slack.api_url}},
            "timing": {"resync": "3s"},
        }
        config.write_text(json.dumps(document))
        port = free_port()
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.root),
            "PROMOTION_BOT_GITHUB_APP_PRIVATE_KEY": key,
            "PROMOTION_BOT_GITHUB_WEBHOOK_SECRETS": HOOK_SECRET,
            "PROMOTION_BOT_SLACK_BOT_TOKEN": self.slack.bot_token,
            "PROMOTION_BOT_DATABASE_URL": self.database_url,
            "PROMOTION_BOT_STATE_DIR": str(self.root / "state"),
            "PROMOTION_BOT_LISTEN_PORT": str(port),
            "PROMOTION_BOT_LOG_LEVEL": "debug",
        }
        self.bot = BotProcess(config=config, environment=environment, log=self.root / "bot.log", port=port)
        self.github.set_webhook(f"http://127.0.0.1:{port}/webhooks/github", HOOK_SECRET)

    def _stage(self, stage: str) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "repository": self.repository(stage),
            "cluster": {"kubeconfig": str(self.root / f"{stage}.kubeconfig")},
            "rollout": {"timeout": "30s", "bake": "1s", "grace": "0s"},
        }
        if stage != STAGES[0]:
            settings |= {"after": ["dev"], "gates": [{"gate": "soak", "for": "1s"}, {"gate": "health"}]}
        return {**settings, **self.stages.get(stage, {})}

    @staticmethod
    def repository(stage: str) -> str:
        return f"acme/env-{stage}"

    def once(self, name: str, act: Callable[[], object]) -> None:
        """People do each thing once, whatever becomes of the bot."""
        if name not in self.done:
            act()
            self.done.add(name)

    def push(self, stage: str, version: str) -> None:
        """The developer's own commit to a stage."""
        content = MANIFEST.format(version=version)
        self.github.push(self.repository(stage), "main", {PATH: content}, message=f"payments {version} by hand", author=DEVELOPER)

    def declares(self, stage: str, ref: str = "main") -> str:
        """The version in a stage's repository, read without the bot; empty where the file is another one."""
        content = (self.github.read_file(self.repository(stage), ref, PATH) or b"").decode()
        before, _, rest = content.partition(f"{IMAGE}:")
        version = rest.split(" ")[0]
        return version if content == MANIFEST.format(version=version) and before else ""

    def runs(self, stage: str, version: str) -> bool:
        """True when the cluster runs exactly this version, healthily, from the branch's present head."""
        cluster = self.clusters[stage]
        taken = cluster.agent is not None and cluster.agent.commit == self.github.head(self.repository(stage))
        found = cluster.running(IMAGE)
        healthy = all(one.health == "Healthy" and set(one.versions(IMAGE)) == {version} for one in found)
        return taken and bool(found) and healthy

    def pulls(self, state: str | None = None) -> list[Pull]:
        """The pull requests into qa."""
        return [pull for pull in self.github.pulls(self.repository("qa")) if state in (None, pull.state)]

    def close(self) -> None:
        self.bot.close()
        for cluster in self.clusters.values():
            cluster.stop()
        self.slack.stop()
        self.github.stop()
        shutil.rmtree(self.root, ignore_errors=True)


def new_world(stages: Mapping[str, Mapping[str, Any]], database_url: str | None = None) -> World:
    """A world in a directory of its own; without a URL the bot's database is a SQLite file in it."""
    root = Path(tempfile.mkdtemp(prefix="faults-"))
    return World(root, database_url or f"sqlite:///{root}/bot.db", stages)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """True when it came about in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


CRASH_AT, CRASH_TRACE = crash.VARIABLE, crash.TRACE
