"""The world of the model test: three stages, two services, the bot's real parts in this process, and time that moves when it is told to.

Only the durable queue is left out: which stages are wanted is written down instead, so that a test decides when, in which order and by
which of two replicas they are looked at. The process's death is an exception that nothing catches.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from pydantic import SecretStr

from bot.adapters.store.wakeups import Wakeups
from bot.app import Bot, build
from bot.cli.demo.settings import SandboxSettings
from bot.config.load import load
from bot.domain.errors import BotError
from bot.reconcile.crash import CrashPoints
from bot.sandbox.cluster import ClusterSandbox, Source
from bot.sandbox.github import GitHubSandbox
from bot.web.composition import web_app
from bot.web.health import Readiness
from tests.support.web import served

STAGES = ("dev", "qa", "prod")
SERVICES = ("payments", "web")
DEVELOPER, APPROVER, STRANGER, BOT = "ana", "bo", "eve", "promotion-robot"
APP = "promotion-bot"
HOOK_SECRET = "the-webhook-secret-of-the-model"
SOAK, STEP = timedelta(minutes=2), timedelta(seconds=20)
BEGIN = datetime.now(UTC).replace(microsecond=0)

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {service}, namespace: default}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: {service}}}}}
  template:
    metadata: {{labels: {{app: {service}}}}}
    spec:
      containers:
      - name: main
        image: ghcr.io/acme/{service}:{version}   # kept as it is
"""


class Died(BaseException):
    """The process ended here, as far as the test is concerned."""


@dataclass(slots=True)
class Clock:
    """The world's time; `skew` is by how much the bot's own clock is wrong."""

    now: datetime = BEGIN
    skew: timedelta = timedelta()

    def true(self) -> datetime:
        return self.now

    def steady(self) -> float:
        """Seconds that go by, whatever is done to the bot's clock."""
        return self.now.timestamp()

    def of_the_bot(self) -> datetime:
        return self.now + self.skew


class DiesAt(CrashPoints):
    """Dies at the n-th crash point that is passed from when it is armed."""

    def __init__(self) -> None:
        super().__init__({})
        self.left = 0

    def at(self, point: str) -> None:
        if self.left:
            self.left -= 1
            if not self.left:
                raise Died(point)


@dataclass(slots=True)
class Wanted:
    """Which stages somebody wants looked at: written in the transaction of the wake-up, as the durable queue does it."""

    stages: list[str] = field(default_factory=list)

    def __call__(self, _connection: sa.Connection, stage: str, _run: str, _wait: float) -> None:
        self.stages.append(stage)


def manifest(service: str, version: str) -> str:
    return MANIFEST.format(service=service, version=version)


def path_of(service: str) -> str:
    return f"{service}/deployment.yaml"


