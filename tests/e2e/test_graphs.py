"""Graphs, batches and ways back, with real parts: one bot, real repositories, seven clusters, everything at once.

Checked by what the repositories and the clusters hold, and by what the bot recorded.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from bot.app import Parts, build
from bot.cli._process import Served
from bot.cli.demo.settings import sandbox_settings
from bot.cli.demo.world import APPROVER, DEVELOPER, OWNER, TEAM, WEBHOOK_SECRET, World
from bot.cli.demo.world import build as build_world
from bot.commands.model import Outcome, Surface
from bot.config.load import load
from bot.domain.people import Person
from bot.domain.promotion import Promotion, PromotionState
from bot.logs import configure
from bot.planning.standing import Report, Standing
from bot.reconcile.orders import Desk
from bot.reconcile.scenes import Said

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("graphs")]

OLD, NEW = "1.0.0", "1.1.0"
PLACES = {
    "dev": ("web", "api", "worker", "shop", "desk"),
    "qa-eu": ("web",),
    "qa-us": ("web",),
    "prod": ("web",),
    "pack": ("api", "worker"),
    "fast": ("shop",),
    "hand": ("desk",),
}
ROLLOUT = {"timeout": "240s", "bake": "1s", "grace": "0s"}
SETTINGS = {
    "dev": {},
    "qa-eu": {"after": ["dev"]},
    "qa-us": {"after": ["dev"], "gates": [{"gate": "approval", "count": 1, "teams": [f"{OWNER}/{TEAM}"]}]},
    "prod": {"after": ["qa-eu", "qa-us"], "needs": "all"},
    "pack": {"after": ["dev"], "batch": "stage"},
    "fast": {"after": ["dev"], "on_failure": "revert-pr"},
    "hand": {"after": ["dev"]},
}


def manifest(service: str, version: str) -> str:
    return f"""\
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
      - name: {service}
        image: {image(service)}:{version}  # keep this comment
"""


def image(service: str) -> str:
    return f"registry.example.com/team/{service}"


@dataclass(slots=True)
class Graph:
    """The running world and its bot."""

    world: World
    parts: Parts
    desk: Desk

    def promotions(self, stage: str) -> list[Promotion]:
        return sorted(self.parts.history.promotions(stage), key=lambda one: one.opened_at)

    def only(self, stage: str) -> Promotion:
        [found] = self.promotions(stage)
        return found

    def reached(self, stage: str, state: PromotionState, *, seconds: float = 150) -> Promotion:
        """The stage's only promotion, once it is in this state."""
        self.until(lambda: any(one.state is state for one in self.promotions(stage)), f"{state} in {stage}", seconds=seconds)
        return self.only(stage)

    def until(self, condition: Callable[[], bool], what: str, *, seconds: float = 150) -> None:
        ends = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > ends:
                states = {stage: [(one.name, one.state.value, one.reason) for one in self.promotions(stage)] for stage in PLACES}
                pytest.fail(f"not in {seconds} s: {what}; {states}")
            time.sleep(0.1)

    def said(self, stage: str, name: str) -> Report:
        [found] = [report for report in self.parts.plan(stage).reports if report.service == name]
        return found

    def declared(self, stage: str, service: str) -> str:
        content = self.world.github.read_file(self.world.repository(stage), "main", f"{service}.yaml")
        return (content or b"").decode()

    def runs(self, stage: str, service: str) -> set[str]:
        return {version for one in self.world.clusters[stage].running(image(service)) for version in one.versions(image(service))}

    def subjects(self, stage: str) -> list[str]:
        return [commit.message.splitlines()[0] for commit in self.world.github.log(self.world.repository(stage))]


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    tree = tmp_path_factory.mktemp("tree")
    for stage, services in PLACES.items():
        (tree / stage).mkdir()
        for service in services:
            (tree / stage / f"{service}.yaml").write_text(manifest(service, NEW if stage == "dev" else OLD))
    configure(form="console", level="CRITICAL")
    world = build_world(tree, rollout_seconds=0.6, progress_deadline=6.0)
    served: Served | None = None
    try:
        for stage, service in (("pack", "worker"), ("fast", "shop"), ("hand", "desk")):
            world.clusters[stage].behave(image(service), NEW, "crash")
        world.github.protect(world.repository("hand"), "main", reviews=1)
        parts = build(load(written(world)), settings(world))
        served = Served(parts)
        world.github.set_webhook(f"{served.url}/webhooks/github", WEBHOOK_SECRET)
        served.start()
        yield Graph(world, parts, served.bot.desk)
    finally:
        if served is not None:
            served.stop()
        world.stop()


def settings(world: World):
    return sandbox_settings(
        app_key=world.app_key, webhook_secret=WEBHOOK_SECRET, slack_token=world.slack.bot_token, state_dir=world.root / "state"
    )


def written(world: World) -> Path:
    stages = {
        stage: {
            "repository": world.repository(stage),
            "cluster": {"kubeconfig": str(world.kubeconfig(stage)), "agent": "flux" if stage == "dev" else "none"},
            "rollout": ROLLOUT,
            **more,
        }
        for stage, more in SETTINGS.items()
    }
    document = {
        "version": 1,
        "forge": {
            "url": world.github.url,
            "api_url": world.github.api_url,
            "app": {"app_id": world.app_id, "installation_id": world.installation},
            "writes_per_minute": 100_000,
            "writes_per_hour": 100_000,
            "pushes_per_minute": 100_000,
        },
        "pipeline": {"stages": stages},
        "timing": {"resync": "5s"},
    }
    path = world.root / "promotion-bot.yaml"
    path.write_text(json.dumps(document, indent=2))
    return path


