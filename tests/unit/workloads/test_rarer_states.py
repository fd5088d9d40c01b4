# ruff: noqa: E501
"""States that controllers write seldom or for a moment only: half-filled counters, conditions without words, agents between two revisions."""

from typing import Any

import pytest

from bot.workloads import assess
from bot.workloads.answers import add_up
from bot.workloads.cache import Cache
from bot.workloads.describe import controller, describe
from bot.workloads.fields import instant
from bot.workloads.wanted import overtaken_by, wants
from tests.unit.workloads.test_kinds import NOW, daemonset, deployment, make, pod, rolling, statefulset, waiting

FLUX = "kustomize.toolkit.fluxcd.io/v1"
SOURCE = "source.toolkit.fluxcd.io/v1"
READY = {"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "message": "Applied revision: main@sha1:aaaa"}


def flux(*conditions: dict[str, Any], kind: str = "Kustomization", version: str = FLUX, spec: Any = None, **status: Any) -> dict[str, Any]:
    return make(kind, spec or {}, {"observedGeneration": 2, "conditions": list(conditions)} | status, version=version)


def said(obj: dict[str, Any]) -> tuple[str, str]:
    found = assess(obj, now=NOW)
    return found.state.value, found.reason


@pytest.mark.parametrize(
    ("obj", "state", "words"),
    [
        pytest.param(daemonset(observedGeneration=None), "progressing", "observe", id="daemonset never observed"),
        pytest.param(daemonset(currentNumberScheduled=2), "progressing", "2", id="daemonset lacks a node"),
        pytest.param(daemonset(numberReady=2), "progressing", "2", id="daemonset not ready on one node"),
        pytest.param(statefulset(rolling(0), replicas=4), "progressing", "Pending termination: 1", id="an old pod of a set is left"),
        pytest.param(statefulset(rolling(0), replicas=2), "progressing", "2", id="a pod of a set is not there"),
        pytest.param(
            statefulset({"type": "RollingUpdate"}, currentReplicas=2), "progressing", "2/3", id="a set whose current pods are few"
        ),
        pytest.param(statefulset({"type": "RollingUpdate"}), "healthy", "", id="a set without a partition, complete"),
        pytest.param(
            make("ReplicaSet", {"replicas": 2}, {"observedGeneration": 1}), "progressing", "observed", id="ReplicaSet not observed"
        ),
        pytest.param(
            make("ReplicaSet", {"replicas": 1}, {"observedGeneration": 2, "replicas": 2, "readyReplicas": 2, "availableReplicas": 2}),
            "progressing",
            "Pending termination: 1",
            id="ReplicaSet has one too many",
        ),
        pytest.param(
            make("ReplicaSet", {"replicas": 2}, {"observedGeneration": 2, "replicas": 2, "readyReplicas": 2, "availableReplicas": 1}),
            "progressing",
            "1 out of 2",
            id="ReplicaSet ready but not available",
        ),
        pytest.param(flux(READY, spec={"suspend": True}), "suspended", "spec.suspend", id="Flux suspended keeps Ready"),
        pytest.param(flux(), "progressing", "not been reconciled", id="Flux without a condition"),
        pytest.param(
            flux({"type": "Stalled", "status": "True", "reason": "BuildFailed"}, READY), "degraded", "BuildFailed", id="Flux stalled"
        ),
        pytest.param(
            flux({"type": "Stalled", "status": "True", "observedGeneration": 1}, READY), "healthy", "", id="Flux stalled before this spec"
        ),
        pytest.param(flux(READY, observedGeneration=-1), "progressing", "not observed", id="Flux never observed"),
        pytest.param(flux(READY | {"observedGeneration": 1}), "progressing", "not observed", id="Flux Ready of an older spec"),
        pytest.param(
            flux(READY | {"status": "Unknown", "reason": "Progressing", "message": "checking"}, failures=3),
            "progressing",
            "(3 attempts failed before)",
            id="Flux tries again",
        ),
        pytest.param(
            flux(
                READY | {"status": "Unknown", "message": "old words"},
                {"type": "Reconciling", "status": "True", "reason": "Progressing", "message": "running health checks"},
            ),
            "progressing",
            "running health checks",
            id="Flux reconciling tells more",
        ),
        pytest.param(
            flux(READY, {"type": "Reconciling", "status": "True", "observedGeneration": 2, "message": "building"}),
            "progressing",
            "building",
            id="Flux Ready but reconciling anew",
        ),
        pytest.param(
            flux(READY | {"status": "False", "reason": "DependencyNotReady"}), "progressing", "DependencyNotReady", id="Flux False may wait"
        ),
        pytest.param(
            flux(READY | {"status": "False", "reason": "BuildFailed", "message": ""}), "degraded", "BuildFailed", id="Flux False and failed"
        ),
        pytest.param(
            flux(READY, lastAttemptedRevision="main@sha1:" + "b" * 40, lastAppliedRevision="main@sha1:" + "a" * 40),
            "progressing",
            "bbbbbbb",
            id="a Kustomization is applying the next commit",
        ),
        pytest.param(
            flux(READY, lastAttemptedRevision="main@sha1:" + "b" * 40),
            "progressing",
            "nothing is applied",
            id="a Kustomization's first commit",
        ),
        pytest.param(
            flux(READY, kind="GitRepository", version=SOURCE), "progressing", "no artifact yet", id="a source without an artifact"
        ),
        pytest.param(
            flux(READY, kind="GitRepository", version=SOURCE, artifact={"revision": "main@sha1:a"}), "healthy", "", id="a source with one"
        ),
        pytest.param(
            make("HelmRepository", {"type": "oci"}, None, version=SOURCE),
            "healthy",
            "of type oci",
            id="an OCI HelmRepository has no status",
        ),
        pytest.param(
            make("Gadget", {}, {"observedGeneration": 1, "conditions": [READY]}, version="acme.io/v1"),
            "progressing",
            "latest observed generation is 1",
            id="a stranger's object not observed",
        ),
    ],
)
def test_state(obj: dict[str, Any], state: str, words: str) -> None:
    found, reason = said(obj)
    assert found == state, reason
    assert words in reason


@pytest.mark.parametrize(
    "kind", ["Stalled", "Reconciling", "Ready", "Degraded", "Progressing", "Available", "Failed", "InvalidSpec", "ReplicaFailure"]
)
@pytest.mark.parametrize("status", ["True", "False", "Unknown"])
def test_a_condition_without_words_still_gives_a_reason(kind: str, status: str) -> None:
    bare = {"observedGeneration": 2, "phase": "", "conditions": [{"type": kind, "status": status}]}
    kinds = [("Gadget", "acme.io/v1"), ("Kustomization", FLUX), ("HelmRelease", "helm.toolkit.fluxcd.io/v2"), ("Deployment", "apps/v1")]
    kinds += [
        ("Rollout", "argoproj.io/v1alpha1"),
        ("ApplicationSet", "argoproj.io/v1alpha1"),
        ("Job", "batch/v1"),
        ("ReplicaSet", "apps/v1"),
    ]
    for name, version in kinds:
        state, reason = said(make(name, {"replicas": 1}, dict(bare), version=version))
        assert reason.strip(" :"), (name, state)
        assert not reason.rstrip().endswith(":"), (name, state, reason)


def test_a_rollout_s_phase_that_no_rule_knows_is_unknown_and_named() -> None:
    odd = make("Rollout", {"replicas": 1}, {"observedGeneration": "2", "phase": "Odd"}, version="argoproj.io/v1alpha1")
    assert said(odd) == ("unknown", 'Rollout "web" is in the phase Odd: no rule knows it')


def test_no_judge_at_all_is_unknown() -> None:
    assert add_up(None, None).state == "unknown"


@pytest.mark.parametrize(
    ("container", "words"),
    [
        (
            {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"reason": "Error", "exitCode": 3}}},
            "exit code 3",
        ),
        ({"state": {"terminated": {"reason": "Error", "exitCode": 2}}}, "ended: Error, exit code 2"),
        (
            {"state": {"running": {}}, "restartCount": 4, "lastState": {"terminated": {"reason": "Error", "exitCode": 1}}},
            "restarted 4 times",
        ),
        (waiting("SandboxChanged"), "SandboxChanged"),
    ],
)
def test_a_pod_s_own_words_are_told_under_its_maker(container: dict[str, Any], words: str) -> None:
    made = pod("Running", container=container)
    made["metadata"] |= {"name": "web-1", "uid": "p1", "ownerReferences": [{"uid": "rs", "controller": True}]}
    maker = make("ReplicaSet", {"replicas": 1}, {"observedGeneration": 2})
    maker["metadata"] |= {"uid": "rs", "ownerReferences": [{"uid": "u1", "controller": True}]}
    assert words in assess(deployment({"updatedReplicas": 0}), related=[made, maker], now=NOW).reason


