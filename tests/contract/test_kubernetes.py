"""The cluster adapter against a cluster: what it learns, what it asks for, and how it takes every kind of trouble."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.kubernetes.clusters import KubernetesClusters
from bot.config.stage import Cluster
from bot.domain.rollout import ClusterSnapshot, RolloutState, WorkloadState
from bot.sandbox.cluster import ClusterSandbox
from bot.workloads.watch import Limits, Outcome, follow, judge

SECONDS = 10.0


def deployment(name: str, image: str, *, replicas: int = 2) -> dict[str, object]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": image, "env": [{"name": "PASSWORD", "value": "hunter2-secret"}]}]},
            },
        },
    }


def until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not come true in time"
        time.sleep(0.02)


class Seen:
    """The bot's view of one stage, with the changes that it was told of."""

    def __init__(self, sandbox: ClusterSandbox, folder: Path, **settings: object) -> None:
        config = sandbox.kubeconfig(folder / "kubeconfig")
        cluster = Cluster.model_validate({"kubeconfig": str(config), "namespaces": ["shop"]} | settings)
        self.clusters = KubernetesClusters(clusters={"dev": cluster}, clock=lambda: datetime.now(UTC))
        self.told = threading.Event()
        self.clusters.on_change(lambda stage: self.told.set())
        self.clusters.start()

    def now(self) -> ClusterSnapshot:
        return self.clusters.snapshot("dev")

    def workload(self, name: str) -> WorkloadState | None:
        return next((state for state in self.now().workloads if state.ref.name == name), None)

    def state(self, name: str) -> RolloutState | None:
        found = self.workload(name)
        return found.state if found else None

    def runs(self, name: str, image: str) -> bool:
        found = self.workload(name)
        return found is not None and found.state is RolloutState.HEALTHY and found.images == (image,)

    def calls(self) -> dict[str, int]:
        return dict(self.clusters.watches["dev"].api.calls)


@pytest.fixture
def sandbox() -> Iterator[ClusterSandbox]:
    with ClusterSandbox("dev", rollout_seconds=0.3, progress_deadline=1.0, agent="plain") as cluster:
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        cluster.apply(deployment("web", "ghcr.io/acme/web:1.4.2"))
        yield cluster


@pytest.fixture
def seen(sandbox: ClusterSandbox, tmp_path: Path) -> Iterator[Seen]:
    view = Seen(sandbox, tmp_path)
    followers = view.clusters.watches["dev"].followers
    until(lambda: view.now().reachable and view.state("web") == "healthy" and all(one.absent or one.listed_once for one in followers))
    until(lambda: sum(label.startswith("watch ") for label in view.calls()) == sum(not one.absent for one in followers))
    yield view
    view.clusters.close()


def test_before_the_first_list_nothing_is_healthy_and_it_says_why(sandbox: ClusterSandbox, tmp_path: Path) -> None:
    sandbox.unreachable()
    view = Seen(sandbox, tmp_path)
    try:
        assert not view.now().reachable
        until(lambda: "does not answer" in view.now().problem)
        sandbox.unreachable(on=False)
        until(lambda: view.now().reachable)
    finally:
        view.clusters.close()


def test_a_rollout_is_seen_from_watches_alone(sandbox: ClusterSandbox, seen: Seen) -> None:
    before = seen.calls()
    started = datetime.now(UTC)
    sandbox.set_image("Deployment", "shop", "web", "ghcr.io/acme/web:1.5.0")
    until(lambda: seen.runs("web", "ghcr.io/acme/web:1.5.0"))
    timeline = next(line for ref, line in seen.now().timelines.items() if ref.name == "web")
    limits = Limits(timeout=timedelta(seconds=60), bake=timedelta())
    ruling = judge(follow("ghcr.io/acme/web:1.5.0", limits, started, timeline), datetime.now(UTC))
    assert ruling.outcome is Outcome.HEALTHY
    assert {state.state for state in timeline} >= {RolloutState.PROGRESSING, RolloutState.HEALTHY}
    assert seen.calls() == before, "a change costs no request"


def test_a_bad_image_is_told_in_the_pods_own_words(sandbox: ClusterSandbox, seen: Seen) -> None:
    sandbox.behave("ghcr.io/acme/web", "1.5.0-bad", "pull")
    sandbox.set_image("Deployment", "shop", "web", "ghcr.io/acme/web:1.5.0-bad")
    until(lambda: seen.state("web") == "degraded")
    until(lambda: "ImagePull" in getattr(seen.workload("web"), "reason", ""))


def test_one_list_per_kind_whatever_the_number_of_services(sandbox: ClusterSandbox, seen: Seen) -> None:
    before = seen.calls()
    sandbox.apply(*(deployment(f"svc-{number}", f"ghcr.io/acme/svc-{number}:1.0.0", replicas=1) for number in range(30)))
    until(lambda: sum(state.state == "healthy" for state in seen.now().workloads) == 31, 30)
    assert seen.calls() == before
    assert all(count == 1 for label, count in before.items() if label.startswith("list "))


def test_pods_and_replicasets_are_part_of_their_workload_not_workloads(seen: Seen) -> None:
    assert [str(state.ref) for state in seen.now().workloads] == ["Deployment shop/web"]


def test_values_of_the_environment_are_not_kept(seen: Seen) -> None:
    assert "hunter2-secret" not in repr(seen.clusters.watches["dev"].cache.objects)


