"""The GitOps agent of the sandbox cluster, on real git: what it takes, prunes, reports and forgives."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.cluster import ClusterSandbox, Source
from bot.sandbox.cluster.resources import APPLICATIONS, DEPLOYMENTS, HELMRELEASES, KUSTOMIZATIONS, Resource
from tests.support.clusters import Clock, Stage, cluster, manifest, run

IMAGE = "ghcr.io/acme/web"
HELM = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: search, namespace: flux-system}
spec:
  targetNamespace: shop
  chart: {spec: {chart: search, version: 2.4.0, sourceRef: {kind: HelmRepository, name: charts}}}
  values: {image: {repository: ghcr.io/acme/search, tag: 3.2.4}}
"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "stage", {"web.yaml": manifest("web", f"{IMAGE}:1"), "search.yaml": HELM})


@pytest.fixture(params=["flux", "argocd"])
def sandbox(request: pytest.FixtureRequest, clock: Clock, stage: Stage) -> Iterator[ClusterSandbox]:
    made = cluster(clock, stage, tls=False, agent=request.param)
    made.start()
    yield made
    made.stop()


def read(sandbox: ClusterSandbox, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
    found = sandbox.store.get(resource, namespace, name)
    assert found is not None
    return found


def taken(sandbox: ClusterSandbox) -> str:
    """The commit that the stage's own object says it has applied."""
    if sandbox.agent is not None and sandbox.agent.kind == "argocd":
        return str(read(sandbox, APPLICATIONS, "argocd", "dev")["status"]["operationState"]["syncResult"]["revision"])
    return str(read(sandbox, KUSTOMIZATIONS, "flux-system", "dev")["status"]["lastAppliedRevision"]).removeprefix("main@sha1:")


def ready(obj: dict[str, Any]) -> tuple[str, str]:
    (condition,) = [one for one in obj["status"]["conditions"] if one["type"] == "Ready"]
    return condition["status"], condition["reason"]


def test_what_stands_at_the_start_runs_since_long(sandbox: ClusterSandbox, stage: Stage, clock: Clock) -> None:
    assert {(one.name, one.health, one.running) for one in sandbox.running()} == {
        ("web", "Healthy", (f"{IMAGE}:1",)),
        ("search", "Healthy", ("ghcr.io/acme/search:3.2.4",)),
    }
    assert read(sandbox, DEPLOYMENTS, "shop", "web")["metadata"]["creationTimestamp"] == "2026-03-02T08:50:00Z"
    assert taken(sandbox) == stage.git("rev-parse", "HEAD")


def test_a_commit_is_taken_and_rolled_out(sandbox: ClusterSandbox, stage: Stage, clock: Clock) -> None:
    commit = stage.write({"web.yaml": manifest("web", f"{IMAGE}:2")})
    run(sandbox, clock, 0.5)
    assert taken(sandbox) == commit
    assert sandbox.running(IMAGE)[0].health == "Progressing"
    run(sandbox, clock, 4)
    assert (sandbox.running(IMAGE)[0].health, sandbox.running(IMAGE)[0].versions(IMAGE)) == ("Healthy", ("2",))


def test_other_objects_are_not_touched_by_a_commit(sandbox: ClusterSandbox, stage: Stage, clock: Clock) -> None:
    before = read(sandbox, DEPLOYMENTS, "shop", "search")
    stage.write({"web.yaml": manifest("web", f"{IMAGE}:2")})
    run(sandbox, clock, 4)
    assert read(sandbox, DEPLOYMENTS, "shop", "search") is before


def test_what_leaves_the_repository_leaves_the_cluster(sandbox: ClusterSandbox, stage: Stage, clock: Clock) -> None:
    stage.write({"search.yaml": None})
    run(sandbox, clock, 2)
    assert [one.name for one in sandbox.running()] == ["web"]
    assert sandbox.store.get(HELMRELEASES, "flux-system", "search") is None


def test_a_paused_agent_lets_commits_go_by(sandbox: ClusterSandbox, stage: Stage, clock: Clock) -> None:
    assert sandbox.agent is not None
    before = taken(sandbox)
    sandbox.agent.paused = True
    stage.write({"web.yaml": manifest("web", f"{IMAGE}:2")})
    run(sandbox, clock, 5)
    assert taken(sandbox) == before
    assert sandbox.running(IMAGE)[0].versions(IMAGE) == ("1",)


