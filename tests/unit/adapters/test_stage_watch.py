"""What one stage's watch makes of events, without a cluster: a Rollout follows the Deployment whose template it borrows."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from kubernetes.client import Configuration

from bot.adapters.kubernetes.api import Api
from bot.adapters.kubernetes.kinds import KINDS
from bot.adapters.kubernetes.stage import StageWatch
from bot.config.stage import Cluster

KIND = {kind.kind: kind for kind in KINDS}
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OLD, NEW = "ghcr.io/acme/web:1.4.2", "ghcr.io/acme/web:1.5.0"


class Stage:
    def __init__(self) -> None:
        self.told: list[str] = []
        self.versions = count(100)
        self.watch = StageWatch(
            stage="dev", cluster=Cluster(), clock=lambda: NOW, notify=self.told.append, api=Api(configuration=Configuration())
        )

    def comes(self, kind: str, version: str, spec: dict[str, Any], status: dict[str, Any], *, generation: int) -> None:
        metadata = {"name": "web", "namespace": "shop", "uid": f"uid-{kind}", "generation": generation}
        obj = {"apiVersion": version, "kind": kind, "metadata": metadata | {"resourceVersion": str(next(self.versions))}}
        self.watch.event(KIND[kind], "MODIFIED", obj | {"spec": spec, "status": status})

    def deployment(self, image: str, generation: int) -> None:
        """Scaled to nothing, as it stands beside a Rollout that uses it."""
        conditions = [
            {"type": "Available", "status": "True"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
        ]
        spec = {"replicas": 0, "progressDeadlineSeconds": 600, "template": {"spec": {"containers": [{"name": "app", "image": image}]}}}
        self.comes("Deployment", "apps/v1", spec, {"observedGeneration": generation, "conditions": conditions}, generation=generation)

    def rollout(self, phase: str, seen: int) -> None:
        spec = {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}
        status = {"observedGeneration": "1", "phase": phase, "workloadObservedGeneration": str(seen)}
        self.comes("Rollout", "argoproj.io/v1alpha1", spec, status, generation=1)

    def stands(self, kind: str) -> tuple[str, tuple[str, ...]]:
        state = next(state for state in self.watch.snapshot().workloads if state.ref.kind == kind)
        return state.state.value, state.images


def test_a_rollout_changes_with_the_deployment_whose_template_it_uses() -> None:
    stage = Stage()
    stage.deployment(OLD, 1)
    stage.rollout("Healthy", 1)
    assert stage.stands("Rollout") == ("healthy", (OLD,))
    stage.told.clear()
    stage.deployment(NEW, 2)
    assert stage.told == ["dev"]
    assert stage.stands("Deployment") == ("healthy", (NEW,))
    assert stage.stands("Rollout") == ("progressing", (NEW,))
    stage.rollout("Degraded", 2)
    assert stage.stands("Rollout") == ("degraded", (NEW,))
    stage.rollout("Healthy", 2)
    assert stage.stands("Rollout") == ("healthy", (NEW,))


def test_a_rollout_that_comes_before_its_deployment_wants_no_image_yet() -> None:
    stage = Stage()
    stage.rollout("Healthy", 1)
    assert stage.stands("Rollout") == ("healthy", ())
    stage.deployment(NEW, 1)
    assert stage.stands("Rollout") == ("healthy", (NEW,))


def pod(ready: bool) -> dict[str, Any]:
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "uid-web", "controller": True}
    labels = {"controller-revision-hash": "r1"}
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": str(ready)}]}
    metadata = {
        "name": "web-0",
        "namespace": "shop",
        "uid": "uid-pod",
        "labels": labels,
        "ownerReferences": [owner],
        "resourceVersion": "1",
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": []}, "status": status}


def stateful() -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": "app", "image": OLD}]}}
    revision = {"currentRevision": "r1", "updateRevision": "r1"}
    status = revision | {"observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1, "currentReplicas": 1}
    metadata = {"name": "web", "namespace": "shop", "uid": "uid-web", "generation": 1, "resourceVersion": "2"}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata,
        "spec": {"replicas": 1, "template": template},
        "status": status,
    }


def test_lists_are_told_at_once_and_what_they_concern_is_looked_at_once_when_somebody_asks() -> None:
    stage, looks = Stage(), count(1)
    looked = 0

    def clock() -> datetime:
        nonlocal looked
        looked = next(looks)
        return NOW

    stage.watch.clock = clock
    stage.watch.listed(KIND["StatefulSet"], None, [stateful()], 2)
    stage.watch.listed(KIND["Pod"], None, [pod(True)], 1)
    assert stage.told == ["dev", "dev"]
    assert looked == 0
    assert stage.stands("StatefulSet") == ("healthy", (OLD,))
    first = looked
    stage.watch.snapshot()
    assert looked < 2 * first, "nothing is looked at a second time"
    stage.told.clear()
    stage.watch.listed(KIND["StatefulSet"], None, [], 3)
    assert stage.told == ["dev"]
    assert [state.ref.kind for state in stage.watch.snapshot().workloads] == []


def test_a_look_that_fails_is_made_again_and_nothing_is_shown_without_it() -> None:
    stage = Stage()
    stage.watch.listed(KIND["StatefulSet"], None, [stateful()], 2)
    fails = iter([False, True])

    def clock() -> datetime:
        if next(fails, False):
            raise ZeroDivisionError
        return NOW

    stage.watch.clock = clock
    with pytest.raises(ZeroDivisionError):
        stage.watch.snapshot()
    assert stage.stands("StatefulSet") == ("healthy", (OLD,))
