"""The sandbox's objects beside recordings of a real control plane: no field, condition, reason or event that the real one has not.

The other way round is not asked: the sandbox knows fewer fields.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.cluster import ClusterSandbox
from bot.sandbox.cluster.resources import DEPLOYMENTS
from tests.support.clusters import Clock, Stage, cluster, manifest, run, workload
from tests.support.recordings import FOLDER, objects
from tests.support.recordings import read as recording

IMAGE = "ghcr.io/acme/web"
FREE = frozenset({"labels", "annotations", "matchLabels", "uncountedTerminatedPods"})
"""Maps whose keys are names that people choose."""
OWN = {
    "Application": {"status.resources[].namespace"},
    "HelmRelease": {"status.lastAttemptedConfigDigest", "status.storageNamespace"},
    "Kustomization": {"status.inventory", "status.inventory.entries", "status.inventory.entries[].id", "status.inventory.entries[].v"},
}
"""Fields of the published definitions that no recording happens to show."""


def paths(node: Any, where: str = "") -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            here = f"{where}.{key}" if where else key
            yield here
            if key not in FREE:
                yield from paths(value, here)
    elif isinstance(node, list):
        for item in node:
            yield from paths(item, f"{where}[]")


@cache
def real() -> tuple[dict[str, set[str]], dict[str, set[tuple[str, str]]]]:
    """Kind -> paths of metadata and status; kind -> (condition or event, reason)."""
    fields: dict[str, set[str]] = defaultdict(set)
    words: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for file in sorted(FOLDER.glob("[0-9]*.json.gz")):
        for obj in objects(recording(file.name.removesuffix(".json.gz"))):
            if obj["kind"] != "Status":
                note(obj, fields, words)
    return fields, words


def note(obj: dict[str, Any], fields: dict[str, set[str]], words: dict[str, set[tuple[str, str]]]) -> None:
    kind = obj["kind"]
    parts = obj if kind == "Event" else {"metadata": obj.get("metadata"), "status": obj.get("status")}
    fields[kind] |= set(paths(parts))
    for condition in (obj.get("status") or {}).get("conditions") or [] if kind != "Event" else []:
        words[kind].add((condition["type"], condition.get("reason", "")))
    if kind == "Event":
        words[kind].add((obj["involvedObject"]["kind"], obj["reason"]))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, set[str]], dict[str, set[tuple[str, str]]]]:
    """The same of a sandbox in which everything happened that recordings show."""
    fields: dict[str, set[str]] = defaultdict(set)
    words: dict[str, set[tuple[str, str]]] = defaultdict(set)
    helm = (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: search, namespace: flux-system}\n"
        "spec: {chart: {spec: {chart: web, version: 1.2.3}}, values: {image: {repository: x/search, tag: '1'}}}\n"
    )
    for number, agent in enumerate(("flux", "argocd")):
        clock = Clock()
        stage = Stage(tmp_path_factory.mktemp("stage") / str(number), {"git.yaml": manifest("git", f"{IMAGE}:1"), "helm.yaml": helm})
        sandbox = cluster(clock, stage, tls=False, settled=False, agent=agent)
        sandbox.store.listeners.append(lambda change: note(change.obj, fields, words))
        sandbox.start()
        happen(sandbox, clock, stage)
        sandbox.stop()
    return fields, words


def happen(sandbox: ClusterSandbox, clock: Clock, stage: Stage) -> None:
    for version, how in (("2", "crash"), ("3", "pull"), ("4", "hang"), ("5", "bad_later:2")):
        sandbox.behave(IMAGE, version, how)
    sandbox.apply(workload("Job", "good", f"{IMAGE}:1"), workload("Job", "bad", f"{IMAGE}:2", backoffLimit=0))
    kinds = ("Deployment", "StatefulSet", "DaemonSet")
    sandbox.apply(*(workload(kind, "web", f"{IMAGE}:1", **({} if kind == "DaemonSet" else {"replicas": 2})) for kind in kinds))
    run(sandbox, clock, 5)
    for version in ("2", "3", "1", "4", "5"):
        for kind in kinds:
            sandbox.set_image(kind, "shop", "web", f"{IMAGE}:{version}")
        stage.write({"git.yaml": manifest("git", f"{IMAGE}:{version}")})
        run(sandbox, clock, 12)
    paused = sandbox.store.get(DEPLOYMENTS, "shop", "git")
    assert paused is not None
    sandbox.apply(paused | {"spec": paused["spec"] | {"paused": True}})
    run(sandbox, clock, 2)


@pytest.mark.parametrize(
    "kind", ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Pod", "Event", "Application", "Kustomization", "HelmRelease"]
)
def test_no_field_is_invented(told: tuple[dict[str, set[str]], dict[str, set[tuple[str, str]]]], kind: str) -> None:
    ours = {path for path in told[0][kind] if "spec" not in path.split(".")[:1]}
    assert ours, "nothing of this kind was made"
    invented = {path for path in ours - real()[0][kind] if not any(path == own or path.startswith(f"{own}.") for own in OWN.get(kind, ()))}
    assert invented == set()


@pytest.mark.parametrize("kind", ["Deployment", "Job", "Pod", "Event", "Kustomization", "HelmRelease"])
def test_no_reason_is_invented(told: tuple[dict[str, set[str]], dict[str, set[tuple[str, str]]]], kind: str) -> None:
    assert told[1][kind]
    assert told[1][kind] - real()[1][kind] == set()


def test_recordings_are_there() -> None:
    assert len(list(Path(FOLDER).glob("[0-9]*.json.gz"))) > 30