def test_the_controller_is_the_owner_that_says_so() -> None:
    made = make("ReplicaSet", {}, {})
    owners = [{"kind": "Backup", "name": "b", "uid": "1"}, {"kind": "Deployment", "name": "web", "uid": "2", "controller": True}]
    made["metadata"]["ownerReferences"] = owners
    found = controller(made)
    assert found is not None
    assert str(found) == "Deployment shop/web"
    made["metadata"]["ownerReferences"] = owners[:1]
    assert controller(made) is None


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z"])
def test_a_time_that_is_none_is_none(text: str) -> None:
    assert instant({"at": text}, "at") is None
    assert instant({}, "at") is None


def test_a_time_without_a_zone_is_utc() -> None:
    assert instant({"at": "2026-11-20T12:00:00"}, "at") == NOW
    assert instant({"at": "2026-11-20T13:00:00+01:00"}, "at") == NOW


def test_what_is_no_image_is_wanted_word_for_word() -> None:
    assert wants(["{{ image }}"], "{{ image }}")
    assert not wants(["acme/web:1"], "{{ image }}")
    assert overtaken_by(["acme/web:2"], "{{ image }}", [])
    assert not overtaken_by(["acme/web:1"], "acme/web:2", ["acme/web:1"])
    assert overtaken_by(["acme/web:3"], "acme/web:2", ["acme/web:1"])