class ModelWorld:
    """Everything that runs. `bot` is the replica that acts now; both are over the same database."""

    def __init__(self, *, app: bool = False) -> None:
        """The bot is an App, which writes check runs, or a user with a token, who may write commit statuses only."""
        self.root = Path(tempfile.mkdtemp(prefix="model-"))
        self.clock = Clock()
        self._life = ExitStack()
        self._life.callback(shutil.rmtree, self.root, ignore_errors=True)
        self.github = GitHubSandbox(self.root / "github", clock=self.clock.true, dates=self.clock.true, webhook_secret=HOOK_SECRET)
        self.github.start()
        self._life.callback(self.github.stop)
        self.secret = self.github.add_user(BOT)
        self.app: dict[str, int] = {}
        self.bot_login = BOT
        for login in (DEVELOPER, APPROVER, STRANGER):
            self.github.add_user(login)
        self.clusters: dict[str, ClusterSandbox] = {}
        for stage in STAGES:
            self._stage(stage)
        if app:
            number, self.secret, installation = self.github.create_app(APP, owner="acme")
            self.app, self.bot_login = {"app_id": number, "installation_id": installation}, f"{APP}[bot]"
        self.config = load(self._config())
        self.settings = SandboxSettings(
            github_app_private_key=SecretStr(self.secret) if app else None,
            github_token=None if app else SecretStr(self.secret),
            github_webhook_secrets=(SecretStr(HOOK_SECRET),),
            state_dir=self.root / "state",
        )
        self.wanted = Wanted()
        self.cut_off: set[str] = set()
        self.points = DiesAt()
        self._bots = ExitStack()
        self._life.callback(lambda: self._bots.close())
        self.bots: list[Bot] = []
        self.start()

    def _stage(self, stage: str) -> None:
        repository = self.repository(stage)
        self.github.create_repo(repository, {path_of(name): manifest(name, "1.0.0") for name in SERVICES} | {"README.md": stage})
        for login, role in ((BOT, "maintain"), (DEVELOPER, "maintain"), (APPROVER, "admin"), (STRANGER, "read")):
            self.github.add_collaborator(repository, login, role)
        cluster = ClusterSandbox(
            stage,
            source=Source(url=str(self.root / "github" / f"{repository}.git")),
            clock=self.clock.true,
            rollout_seconds=3.0,
            progress_deadline=30.0,
            poll_seconds=1.0,
            automatic=False,
            tls=False,
        )
        cluster.api.alive.bookmark_seconds = 0.4  # the clock jumps by minutes: a watch that says nothing would count as deaf
        cluster.start()
        self._life.callback(cluster.stop)
        cluster.kubeconfig(self.root / f"{stage}.kubeconfig")
        self.clusters[stage] = cluster

    def _config(self) -> Path:
        path = self.root / "promotion-bot.json"
        stages: dict[str, dict[str, object]] = {}
        for before, stage in zip((None, *STAGES), STAGES, strict=False):
            stages[stage] = {
                "repository": self.repository(stage),
                "cluster": {"kubeconfig": str(self.root / f"{stage}.kubeconfig")},
                "rollout": {"timeout": "10m", "bake": "30s", "grace": "0s"},
            }
            if before is not None:
                stages[stage] |= {"after": [before], "gates": [{"gate": "soak", "for": "2m"}, {"gate": "health"}]}
        stages["prod"]["gates"] = [*stages["prod"]["gates"], {"gate": "approval", "count": 1, "users": [APPROVER]}]  # type: ignore[misc]
        forge = {"url": self.github.url, "api_url": self.github.api_url, "writes_per_minute": 100_000, "writes_per_hour": 100_000}
        forge |= {"pushes_per_minute": 100_000} | ({"app": self.app} if self.app else {})
        path.write_text(json.dumps({"version": 1, "forge": forge, "pipeline": {"stages": stages}, "timing": {"resync": "5m"}}))
        return path

    @staticmethod
    def repository(stage: str) -> str:
        return f"acme/env-{stage}"

    # the bot's life ----------------------------------------------------------------------------

    def start(self, replicas: int = 1) -> None:
        """Start the bot anew: nothing is remembered but what stands in its database and on its disk."""
        self._bots.close()
        self._bots = ExitStack()
        self.points.left = 0
        self.bots = [self._replica() for _ in range(replicas)]
        url = self._bots.enter_context(served(web_app(self.bots[0], Readiness())))
        self.github.set_webhook(f"{url}/webhooks/github", HOOK_SECRET)

    def lose_the_database(self) -> None:
        """And start anew."""
        self._bots.close()
        for file in self.settings.state_dir.glob("promotion-bot.db*"):
            file.unlink()
        self.start(len(self.bots))

    def _replica(self) -> Bot:
        parts = build(self.config, self.settings, clock=self.clock.of_the_bot, steady=self.clock.steady)
        bot = Bot(parts)
        bot.wakeups = bot.engine.wakeups = Wakeups(parts.database, self.wanted)
        bot.effects = type(bot.effects)(bot.effects._journal, parts.clock, points=self.points, sleep=lambda _seconds: None)
        parts.clusters.start()
        bot.duties.learn_login()
        self._bots.callback(parts.close)
        return bot

    @property
    def bot(self) -> Bot:
        return self.bots[0]

    def look(self, stage: str, *, replica: int = 0) -> bool:
        """One run of a stage, as the queue would start it. False when the process died in it (it is started again then)."""
        bot = self.bots[replica % len(self.bots)]
        bot.wakeups.begin(stage, "run", now=bot.parts.clock())
        try:
            bot.run(stage)
        except Died:
            self.start(len(self.bots))
            return False
        except BotError:
            return True
        bot.wakeups.finish(stage, "run", now=bot.parts.clock())
        return True

    def cut(self, stage: str, *, on: bool) -> None:
        """The stage's cluster cannot be reached, or can be again."""
        self.clusters[stage].unreachable(on=on)
        (self.cut_off.add if on else self.cut_off.discard)(stage)

    # time ---------------------------------------------------------------------------------------

    def advance(self, span: timedelta) -> None:
        """Time goes by; the clusters go on, and what they say reaches the bot."""
        self.clock.now += span
        for cluster in self.clusters.values():
            cluster.tick()
        for bot in self.bots:
            self._caught_up(bot)

    def _caught_up(self, bot: Bot) -> None:
        """Give the bot's watches the moment that they need to see what stands in the clusters."""
        for stage, cluster in self.clusters.items():
            if stage in self.cut_off:
                continue
            cluster.wait_for(lambda stage=stage: bot.parts.clusters.snapshot(stage).reachable, seconds=10)  # type: ignore[misc]
        time.sleep(0.05)

    # what stands there, read without the bot ----------------------------------------------------

    def declares(self, stage: str, service: str, ref: str = "main") -> str:
        content = (self.github.read_file(self.repository(stage), ref, path_of(service)) or b"").decode()
        version = content.partition(f"ghcr.io/acme/{service}:")[2].partition(" ")[0]
        return version if content == manifest(service, version) else ""

    def healthy(self, stage: str) -> Iterator[tuple[str, str]]:
        """(service, version) of everything that runs completely and healthily now."""
        for service in SERVICES:
            found = self.clusters[stage].running(f"ghcr.io/acme/{service}")
            versions = {version for one in found for version in one.versions(f"ghcr.io/acme/{service}")}
            if found and all(one.health == "Healthy" for one in found) and len(versions) == 1:
                yield service, versions.pop()

    def close(self) -> None:
        self._life.close()


World = TypeVar("World", bound=ModelWorld)


@contextmanager
def settled(kind: type[World]) -> Iterator[World]:
    """A world in which everything has come to run."""
    found = kind()
    try:
        for _ in range(8):
            found.advance(STEP)
        yield found
    finally:
        found.close()
