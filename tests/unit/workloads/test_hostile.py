"""Objects of any shape get an answer, and never a good one by accident."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.workloads import assess
from bot.workloads.describe import describe

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KINDS = [
    ("Deployment", "apps/v1"),
    ("StatefulSet", "apps/v1"),
    ("DaemonSet", "apps/v1"),
    ("ReplicaSet", "apps/v1"),
    ("Job", "batch/v1"),
    ("Pod", "v1"),
    ("Application", "argoproj.io/v1alpha1"),
    ("ApplicationSet", "argoproj.io/v1alpha1"),
    ("Rollout", "argoproj.io/v1alpha1"),
    ("Kustomization", "kustomize.toolkit.fluxcd.io/v1"),
    ("HelmRelease", "helm.toolkit.fluxcd.io/v2"),
    ("GitRepository", "source.toolkit.fluxcd.io/v1"),
    ("OCIRepository", "source.toolkit.fluxcd.io/v1beta2"),
    ("ImagePolicy", "image.toolkit.fluxcd.io/v1beta2"),
    ("Gadget", "acme.io/v1"),
]
ODD_REVISIONS = {"operationState": {"phase": "Failed", "syncResult": {"revisions": 7}}, "sync": {"status": "Synced", "revisions": [{}]}}
STATUSES: list[Any] = [
    None,
    {},
    [],
    "x",
    True,
    {"conditions": None},
    {"conditions": "x"},
    {"conditions": [None, 1, {"type": 1, "status": True}]},
    {"observedGeneration": "abc"},
    {"health": "x", "sync": []},
    {"operationState": {"phase": "Failed", "syncResult": {"revisions": [None, {"a": 1}]}}, "sync": 7},
    ODD_REVISIONS,
    {"sync": {"status": "Synced", "comparedTo": 7}, "health": None},
    {"containerStatuses": [None, {"state": None, "lastState": None, "restartCount": None}], "phase": None},
    {"containerStatuses": {"a": 1}, "phase": 7},
    {"artifact": 7, "lastAppliedRevision": 5},
    {"startTime": 7, "conditions": [{"type": "Failed", "status": True}]},
]
SPECS: list[Any] = [{}, None, [], "x", {"replicas": "3"}, {"strategy": None, "template": None}, {"workloadRef": 3}, {"source": 3}]
METADATA: list[Any] = [None, [], "x", {"name": 5, "labels": [], "annotations": 7, "ownerReferences": [None], "finalizers": "x"}]


@pytest.mark.parametrize(("kind", "version"), KINDS)
def test_a_shape_that_no_controller_writes_is_answered_and_never_healthy(kind: str, version: str) -> None:
    related: list[dict[str, Any]] = [
        {},
        {"kind": "Pod"},
        {"kind": "Event", "involvedObject": None},
        {"kind": "ReplicaSet", "metadata": None},
    ]
    for status in STATUSES:
        for spec in SPECS:
            for metadata in ({"name": "web"}, *METADATA):
                obj = {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec, "status": status}
                said = assess(obj, related=related, now=NOW, revisions_wanted=None)
                assert said.reason, obj
                assert said.state != "healthy", obj
                assert describe(obj, related=related, at=NOW).state == said.state


def test_an_object_of_nothing_is_unknown() -> None:
    assert assess({}, now=NOW).state == "unknown"


def test_an_item_of_a_list_is_known_by_its_kind_and_a_time_without_a_zone_is_utc() -> None:
    pending = {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3"}]}
    obj = {"kind": "Pod", "metadata": {"name": "web", "creationTimestamp": "2026-11-20T11:00:00Z"}, "spec": {}, "status": pending}
    assert assess(obj, now=NOW.replace(tzinfo=None)).state == "degraded"
    assert assess({**obj, "apiVersion": "other.io/v1"}, now=NOW).state == "unknown"