def seen(name: str, version: int, uid: str = "u", **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", "uid": uid, "resourceVersion": str(version)} | more
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}


def test_what_comes_late_or_twice_or_after_its_end_changes_nothing() -> None:
    cache = Cache()
    assert cache.seen(seen("web", 10))
    assert not cache.seen(seen("web", 10))
    assert not cache.seen(seen("web", 9))
    assert cache.seen(seen("web", 11))
    assert cache.seen(seen("web", 5, uid="v")), "made anew: versions of another object say nothing"
    assert not cache.seen(seen("web", 12)), "the first one is gone for good"
    assert not cache.seen(seen("", 13, uid="w")), "a bookmark has no name and is no object"


def test_deep_owners_that_own_each_other_come_to_an_end() -> None:
    cache = Cache()
    for name, uid, owner in (("a", "1", "2"), ("b", "2", "1"), ("c", "3", "nobody"), ("d", "", "3")):
        cache.seen(seen(name, 1, uid=uid, ownerReferences=[{"uid": owner}, {}]))
    keys = {key[2]: key for key in cache.keys("Deployment")}
    assert cache.family.tops(keys["a"]) == set()
    assert cache.family.tops(keys["d"]) == {keys["c"]}
    assert [obj["metadata"]["name"] for obj in cache.below(keys["c"])] == ["d"]


def test_a_described_object_says_the_same_as_its_assessment() -> None:
    for obj in (daemonset(numberReady=2), flux(READY), pod("Pending", container=waiting("ErrImagePull"))):
        assert (describe(obj, at=NOW).state.value, describe(obj, at=NOW).reason) == said(obj)