def test_a_version_fans_out_and_comes_in_only_when_all_have_it(graph: Graph) -> None:
    graph.reached("qa-eu", PromotionState.HEALTHY)
    waiting = graph.reached("qa-us", PromotionState.OPEN)
    said = graph.said("prod", "web")
    assert (said.standing, graph.promotions("prod")) == (Standing.WAITING, [])
    assert "qa-us" in said.sentence
    assert graph.declared("prod", "web") == manifest("web", OLD)
    assert waiting.number is not None
    let_in = graph.parts.clock()
    graph.world.github.approve(graph.world.repository("qa-us"), waiting.number, APPROVER)
    for stage in ("qa-us", "prod"):
        graph.reached(stage, PromotionState.HEALTHY)
        assert graph.declared(stage, "web") == manifest("web", NEW)
        assert graph.runs(stage, "web") == {NEW}
    assert graph.only("prod").opened_at > let_in


def test_a_batch_with_one_bad_member_goes_back_as_one(graph: Graph) -> None:
    back = graph.reached("pack", PromotionState.REVERTED)
    assert (back.name, sorted(back.services)) == ("all", ["api", "worker"])
    for service in ("api", "worker"):
        assert graph.declared("pack", service) == manifest(service, OLD)
        assert graph.runs("pack", service) == {OLD}
        assert graph.said("pack", service).standing is Standing.QUARANTINED
    assert len([subject for subject in graph.subjects("pack") if subject.startswith("revert(")]) == 1
    assert [pull.number for pull in graph.world.github.pulls(graph.world.repository("pack"))] == [back.number]


def test_a_revert_by_pull_request_takes_the_fast_lane(graph: Graph) -> None:
    back = graph.reached("fast", PromotionState.REVERTED)
    pulls = {pull.number: pull for pull in graph.world.github.pulls(graph.world.repository("fast"))}
    assert back.revert_number in pulls
    assert sorted(pulls) == sorted([back.number, back.revert_number])
    assert all(pull.merged_at for pull in pulls.values())
    assert graph.declared("fast", "shop") == manifest("shop", OLD)
    assert graph.runs("fast", "shop") == {OLD}


def test_a_persons_value_is_not_overwritten_by_a_revert_that_waits(graph: Graph) -> None:
    """The branch takes nothing unreviewed: the revert waits as a pull request, and a person mends it in another way meanwhile."""
    repository, hub = graph.world.repository("hand"), graph.world.github
    opened = graph.reached("hand", PromotionState.OPEN)
    assert opened.number is not None
    hub.approve(repository, opened.number, APPROVER)
    waiting = graph.reached("hand", PromotionState.REVERTING)
    assert waiting.revert_commit is None
    assert f"#{waiting.revert_number}" in graph.said("hand", "desk").sentence
    hub.push(repository, "main", {"desk.yaml": manifest("desk", "1.0.5")}, message="desk 1.0.5", author=DEVELOPER)
    stuck = graph.reached("hand", PromotionState.STUCK)
    assert "was not forced" in stuck.reason
    assert "1.0.5" in stuck.reason
    assert f"#{stuck.revert_number}" in stuck.reason
    assert graph.declared("hand", "desk") == manifest("desk", "1.0.5")
    graph.until(lambda: graph.runs("hand", "desk") == {"1.0.5"}, "the person's version runs in hand")


def test_drift_is_told_and_repaired_by_the_agent_on_request(graph: Graph) -> None:
    """The last one: what dev runs would hold back every other story."""
    cluster = graph.world.clusters["dev"]
    graph.until(lambda: graph.runs("dev", "shop") == {NEW}, "dev runs what it declares")
    cluster.set_image("Deployment", "default", "shop", f"{image('shop')}:0.9.9")
    graph.until(lambda: any("0.9.9" in one.sentence for one in graph.parts.plan("dev").reports), "the drift is told")
    assert "/promote sync dev" in graph.said("dev", "shop").sentence
    person = Person(id=graph.world.github.account(DEVELOPER).id, login=DEVELOPER)
    answer = graph.desk.run("sync dev", Said(actor=person, at=graph.parts.clock(), key="test"), surface=Surface.CLI)
    assert answer.outcome is Outcome.DONE, answer.told
    graph.until(lambda: graph.runs("dev", "shop") == {NEW}, "dev runs again what git declares")
    graph.until(lambda: not graph.parts.plan("dev").reports, "nothing is left to tell of dev")


def test_other_replicas_are_told_and_repaired_unless_an_autoscaler_owns_them(graph: Graph) -> None:
    cluster = graph.world.clusters["dev"]
    graph.until(lambda: graph.runs("dev", "shop") == {NEW}, "dev runs what it declares")
    scaled = yaml.safe_load(graph.declared("dev", "shop"))
    scaled["spec"]["replicas"] = 3
    cluster.apply(scaled)
    graph.until(lambda: any("wants 3 replicas, git declares 1" in one.sentence for one in graph.parts.plan("dev").reports), "it is told")
    owner = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}, "maxReplicas": 5}
    named = {"name": "shop", "namespace": "default"}
    cluster.apply({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": named, "spec": owner})
    graph.until(lambda: not graph.parts.plan("dev").reports, "an autoscaler's replicas are nobody's drift")
    person = Person(id=graph.world.github.account(DEVELOPER).id, login=DEVELOPER)
    answer = graph.desk.run("sync dev", Said(actor=person, at=graph.parts.clock(), key="replicas"), surface=Surface.CLI)
    assert answer.outcome is Outcome.DONE, answer.told