def test_an_expired_watch_lists_anew_and_loses_nothing(sandbox: ClusterSandbox, seen: Seen) -> None:
    before = seen.calls()["list deployments"]
    sandbox.expire_watches()
    sandbox.set_image("Deployment", "shop", "web", "ghcr.io/acme/web:1.6.0")
    until(lambda: seen.calls()["list deployments"] > before)
    until(lambda: seen.runs("web", "ghcr.io/acme/web:1.6.0"))


def test_a_cluster_that_comes_back_is_seen_again(sandbox: ClusterSandbox, seen: Seen) -> None:
    sandbox.unreachable()
    watch = seen.clusters.watches["dev"]
    until(lambda: any("does not answer" in follower.problem for follower in watch.followers))
    assert seen.now().workloads, "the last known state stands"
    seen.clusters.clock = watch.clock = lambda: datetime.now(UTC) + timedelta(seconds=30)
    problem = seen.now()
    assert not problem.reachable
    assert "since " in problem.problem
    sandbox.unreachable(on=False)
    sandbox.set_image("Deployment", "shop", "web", "ghcr.io/acme/web:1.7.0")
    until(lambda: seen.now().reachable and seen.runs("web", "ghcr.io/acme/web:1.7.0"), 40)


def test_a_missing_rule_is_named_with_what_to_add(sandbox: ClusterSandbox, tmp_path: Path) -> None:
    sandbox.faults.forbid(resources=("statefulsets",), groups=("apps",))
    view = Seen(sandbox, tmp_path)
    try:
        until(lambda: "403" in view.now().problem, 20)
        problem = view.now().problem
        assert "may not list statefulsets.apps in namespace shop" in problem
        assert 'apiGroups: ["apps"]' in problem
        assert 'resources: ["statefulsets"]' in problem
        assert 'verbs: ["list", "watch"]' in problem
    finally:
        view.clusters.close()


def test_kinds_that_only_add_words_may_be_forbidden(sandbox: ClusterSandbox, tmp_path: Path) -> None:
    sandbox.faults.forbid(resources=("events",), groups=("",))
    view = Seen(sandbox, tmp_path)
    try:
        until(lambda: view.now().reachable and view.state("web") == "healthy")
        until(lambda: any("events" in remark for remark in view.clusters.watches["dev"].remarks()), 20)
    finally:
        view.clusters.close()


def autoscaler(target: str) -> dict[str, object]:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "hpa", "namespace": "shop"},
        "spec": {"scaleTargetRef": reference, "minReplicas": 1, "maxReplicas": 9},
    }


def test_an_autoscaler_is_known_from_its_watch_and_is_no_workload(sandbox: ClusterSandbox, seen: Seen) -> None:
    assert (seen.now().deciders, seen.now().deciders_problem) == ({}, "")
    seen.told.clear()
    sandbox.apply(autoscaler("web"))
    until(lambda: seen.now().deciders == {("Deployment", "shop", "web"): "HorizontalPodAutoscaler shop/hpa"})
    assert seen.told.wait(SECONDS), "whoever looks at drift is woken"
    assert "hpa" not in {state.ref.name for state in seen.now().workloads}


def test_where_autoscalers_may_not_be_listed_nobody_can_tell_and_the_stage_is_still_seen(sandbox: ClusterSandbox, tmp_path: Path) -> None:
    sandbox.faults.forbid(resources=("horizontalpodautoscalers",), groups=("autoscaling",))
    view = Seen(sandbox, tmp_path)
    try:
        until(lambda: view.now().reachable and view.state("web") == "healthy")
        until(lambda: "403" in view.now().deciders_problem, 20)
        assert view.now().deciders is None
        assert 'resources: ["horizontalpodautoscalers"]' in view.now().deciders_problem
    finally:
        view.clusters.close()


def lists_made(view: Seen) -> int:
    """A kind that only adds words may be listed after the stage is seen."""
    return sum(count for label, count in view.calls().items() if label.startswith("list "))


def test_throttling_is_waited_out(sandbox: ClusterSandbox, tmp_path: Path) -> None:
    sandbox.faults.throttle(times=4, retry_after=1)
    view = Seen(sandbox, tmp_path)
    try:
        until(lambda: view.now().reachable and view.state("web") == "healthy")
        lists = len(view.clusters.watches["dev"].followers)
        until(lambda: lists_made(view) >= lists + 4)
        time.sleep(1.5)
        assert lists_made(view) == lists + 4, "each list that was refused was asked for once more, no other"
    finally:
        view.clusters.close()


def test_a_deleted_workload_is_gone_and_remembered_as_such(sandbox: ClusterSandbox, seen: Seen) -> None:
    from kubernetes import client, config

    config_file = client.Configuration()
    config.load_kube_config_from_dict(
        {
            "current-context": "x",
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
            "clusters": [{"name": "x", "cluster": {"server": sandbox.url, "certificate-authority": str(sandbox.ca_file)}}],
            "users": [{"name": "x", "user": {"token": sandbox.token("admin")}}],
        },
        client_configuration=config_file,
    )
    with client.ApiClient(config_file) as api:
        client.AppsV1Api(api).delete_namespaced_deployment("web", "shop")
    until(lambda: seen.state("web") is None)
    line = next(line for ref, line in seen.now().timelines.items() if ref.name == "web")
    assert line[-1].state == "unknown"
    assert "deleted" in line[-1].reason


def test_closing_ends_all_threads(sandbox: ClusterSandbox, tmp_path: Path) -> None:
    view = Seen(sandbox, tmp_path)
    until(lambda: view.now().reachable)
    view.clusters.close()
    assert not any(thread.is_alive() for thread in view.clusters.watches["dev"].threads)
