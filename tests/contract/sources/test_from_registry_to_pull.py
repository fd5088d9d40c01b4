"""From a push into a real registry to a merged bump in the first stage, with every part of the bot but its durable engine."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.adapters.registry.reader import TagReader
from bot.adapters.store.effects import EffectJournal
from bot.adapters.store.outbox import StoredOutbox
from bot.app import Parts, build
from bot.app.watching import asked_once
from bot.cli.demo.settings import sandbox_settings
from bot.collectors.artifacts import RegistryWatch
from bot.config.schema import Config
from bot.planning.plan import plan
from bot.planning.standing import Standing
from bot.reconcile.crash import CrashPoints
from bot.reconcile.effects import Effects
from bot.reconcile.run import RunResult, run_stage
from bot.reconcile.tools import Place as Desk
from bot.reconcile.tools import Tools
from bot.sandbox.github import GitHubSandbox
from tests.contract.sources.conftest import NAME, Place

PATH = "payments.yaml"
MANIFEST = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: payments}}\nspec:\n  template:\n    spec:\n"
    "      containers:\n        - name: payments\n          image: {image}  # keep\n"
)


class Clock:
    """The wall clock, which a test may set forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class World:
    """One bot with one stage, `dev`, that watches one image and guards itself with the image gate."""

    def __init__(self, root: Path, place: Place, hub: GitHubSandbox, *, digest: str = "", **gate: object) -> None:
        app_id, key, installation = hub.create_app("promoter")
        self.hub, self.repo, self.clock = hub, "acme/env-dev", Clock()
        pinned = f"@{digest}" if digest else ""
        hub.create_repo(self.repo, {PATH: MANIFEST.format(image=f"{place.image}:1.0.0{pinned}")}, default_branch="main")
        stage = {"repository": self.repo, "gates": [{"gate": "image", "platforms": "linux/amd64", **gate}]}
        self.config = Config.model_validate(
            {
                "version": 1,
                "forge": {"url": hub.url, "api_url": hub.api_url, "app": {"app_id": app_id, "installation_id": installation}},
                "pipeline": {"stages": {"dev": stage}},
                "services": {"payments": {"images": [place.image]}},
                "sources": {"registries": {NAME: {"url": place.url}}},
                "artifacts": {"watch": [{"image": place.image, "range": ">=1 <2"}]},
            }
        )
        settings = sandbox_settings(app_key=key, webhook_secret="w" * 20, slack_token="", state_dir=root / "state")
        self.parts: Parts = build(self.config, settings, clock=self.clock)
        self.watch = RegistryWatch(self.config, TagReader(self.parts.images), self.parts.arrivals, wake=lambda _stage, _why: None)

    def run(self) -> RunResult:
        """Look at the registry, then at the stage, until there is nothing more to do at once."""
        self.clock.ahead += timedelta(minutes=10)
        self.watch.poll(self.clock())
        for _ in range(4):
            result = run_stage(self._tools(), self.parts.observer.observe, partial(plan, self.config))
            if not result.done:
                break
        return result

    def _tools(self) -> Tools:
        parts, stage = self.parts, self.config.stage("dev")
        journal = Effects(EffectJournal(parts.database), self.clock, points=CrashPoints({}))
        return Tools(
            place=Desk(stage="dev", environment=stage.environment),
            forge=parts.forge,
            repositories=parts.repositories,
            history=parts.history,
            outbox=StoredOutbox(parts.database),
            effects=journal,
            clock=self.clock,
            chat=None,
        )

    def file(self) -> str:
        return (self.hub.read_file(self.repo, "main", PATH) or b"").decode()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHubSandbox]:
    found = GitHubSandbox(tmp_path / "hub")
    found.start()
    yield found
    found.stop()


def test_a_push_into_the_registry_becomes_a_merged_bump(tmp_path: Path, place: Place, hub: GitHubSandbox) -> None:
    place.push.index("1.0.0")
    world = World(tmp_path, place, hub)
    world.run()
    assert hub.pulls(world.repo) == []
    place.push.index("1.1.0", created="2026-11-19T11:00:00Z")
    place.push.index("2.0.0", created="2026-11-19T12:00:00Z")
    world.run()
    (pull,) = hub.pulls(world.repo)
    assert pull.title == "promote(dev): payments 1.0.0 -> 1.1.0"
    assert pull.merged_at
    assert world.file() == MANIFEST.format(image=f"{place.image}:1.1.0")
    world.run()
    assert len(hub.pulls(world.repo)) == 1
    world.parts.close()


def test_an_image_that_lacks_a_platform_waits_and_is_merged_when_it_is_complete(tmp_path: Path, place: Place, hub: GitHubSandbox) -> None:
    place.push.index("1.0.0")
    world = World(tmp_path, place, hub)
    place.push.index("1.1.0", platforms=("arm64",))
    world.run()
    (pull,) = hub.pulls(world.repo)
    assert not pull.merged_at
    place.push.index("1.2.0")
    world.run()
    (pull,) = hub.pulls(world.repo)
    assert (pull.merged_at is not None, pull.title) == (True, "promote(dev): payments 1.0.0 -> 1.2.0")
    world.parts.close()


def test_a_tag_that_is_pushed_again_after_it_arrived_is_not_merged(tmp_path: Path, place: Place, hub: GitHubSandbox) -> None:
    first = place.push.index("1.0.0")
    world = World(tmp_path, place, hub, digest=first, min_age="30d")
    tested = place.push.index("1.1.0", created="2026-11-19T11:00:00Z")
    world.run()
    (pull,) = hub.pulls(world.repo)
    assert tested in (hub.read_file(world.repo, pull.head_ref, PATH) or b"").decode()
    place.push.index("1.1.0", created="2026-11-19T12:00:00Z")
    world.run()
    (report,) = world.parts.plan("dev").reports
    assert "the tag was pushed again" in report.sentence
    assert not hub.pulls(world.repo)[0].merged_at
    world.parts.close()


def test_a_plan_in_a_process_of_its_own_hears_the_registry_and_keeps_nothing(tmp_path: Path, place: Place, hub: GitHubSandbox) -> None:
    place.push.index("1.0.0")
    world = World(tmp_path, place, hub)
    place.push.index("1.1.0")
    found = plan(world.config, asked_once(world.parts, wait=10).observe("dev"))
    assert [(report.standing, report.new) for report in found.reports] == [(Standing.READY, "1.1.0")]
    assert not world.parts.arrivals.newest(), "only the running bot decides when something arrived"
    assert not world.parts.plan("dev").reports
    world.parts.close()


def test_a_plan_tells_what_its_registry_would_not(tmp_path: Path, place: Place, hub: GitHubSandbox) -> None:
    world = World(tmp_path, place, hub)  # nothing was ever pushed: the registry does not know the repository
    found = plan(world.config, asked_once(world.parts, wait=10).observe("dev"))
    [problem] = [text for name, text in found.problems.items() if name == f"new versions of {place.image}"]
    [report] = found.reports
    assert report.standing is Standing.UNKNOWN
    assert problem.split("(since")[0].strip().rstrip(".") in report.sentence
    world.parts.close()


def test_a_plan_does_not_wait_for_a_registry_longer_than_it_was_told(tmp_path: Path, place: Place, hub: GitHubSandbox) -> None:
    place.push.index("1.0.0")
    world = World(tmp_path, place, hub)
    found = plan(world.config, asked_once(world.parts, wait=0).observe("dev"))
    assert "did not answer within 0 seconds" in found.problems[f"new versions of {place.image}"]
    world.parts.close()
