"""One table per kind: what the field's rules say about states that are easy to get wrong."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.workloads import assess
from bot.workloads.describe import describe, until_rolled_out

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
IMAGE = "ghcr.io/acme/web:1.5.0"
TEMPLATE = {"spec": {"initContainers": [{"name": "wait", "image": "busybox:1"}], "containers": [{"name": "app", "image": IMAGE}]}}
AVAILABLE = {"type": "Available", "status": "True"}
PROGRESSED = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
EXCEEDED = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}


def make(kind: str, spec: dict[str, Any], status: dict[str, Any] | None, version: str = "apps/v1", generation: int = 2) -> dict[str, Any]:
    obj: dict[str, Any] = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "generation": generation, "resourceVersion": "10"},
        "spec": spec,
    }
    return obj if status is None else obj | {"status": status}


def deployment(status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    full = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3, "observedGeneration": 2}
    conditions = {"conditions": [AVAILABLE, PROGRESSED]}
    spec = {"replicas": 3, "progressDeadlineSeconds": 600, "template": TEMPLATE} | spec
    merged = {key: value for key, value in (full | conditions | status).items() if value is not None}
    return make("Deployment", spec, merged)


@pytest.mark.parametrize(
    ("obj", "state"),
    [
        pytest.param(deployment({}), "healthy", id="complete"),
        pytest.param(deployment({"observedGeneration": 1}), "progressing", id="the complete status is of the old spec"),
        pytest.param(deployment({"observedGeneration": 1, "conditions": [EXCEEDED]}), "progressing", id="the failure is of the old spec"),
        pytest.param(deployment({"updatedReplicas": None}), "progressing", id="no pod is new though all are available"),
        pytest.param(deployment({"conditions": [AVAILABLE, EXCEEDED], "updatedReplicas": 1}), "degraded", id="deadline, old pods serve"),
        pytest.param(deployment({"replicas": 4}), "progressing", id="an old pod is left"),
        pytest.param(deployment({"availableReplicas": 2}), "progressing", id="ready is not available"),
        pytest.param(deployment({"conditions": [PROGRESSED]}), "progressing", id="not available"),
        pytest.param(deployment({"conditions": None}), "progressing", id="conditions are null"),
        pytest.param(deployment({}, paused=True), "suspended", id="paused though complete"),
        pytest.param(deployment({"observedGeneration": 1}, paused=True), "suspended", id="paused, not observed"),
        pytest.param(
            make("Deployment", {"replicas": 0, "template": TEMPLATE}, {"observedGeneration": 2, "conditions": [AVAILABLE]}),
            "healthy",
            id="zero replicas, no counters at all",
        ),
        pytest.param(
            deployment({"conditions": [AVAILABLE]}, progressDeadlineSeconds=2147483647), "healthy", id="a huge deadline has no condition"
        ),
        pytest.param(deployment({"conditions": [AVAILABLE]}), "progressing", id="with a deadline the condition must say so"),
        pytest.param(deployment({"terminatingReplicas": 2}), "healthy", id="terminating pods do not count"),
        pytest.param(make("Deployment", {"template": TEMPLATE}, {}, generation=1), "progressing", id="status is empty"),
        pytest.param(make("Deployment", {"template": TEMPLATE}, None, generation=1), "progressing", id="status is absent"),
    ],
)
def test_deployment(obj: dict[str, Any], state: str) -> None:
    assert assess(obj, now=NOW).state == state


def statefulset(strategy: dict[str, Any], **status: Any) -> dict[str, Any]:
    full = {"observedGeneration": 2, "replicas": 3, "readyReplicas": 3, "currentReplicas": 3, "updatedReplicas": 3}
    revisions = {"currentRevision": "web-2", "updateRevision": "web-2"}
    merged = {key: value for key, value in (full | revisions | status).items() if value is not None}
    return make("StatefulSet", {"replicas": 3, "updateStrategy": strategy, "template": TEMPLATE}, merged)


def rolling(partition: int) -> dict[str, Any]:
    return {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}


@pytest.mark.parametrize(
    ("obj", "state", "rolled_out"),
    [
        pytest.param(statefulset(rolling(0)), "healthy", True, id="complete"),
        pytest.param(statefulset(rolling(0), updatedReplicas=2), "progressing", False, id="one pod is old"),
        pytest.param(statefulset(rolling(0), readyReplicas=2), "progressing", True, id="one pod is not ready"),
        pytest.param(statefulset(rolling(2), updatedReplicas=1, currentReplicas=2), "healthy", True, id="a partition keeps two back"),
        pytest.param(statefulset(rolling(2), updatedReplicas=None), "progressing", False, id="a partition, and no pod is new"),
        pytest.param(
            statefulset(rolling(3), updatedReplicas=None, updateRevision="web-3"), "healthy", False, id="a partition keeps all back"
        ),
        pytest.param(statefulset(rolling(3)), "healthy", True, id="a partition, and nothing is to be updated"),
        pytest.param(statefulset({"type": "OnDelete"}, updatedReplicas=None), "healthy", False, id="OnDelete, no pod is new"),
        pytest.param(statefulset({"type": "OnDelete"}), "healthy", True, id="OnDelete, all are new"),
        pytest.param(statefulset({"type": "OnDelete"}, readyReplicas=2), "progressing", True, id="OnDelete, one is not ready"),
        pytest.param(statefulset(rolling(0), observedGeneration=None), "progressing", True, id="never observed"),
        pytest.param(statefulset(rolling(0), observedGeneration=1), "progressing", True, id="not observed"),
        pytest.param(statefulset({"type": "RollingUpdate"}, updateRevision="web-3"), "progressing", True, id="revisions differ"),
    ],
)
def test_statefulset(obj: dict[str, Any], state: str, rolled_out: bool) -> None:
    described = describe(obj, at=NOW)
    assert (described.state, described.rolled_out) == (state, rolled_out)
    assert (until_rolled_out(described).state == "healthy") == (state == "healthy" and rolled_out)


def daemonset(strategy: str = "RollingUpdate", **status: Any) -> dict[str, Any]:
    full = {"observedGeneration": 2, "desiredNumberScheduled": 3, "currentNumberScheduled": 3}
    counts = {"updatedNumberScheduled": 3, "numberAvailable": 3, "numberReady": 3}
    merged = {key: value for key, value in (full | counts | status).items() if value is not None}
    return make("DaemonSet", {"updateStrategy": {"type": strategy}, "template": TEMPLATE}, merged)


@pytest.mark.parametrize(
    ("obj", "state"),
    [
        pytest.param(daemonset(), "healthy", id="complete"),
        pytest.param(daemonset(updatedNumberScheduled=1), "progressing", id="two nodes are old"),
        pytest.param(daemonset("OnDelete", updatedNumberScheduled=None), "progressing", id="OnDelete, no pod is new"),
        pytest.param(daemonset("OnDelete"), "healthy", id="OnDelete, all are new"),
        pytest.param(daemonset(numberAvailable=2), "progressing", id="not available on one"),
        pytest.param(daemonset(desiredNumberScheduled=None), "progressing", id="never counted"),
        pytest.param(daemonset(desiredNumberScheduled=0, currentNumberScheduled=0, updatedNumberScheduled=0), "healthy", id="no node"),
        pytest.param(daemonset(observedGeneration=1), "progressing", id="not observed"),
    ],
)
def test_daemonset(obj: dict[str, Any], state: str) -> None:
    assert assess(obj, now=NOW).state == state


def job(*conditions: tuple[str, str], **status: Any) -> dict[str, Any]:
    listed = [{"type": kind, "status": value, "message": kind} for kind, value in conditions]
    return make("Job", {"template": TEMPLATE}, {"conditions": listed, "startTime": "2026-11-20T11:59:00Z"} | status, version="batch/v1")


@pytest.mark.parametrize(
    ("obj", "state"),
    [
        pytest.param(job(active=1), "progressing", id="running"),
        pytest.param(job(("SuccessCriteriaMet", "True")), "progressing", id="about to complete"),
        pytest.param(job(("SuccessCriteriaMet", "True"), ("Complete", "True")), "healthy", id="complete"),
        pytest.param(job(("FailureTarget", "True")), "progressing", id="about to fail"),
        pytest.param(job(("FailureTarget", "True"), ("Failed", "True")), "degraded", id="failed"),
        pytest.param(job(("Suspended", "True")), "suspended", id="suspended"),
        pytest.param(job(("Suspended", "False"), active=1), "progressing", id="resumed and running is not complete"),
        pytest.param(job(("Suspended", "False"), ("Complete", "True")), "healthy", id="resumed and complete"),
        pytest.param(job(("Failed", "False"), ("Complete", "False")), "progressing", id="listed is not standing"),
        pytest.param(make("Job", {}, {}, version="batch/v1"), "progressing", id="not started"),
    ],
)
def test_job(obj: dict[str, Any], state: str) -> None:
    assert assess(obj, now=NOW).state == state


@pytest.mark.parametrize(
    ("spec", "status", "state"),
    [
        ({"suspend": True}, {}, "suspended"),
        ({}, None, "progressing"),
        ({}, {}, "healthy"),
        ({}, {"lastScheduleTime": "2026-11-20T11:00:00Z"}, "healthy"),
        ({}, {"lastScheduleTime": "2026-11-20T11:00:00Z", "lastSuccessfulTime": "2026-11-20T11:00:09Z"}, "healthy"),
        ({}, {"lastScheduleTime": "2026-11-20T11:00:00Z", "lastSuccessfulTime": "2026-11-20T10:00:09Z"}, "degraded"),
        ({}, {"lastScheduleTime": "2026-11-20T11:00:00Z", "lastSuccessfulTime": "2026-11-20T10:00:09Z", "active": [{}]}, "healthy"),
    ],
)
def test_cronjob(spec: dict[str, Any], status: dict[str, Any] | None, state: str) -> None:
    assert assess(make("CronJob", spec, status, version="batch/v1"), now=NOW).state == state


def test_replicaset_that_cannot_make_pods_is_degraded() -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: pods"}
    said = assess(make("ReplicaSet", {"replicas": 2}, {"observedGeneration": 2, "conditions": [failure]}), now=NOW)
    assert (said.state, said.reason) == ("degraded", "FailedCreate: exceeded quota: pods")


def test_a_replicaset_whose_pods_lack_a_label_is_not_there_yet() -> None:
    status = {"observedGeneration": 2, "replicas": 2, "readyReplicas": 2, "availableReplicas": 2, "fullyLabeledReplicas": 1}
    assert assess(make("ReplicaSet", {"replicas": 2}, status), now=NOW).state == "progressing"
    assert assess(make("ReplicaSet", {"replicas": 2}, status | {"fullyLabeledReplicas": 2}), now=NOW).state == "healthy"


def pod(phase: str, *, container: dict[str, Any] | None = None, init: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    status: dict[str, Any] = {"phase": phase}
    if container is not None:
        status["containerStatuses"] = [{"name": "app"} | container]
    if init is not None:
        status["initContainerStatuses"] = [{"name": "wait"} | init]
    spec = {"restartPolicy": more.pop("restart", "Always"), "containers": [{"name": "app", "image": IMAGE}]}
    made = make("Pod", spec, status | more, version="v1")
    made["metadata"]["creationTimestamp"] = "2026-11-20T11:59:30Z"
    return made


def waiting(reason: str, message: str = "told") -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}}


UNSCHEDULABLE = {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]}


@pytest.mark.parametrize(
    ("obj", "state", "words"),
    [
        (pod("Pending", container=waiting("ImagePullBackOff")), "degraded", "ImagePullBackOff: told"),
        (pod("Pending", container=waiting("ErrImagePull")), "degraded", "ErrImagePull"),
        (pod("Pending", container=waiting("InvalidImageName")), "degraded", "InvalidImageName"),
        (pod("Pending", container=waiting("CreateContainerConfigError")), "degraded", "CreateContainerConfigError"),
        (pod("Running", container=waiting("CrashLoopBackOff")), "degraded", "CrashLoopBackOff"),
        (pod("Pending", container=waiting("PodInitializing"), init=waiting("CrashLoopBackOff")), "degraded", 'container "wait"'),
        (pod("Pending", container=waiting("ContainerCreating")), "progressing", "pending"),
        (pod("Pending", container=waiting("ImagePullBackOff"), restart="Never"), "progressing", "ImagePullBackOff"),
        (pod("Pending", **UNSCHEDULABLE), "degraded", "Unschedulable: 0/3 nodes"),
        (pod("Running", conditions=[{"type": "Ready", "status": "True"}]), "healthy", "ready"),
        (pod("Running", conditions=[{"type": "Ready", "status": "False"}]), "progressing", "not ready"),
        (pod("Running", restart="Never"), "progressing", "running"),
        (pod("Succeeded"), "healthy", "completed"),
        (pod("Failed", reason="Evicted", message="The node was low on memory."), "degraded", "Evicted: The node was low"),
        (
            pod("Running", container={"state": {"running": {}}, "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}),
            "degraded",
            "OOMKilled, exit code 137",
        ),
        (pod("Odd"), "unknown", "Odd"),
        (pod("Unknown"), "unknown", "Unknown"),
        (pod(""), "progressing", "no phase"),
        (pod("Running", container=waiting("CrashLoopBackOff"), restart="OnFailure"), "degraded", "CrashLoopBackOff"),
        (pod("Pending", container=waiting("SignatureValidationFailed")), "degraded", "SignatureValidationFailed"),
        (pod("Pending", container=waiting("RegistryUnavailable")), "degraded", "RegistryUnavailable"),
        (pod("Pending", container=waiting("PodInitializing"), init={"state": {"running": {}}, "started": True}), "progressing", "pending"),
        (
            pod("Running", init=waiting("CrashLoopBackOff"), conditions=[{"type": "Ready", "status": "False"}]),
            "degraded",
            'container "wait"',
        ),
        (
            pod(
                "Running",
                init={"ready": True, "restartCount": 1, "state": {"running": {}}},
                conditions=[{"type": "Ready", "status": "True"}],
            ),
            "healthy",
            "ready",
        ),
        (
            pod("Running", conditions=[{"type": "ContainersReady", "status": "True"}, {"type": "Ready", "status": "False"}]),
            "progressing",
            "not ready",
        ),
        (
            pod("Pending", conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]),
            "progressing",
            "pending",
        ),
    ],
)
def test_pod(obj: dict[str, Any], state: str, words: str) -> None:
    said = assess(obj, now=NOW)
    assert said.state == state
    assert words in said.reason


def test_a_young_pod_is_given_time_to_be_scheduled() -> None:
    obj = pod("Pending", **UNSCHEDULABLE)
    obj["metadata"]["creationTimestamp"] = "2026-11-20T11:59:50Z"
    assert assess(obj, now=NOW).state == "progressing"


def child(kind: str, name: str, owner: str, uid: str, **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "uid": uid, "ownerReferences": [{"uid": owner, "controller": True}]}
    return {"kind": kind, "metadata": metadata | more.pop("metadata", {})} | more


def test_the_words_are_those_of_the_newest_replicasets_pods() -> None:
    revision = "deployment.kubernetes.io/revision"
    old = child("ReplicaSet", "web-old", "u1", "rs-old", metadata={"annotations": {revision: "9"}})
    new = child("ReplicaSet", "web-new", "u1", "rs-new", metadata={"annotations": {revision: "10"}})
    crashed = {"phase": "Running", "containerStatuses": [{"name": "app"} | waiting("CrashLoopBackOff", "the new one")]}
    left = {"phase": "Running", "containerStatuses": [{"name": "app"} | waiting("CrashLoopBackOff", "the old one")]}
    related = [
        child("Pod", "web-old-1", "rs-old", "p1", status=left),
        old,
        new,
        child("Pod", "web-new-1", "rs-new", "p2", status=crashed),
        child("Pod", "other", "somebody", "p3", status=left),
    ]
    said = assess(deployment({"updatedReplicas": 1}), related=related, now=NOW)
    assert said.state == "progressing"
    assert "Pod web-new-1" in said.reason
    assert "the old one" not in said.reason


def test_a_missing_service_account_leaves_only_the_makers_words() -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": 'serviceaccount "web" not found'}
    said = assess(deployment({"updatedReplicas": None, "conditions": [AVAILABLE, EXCEEDED, failure]}), now=NOW)
    assert said.state == "degraded"
    assert 'serviceaccount "web" not found' in said.reason


def test_a_statefulset_without_pods_is_explained_by_its_event() -> None:
    event = {
        "kind": "Event",
        "type": "Warning",
        "reason": "FailedCreate",
        "message": "exceeded quota",
        "involvedObject": {"kind": "StatefulSet", "uid": "u1"},
    }
    said = assess(statefulset(rolling(0), readyReplicas=None, replicas=None), related=[event], now=NOW)
    assert "exceeded quota" in said.reason


def compared(source: dict[str, Any]) -> dict[str, Any]:
    obj = application("Healthy")
    obj["status"]["sync"] = {"status": "Synced", "revision": "1.5.0", "comparedTo": {"source": source}}
    obj["spec"]["source"] = {"chart": "web", "targetRevision": "1.5.0", "helm": {}}
    return obj


def application(health: str, sync: str = "Synced", **status: Any) -> dict[str, Any]:
    full: dict[str, Any] = {"health": {"status": health}, "sync": {"status": sync, "revision": "b" * 40}}
    spec = {"syncPolicy": {"automated": {}}}
    return make("Application", spec, full | status, version="argoproj.io/v1alpha1")


@pytest.mark.parametrize(
    ("obj", "state", "words"),
    [
        (application("Healthy"), "healthy", "Synced and Healthy"),
        (application("Healthy", "OutOfSync"), "progressing", "about to sync"),
        (application("Healthy") | {"operation": {"sync": {}}}, "progressing", "about to sync"),
        (application("Healthy", operationState={"phase": "Running", "message": "waves"}), "progressing", "waves"),
        (
            application("Healthy", operationState={"phase": "Failed", "message": "invalid", "syncResult": {"revision": "b" * 40}}),
            "degraded",
            "invalid",
        ),
        (
            application("Healthy", "OutOfSync", operationState={"phase": "Failed", "syncResult": {"revision": "a" * 40}}),
            "progressing",
            "OutOfSync",
        ),
        (application("Degraded", "OutOfSync"), "degraded", "Degraded"),
        (application("Suspended"), "suspended", "Suspended"),
        (application("Missing", "OutOfSync"), "progressing", "not there yet"),
        (application("Unknown"), "unknown", "Unknown"),
        (application("Healthy", "Unknown"), "unknown", "cannot be compared"),
        (compared({"chart": "web", "targetRevision": "1.4.2"}), "progressing", "its source was changed"),
        (compared({"chart": "web", "targetRevision": "1.5.0"}), "healthy", "Synced"),
    ],
)
def test_application(obj: dict[str, Any], state: str, words: str) -> None:
    said = assess(obj, now=NOW)
    assert said.state == state
    assert words in said.reason


def test_an_application_that_waits_for_a_person_says_so() -> None:
    obj = application("Healthy", "OutOfSync")
    obj["spec"] = {"syncPolicy": {"automated": {"enabled": False}}}
    assert "automated sync is off" in assess(obj, now=NOW).reason


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        ([("ErrorOccurred", "True"), ("ResourcesUpToDate", "True")], "degraded"),
        ([("ErrorOccurred", "False"), ("ResourcesUpToDate", "False")], "degraded"),
        ([("ResourcesUpToDate", "True"), ("RolloutProgressing", "True")], "progressing"),
        ([("ErrorOccurred", "False"), ("ResourcesUpToDate", "True")], "healthy"),
        ([], "progressing"),
    ],
)
def test_applicationset(conditions: list[tuple[str, str]], state: str) -> None:
    listed = [{"type": kind, "status": value} for kind, value in conditions]
    assert assess(make("ApplicationSet", {}, {"conditions": listed}, version="argoproj.io/v1alpha1"), now=NOW).state == state


def flux(kind: str, group: str, ready: tuple[str, str], *, generation: int = 2, **status: Any) -> dict[str, Any]:
    listed = [{"type": "Ready", "status": ready[0], "reason": ready[1], "observedGeneration": 2}]
    spec = {"sourceRef": {"kind": "GitRepository", "name": "deploy"}}
    return make(
        kind, spec, {"observedGeneration": 2, "conditions": listed} | status, version=f"{group}.toolkit.fluxcd.io/v1", generation=generation
    )


def test_a_kustomization_is_held_against_what_its_source_has_reached() -> None:
    obj = flux("Kustomization", "kustomize", ("True", "ReconciliationSucceeded"), lastAppliedRevision=f"main@sha1:{'a' * 40}")
    source = {"kind": "GitRepository", "metadata": {"name": "deploy", "namespace": "shop"}}
    behind = source | {"status": {"artifact": {"revision": f"main@sha1:{'b' * 40}"}}}
    level = source | {"status": {"artifact": {"revision": f"main@sha1:{'a' * 40}"}}}
    assert assess(obj, now=NOW).state == "healthy"
    assert assess(obj, related=[level], now=NOW).state == "healthy"
    assert assess(obj, related=[behind], now=NOW).state == "progressing"
    assert assess(obj, now=NOW, revisions_wanted={"b" * 40}).state == "progressing"
    assert assess(obj, now=NOW, revisions_wanted={"b" * 40, "a" * 40}).state == "healthy"
    assert describe(obj, at=NOW).revision == "a" * 40


def test_an_application_that_has_compared_but_not_applied_the_wanted_commit_tells_of_the_older_one() -> None:
    status = {
        "sync": {"status": "OutOfSync", "revision": "b" * 40},
        "health": {"status": "Degraded"},
        "operationState": {"phase": "Succeeded", "syncResult": {"revision": "a" * 40}},
    }
    obj = make("Application", {}, status, version="argoproj.io/v1alpha1")
    assert assess(obj, now=NOW).state == "degraded"
    asked = assess(obj, now=NOW, revisions_wanted={"b" * 40})
    assert asked.state == "progressing"
    assert "bbbbbbbbbbbb is compared, but not applied yet; aaaaaaaaaaaa runs" in asked.reason
    assert assess(obj, now=NOW, revisions_wanted={"a" * 40, "b" * 40}).state == "degraded"


def test_a_release_that_calls_itself_ready_after_its_rollback_is_a_failure() -> None:
    obj = flux("HelmRelease", "helm", ("True", "RollbackSucceeded"))
    assert assess(obj, now=NOW).state == "degraded"
    assert "the old version runs" in assess(obj, now=NOW).reason


@pytest.mark.parametrize("kind", ["GitRepository", "OCIRepository"])
def test_a_flux_source_needs_an_artifact(kind: str) -> None:
    ready = ("True", "Succeeded")
    assert assess(flux(kind, "source", ready), now=NOW).state == "progressing"
    assert assess(flux(kind, "source", ready, artifact={"revision": "main@sha1:abc"}), now=NOW).state == "healthy"
    assert assess(flux(kind, "source", ("False", "GitOperationFailed")), now=NOW).state == "degraded"
    assert assess(flux(kind, "source", ready, generation=3, artifact={}), now=NOW).state == "progressing"


@pytest.mark.parametrize("reason", ["DependencyNotReady", "HealthCheckCanceled", "SourceNotReady"])
def test_flux_not_ready_may_mean_wait(reason: str) -> None:
    assert assess(flux("HelmRelease", "helm", ("False", reason)), now=NOW).state == "progressing"


def argo_rollout(**status: Any) -> dict[str, Any]:
    return make("Rollout", {"replicas": 2, "strategy": {"canary": {}}, "template": TEMPLATE}, status, version="argoproj.io/v1alpha1")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({"observedGeneration": "2", "phase": "Healthy"}, "healthy"),
        ({"observedGeneration": "1", "phase": "Healthy"}, "progressing"),
        ({"observedGeneration": "2", "phase": "Paused", "message": "CanaryPauseStep"}, "suspended"),
        ({"observedGeneration": "2", "phase": "Degraded", "message": "RolloutAborted: metric failed"}, "degraded"),
        ({"observedGeneration": "7bcdbf7bd9", "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}, "progressing"),
        (
            {"observedGeneration": "7bcdbf7bd9", "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
            | {"currentPodHash": "x", "stableRS": "x"},
            "healthy",
        ),
        ({"observedGeneration": "2", "phase": "Sideways"}, "unknown"),
        ({}, "progressing"),
    ],
)
def test_argo_rollout(status: dict[str, Any], state: str) -> None:
    assert assess(argo_rollout(**status), now=NOW).state == state


def test_a_blue_green_switch_waits_for_its_analysis() -> None:
    status = {"observedGeneration": "7bcdbf7bd9", "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
    switched = status | {"currentPodHash": "new", "blueGreen": {"activeSelector": "new"}}
    for stable, state in (("old", "progressing"), ("new", "healthy")):
        obj = argo_rollout(**switched, stableRS=stable)
        obj["spec"]["strategy"] = {"blueGreen": {}}
        assert assess(obj, now=NOW).state == state


def test_a_flux_image_policy_is_judged_like_any_flux_object() -> None:
    assert assess(flux("ImagePolicy", "image", ("False", "NoTag")), now=NOW).state == "degraded"
    suspended = flux("ImageRepository", "image", ("True", "Succeeded"))
    suspended["spec"]["suspend"] = True
    assert assess(suspended, now=NOW).state == "suspended"


def test_an_object_that_is_being_deleted_progresses() -> None:
    obj = deployment({})
    obj["metadata"] |= {"deletionTimestamp": "2026-11-20T11:00:00Z", "finalizers": ["foregroundDeletion"]}
    said = assess(obj, now=NOW)
    assert (said.state, "foregroundDeletion" in said.reason) == ("progressing", True)


def test_an_unknown_kind_is_never_healthy_by_silence() -> None:
    obj = make("Gadget", {}, {}, version="acme.io/v1")
    assert assess(obj, now=NOW).state == "unknown"
    obj["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}
    assert assess(obj, now=NOW).state == "healthy"
    obj["status"] = {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]}
    assert assess(obj, now=NOW).state == "progressing"


def test_describing_names_all_images_and_changes_nothing() -> None:
    obj = deployment({})
    before = deepcopy(obj)
    described = describe(obj, at=NOW)
    assert described.images == ("busybox:1", IMAGE)
    assert (described.generation, described.replicas, str(described.ref)) == (2, 3, "Deployment shop/web")
    assert obj == before