def test_drift_stays_until_a_sync_is_asked_for(sandbox: ClusterSandbox, stage: Stage, clock: Clock) -> None:
    sandbox.set_image("Deployment", "shop", "web", f"{IMAGE}:rogue")
    run(sandbox, clock, 4)
    assert sandbox.running(IMAGE)[0].versions(IMAGE) == ("rogue",)
    assert sandbox.agent is not None
    resource, namespace = (APPLICATIONS, "argocd") if sandbox.agent.kind == "argocd" else (KUSTOMIZATIONS, "flux-system")
    name = "argocd.argoproj.io/refresh" if sandbox.agent.kind == "argocd" else "reconcile.fluxcd.io/requestedAt"
    own = read(sandbox, resource, namespace, "dev")
    sandbox.apply(own | {"metadata": own["metadata"] | {"annotations": {name: "hard"}}})
    run(sandbox, clock, 5)
    assert sandbox.running(IMAGE)[0].versions(IMAGE) == ("1",)
    after = read(sandbox, resource, namespace, "dev")
    if sandbox.agent.kind == "argocd":
        assert name not in (after["metadata"].get("annotations") or {}), "Argo CD takes the annotation off"
    else:
        assert after["status"]["lastHandledReconcileAt"] == "hard"


def test_a_helmrelease_waits_and_tells_of_failure(sandbox: ClusterSandbox, stage: Stage, clock: Clock) -> None:
    sandbox.behave("ghcr.io/acme/search", "3.3.0", "pull")
    stage.write({"search.yaml": HELM.replace("3.2.4", "3.3.0")})
    run(sandbox, clock, 1)
    release = read(sandbox, HELMRELEASES, "flux-system", "search")
    assert ready(release) == ("Unknown", "Progressing")
    run(sandbox, clock, 15)
    release = read(sandbox, HELMRELEASES, "flux-system", "search")
    assert ready(release) == ("False", "UpgradeFailed")
    assert [one["status"] for one in release["status"]["history"]] == ["failed", "deployed"]
    stage.write({"search.yaml": HELM})
    run(sandbox, clock, 5)
    assert ready(read(sandbox, HELMRELEASES, "flux-system", "search")) == ("True", "UpgradeSucceeded")


def test_a_new_chart_version_rolls_the_pods(sandbox: ClusterSandbox, stage: Stage, clock: Clock) -> None:
    sandbox.behave("charts.example/search", "2.5.0", "crash")
    stage.write({"search.yaml": HELM.replace("2.4.0", "2.5.0")})
    run(sandbox, clock, 15)
    release = read(sandbox, HELMRELEASES, "flux-system", "search")
    assert release["status"]["lastAttemptedRevision"] == "2.5.0"
    assert ready(release) == ("False", "UpgradeFailed")


def test_a_broken_file_is_a_problem_and_stops_nobody(sandbox: ClusterSandbox, stage: Stage, clock: Clock) -> None:
    stage.write({"bad.yaml": "a: [", "web.yaml": manifest("web", f"{IMAGE}:2")})
    run(sandbox, clock, 5)
    assert sandbox.running(IMAGE)[0].versions(IMAGE) == ("2",)
    assert any(problem.startswith("bad.yaml: ") for problem in sandbox.problems())


def test_a_lost_repository_is_a_problem_and_comes_back(sandbox: ClusterSandbox, stage: Stage, clock: Clock) -> None:
    away = stage.path.with_name("away")
    stage.path.rename(away)
    run(sandbox, clock, 1)
    assert "git ls-remote" in sandbox.problems()[0]
    assert sandbox.running(IMAGE)[0].health == "Healthy"
    away.rename(stage.path)
    run(sandbox, clock, 1)
    assert sandbox.problems() == []


def test_the_application_says_what_it_compared_and_what_it_applied(clock: Clock, stage: Stage) -> None:
    sandbox = cluster(clock, stage, tls=False, agent="argocd")
    sandbox.start()
    seen: list[tuple[str, str, str]] = []

    def note(change: Any) -> None:
        if change.resource is APPLICATIONS:
            status = change.obj.get("status") or {}
            sync, operation = status.get("sync") or {}, status.get("operationState") or {}
            word = (str(sync.get("status")), str(operation.get("phase")), str((status.get("health") or {}).get("status")))
            if word not in seen:
                seen.append(word)

    sandbox.store.listeners.append(note)
    sandbox.behave(IMAGE, "2", "bad_later:5")
    stage.write({"web.yaml": manifest("web", f"{IMAGE}:2")})
    run(sandbox, clock, 12)
    sandbox.stop()
    assert seen == [
        ("OutOfSync", "Succeeded", "Healthy"),
        ("OutOfSync", "Running", "Healthy"),
        ("Synced", "Succeeded", "Progressing"),
        ("Synced", "Succeeded", "Healthy"),
    ]


def test_a_folder_of_a_repository_is_a_stage(clock: Clock, tmp_path: Path) -> None:
    files = {"dev/web.yaml": manifest("web", f"{IMAGE}:2"), "qa/web.yaml": manifest("web", f"{IMAGE}:1")}
    stage = Stage(tmp_path / "all", files)
    for folder, version in (("dev", "2"), ("qa", "1")):
        sandbox = cluster(clock, tls=False, source=Source(url=str(stage.path), folder=folder))
        sandbox.start()
        assert sandbox.running(IMAGE)[0].versions(IMAGE) == (version,)
        sandbox.stop()
