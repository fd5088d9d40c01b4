"""Workloads of the sandbox cluster over time, by the field's rules. The clock is moved by hand: nothing sleeps."""

from collections.abc import Iterator
from typing import Any

import pytest

from bot.sandbox.cluster import ClusterSandbox
from bot.sandbox.cluster.resources import CRONJOBS, DAEMONSETS, DEPLOYMENTS, EVENTS, JOBS, PODS, REPLICASETS, STATEFULSETS, Resource
from tests.support.clusters import Clock, cluster, run, workload

IMAGE = "ghcr.io/acme/web"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[ClusterSandbox]:
    made = cluster(clock, tls=False, settled=False)
    made.start()
    yield made
    made.stop()


def status(sandbox: ClusterSandbox, resource: Resource, name: str) -> dict[str, Any]:
    found = sandbox.store.get(resource, "shop", name)
    assert found is not None
    return dict(found.get("status") or {})


def conditions(status: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {one["type"]: (one["status"], one["reason"]) for one in status["conditions"]}


def counters(status: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in status.items() if key not in ("conditions", "observedGeneration")}


def waiting_reasons(sandbox: ClusterSandbox) -> set[str]:
    states = [one["state"] for pod in sandbox.store.all(PODS) for one in pod["status"].get("containerStatuses") or []]
    return {str((state.get("waiting") or state.get("terminated") or {"reason": "running"})["reason"]) for state in states}


def test_a_first_deploy_becomes_available(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.apply(workload("Deployment", "web", f"{IMAGE}:1", replicas=3))
    run(sandbox, clock, 0.25)
    assert "readyReplicas" not in status(sandbox, DEPLOYMENTS, "web")
    run(sandbox, clock, 4)
    after = status(sandbox, DEPLOYMENTS, "web")
    assert counters(after) == {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}
    assert conditions(after) == {
        "Available": ("True", "MinimumReplicasAvailable"),
        "Progressing": ("True", "NewReplicaSetAvailable"),
    }


def test_right_after_the_change_the_complete_status_is_the_old_one(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.apply(workload("Deployment", "web", f"{IMAGE}:1", replicas=3))
    run(sandbox, clock, 4)
    sandbox.set_image("Deployment", "shop", "web", f"{IMAGE}:2")
    stale = sandbox.store.get(DEPLOYMENTS, "shop", "web")
    assert stale is not None
    assert (stale["metadata"]["generation"], stale["status"]["observedGeneration"]) == (2, 1)
    seen = []
    sandbox.store.listeners.append(lambda change: seen.append(change.obj) if change.resource is DEPLOYMENTS else None)
    run(sandbox, clock, 0.25)
    assert "updatedReplicas" not in seen[0]["status"]
    assert seen[0]["status"]["observedGeneration"] == 2


def test_a_rolling_update_never_has_too_few_or_too_many(sandbox: ClusterSandbox, clock: Clock) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}
    sandbox.apply(workload("Deployment", "web", f"{IMAGE}:1", replicas=4, strategy=strategy))
    run(sandbox, clock, 6)
    sandbox.set_image("Deployment", "shop", "web", f"{IMAGE}:2")
    for _ in range(40):
        run(sandbox, clock, 0.2, step=0.05)
        now = status(sandbox, DEPLOYMENTS, "web")
        assert now["replicas"] <= 5
        assert now["availableReplicas"] >= 3
    assert now["updatedReplicas"] == now["replicas"] == now["availableReplicas"] == 4
    assert {one["spec"]["replicas"] for one in sandbox.store.all(REPLICASETS)} == {0, 4}


def test_recreate_takes_all_down_before(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.apply(workload("Deployment", "web", f"{IMAGE}:1", replicas=2, strategy={"type": "Recreate"}))
    run(sandbox, clock, 4)
    sandbox.set_image("Deployment", "shop", "web", f"{IMAGE}:2")
    images = set()
    for _ in range(40):
        run(sandbox, clock, 0.1, step=0.05)
        images.add(frozenset(pod["spec"]["containers"][0]["image"] for pod in sandbox.store.all(PODS)))
    assert {frozenset({f"{IMAGE}:1"}), frozenset({f"{IMAGE}:2"})} <= images
    assert all(len(together) <= 1 for together in images), "old and new never run side by side"


def test_a_crash_loop_runs_into_the_deadline_while_old_pods_serve(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.behave(IMAGE, "2", "crash")
    sandbox.apply(workload("Deployment", "web", f"{IMAGE}:1", replicas=3))
    run(sandbox, clock, 5)
    sandbox.set_image("Deployment", "shop", "web", f"{IMAGE}:2")
    reasons: set[str] = set()
    for _ in range(120):
        run(sandbox, clock, 0.1)
        reasons |= waiting_reasons(sandbox)
    assert {"CrashLoopBackOff", "Error", "running"} <= reasons
    assert conditions(status(sandbox, DEPLOYMENTS, "web")) == {
        "Available": ("True", "MinimumReplicasAvailable"),
        "Progressing": ("False", "ProgressDeadlineExceeded"),
    }
    worst = max(one["restartCount"] for pod in sandbox.store.all(PODS) for one in pod["status"]["containerStatuses"])
    assert worst >= 3
    assert any(event["reason"] == "BackOff" and event["type"] == "Warning" for event in sandbox.store.all(EVENTS))


def test_rolling_back_uses_the_old_replicaset_with_a_new_revision(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.behave(IMAGE, "2", "crash")
    sandbox.apply(workload("Deployment", "web", f"{IMAGE}:1", replicas=3))
    run(sandbox, clock, 5)
    sandbox.set_image("Deployment", "shop", "web", f"{IMAGE}:2")
    run(sandbox, clock, 12)
    sandbox.set_image("Deployment", "shop", "web", f"{IMAGE}:1")
    run(sandbox, clock, 5)
    found = sandbox.store.get(DEPLOYMENTS, "shop", "web")
    assert found is not None
    assert conditions(found["status"])["Progressing"] == ("True", "NewReplicaSetAvailable")
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    assert len(sandbox.store.all(REPLICASETS)) == 2


def test_image_pull_errors_alternate(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.behave(IMAGE, "2", "pull")
    sandbox.apply(workload("Deployment", "web", f"{IMAGE}:2", replicas=1))
    reasons = set()
    for _ in range(20):
        run(sandbox, clock, 0.25)
        reasons |= waiting_reasons(sandbox)
    assert reasons == {"ContainerCreating", "ErrImagePull", "ImagePullBackOff"}


def test_a_hanging_version_runs_and_is_never_ready(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.behave(IMAGE, "2", "hang")
    sandbox.apply(workload("Deployment", "web", f"{IMAGE}:2", replicas=1))
    run(sandbox, clock, 12)
    assert waiting_reasons(sandbox) == {"running"}
    assert conditions(status(sandbox, DEPLOYMENTS, "web"))["Progressing"] == ("False", "ProgressDeadlineExceeded")


def test_a_version_that_turns_bad_later_completes_first(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.behave(IMAGE, "2", "bad_later:5")
    sandbox.apply(workload("Deployment", "web", f"{IMAGE}:2", replicas=2))
    run(sandbox, clock, 4)
    assert status(sandbox, DEPLOYMENTS, "web")["availableReplicas"] == 2
    run(sandbox, clock, 6)
    after = status(sandbox, DEPLOYMENTS, "web")
    assert "availableReplicas" not in after
    assert conditions(after)["Progressing"] == ("True", "NewReplicaSetAvailable"), "the field does not take the verdict back"


def test_a_running_version_can_be_broken_and_healed(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.apply(workload("Deployment", "web", f"{IMAGE}:1", replicas=2))
    run(sandbox, clock, 4)
    sandbox.behave(IMAGE, "1", "crash")
    run(sandbox, clock, 2)
    assert "availableReplicas" not in status(sandbox, DEPLOYMENTS, "web")
    sandbox.behave(IMAGE, "1", "ok")
    run(sandbox, clock, 3)
    assert status(sandbox, DEPLOYMENTS, "web")["availableReplicas"] == 2


def test_a_broken_init_container_keeps_the_pod_pending(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.behave("ghcr.io/acme/migrate", "2", "crash")
    deployment = workload("Deployment", "web", f"{IMAGE}:1", replicas=1)
    deployment["spec"]["template"]["spec"]["initContainers"] = [{"name": "migrate", "image": "ghcr.io/acme/migrate:2"}]
    sandbox.apply(deployment)
    run(sandbox, clock, 5)
    (pod,) = sandbox.store.all(PODS)
    assert pod["status"]["phase"] == "Pending"
    assert pod["status"]["initContainerStatuses"][0]["restartCount"] >= 1
    assert pod["status"]["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}


def test_paused_and_scaled_to_zero(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.apply(workload("Deployment", "web", f"{IMAGE}:1", replicas=0), workload("Deployment", "still", f"{IMAGE}:1", replicas=1))
    run(sandbox, clock, 4)
    assert counters(status(sandbox, DEPLOYMENTS, "web")) == {}
    still = sandbox.store.get(DEPLOYMENTS, "shop", "still")
    assert still is not None
    sandbox.apply(still | {"spec": still["spec"] | {"paused": True}})
    run(sandbox, clock, 1)
    assert conditions(status(sandbox, DEPLOYMENTS, "still"))["Progressing"] == ("Unknown", "DeploymentPaused")


def test_a_statefulset_goes_from_the_highest_place_down_one_by_one(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.apply(workload("StatefulSet", "db", f"{IMAGE}:1", replicas=3))
    run(sandbox, clock, 6)
    sandbox.set_image("StatefulSet", "shop", "db", f"{IMAGE}:2")
    order: list[str] = []
    for _ in range(120):
        run(sandbox, clock, 0.05, step=0.05)
        assert status(sandbox, STATEFULSETS, "db")["readyReplicas"] >= 2
        for pod in sandbox.store.all(PODS):
            if pod["spec"]["containers"][0]["image"].endswith(":2") and pod["metadata"]["name"] not in order:
                order.append(pod["metadata"]["name"])
    assert order == ["db-2", "db-1", "db-0"]
    done = status(sandbox, STATEFULSETS, "db")
    assert done["currentRevision"] == done["updateRevision"]


@pytest.mark.parametrize(
    ("strategy", "renewed"),
    [
        ({"type": "OnDelete"}, set()),
        ({"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}, {"db-2"}),
    ],
)
def test_a_statefulset_keeps_what_its_strategy_keeps(
    sandbox: ClusterSandbox, clock: Clock, strategy: dict[str, Any], renewed: set[str]
) -> None:
    sandbox.apply(workload("StatefulSet", "db", f"{IMAGE}:1", replicas=3, updateStrategy=strategy))
    run(sandbox, clock, 6)
    sandbox.set_image("StatefulSet", "shop", "db", f"{IMAGE}:2")
    run(sandbox, clock, 6)
    new = {pod["metadata"]["name"] for pod in sandbox.store.all(PODS) if pod["spec"]["containers"][0]["image"].endswith(":2")}
    assert new == renewed
    after = status(sandbox, STATEFULSETS, "db")
    assert after["currentRevision"] != after["updateRevision"]


def test_a_broken_statefulset_stays_stuck_until_its_pod_is_deleted(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.behave(IMAGE, "2", "crash")
    sandbox.apply(workload("StatefulSet", "db", f"{IMAGE}:1", replicas=2))
    run(sandbox, clock, 5)
    for version in ("2", "1"):
        sandbox.set_image("StatefulSet", "shop", "db", f"{IMAGE}:{version}")
        run(sandbox, clock, 5)
    assert status(sandbox, STATEFULSETS, "db")["readyReplicas"] == 1
    sandbox.store.remove(PODS, "shop", "db-1")
    run(sandbox, clock, 5)
    assert status(sandbox, STATEFULSETS, "db")["readyReplicas"] == 2


def test_a_daemonset_runs_on_every_node_and_replaces_one_at_a_time(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.apply(workload("DaemonSet", "agent", f"{IMAGE}:1"))
    run(sandbox, clock, 3)
    assert {pod["spec"]["nodeName"] for pod in sandbox.store.all(PODS)} == {"node-a", "node-b", "node-c"}
    sandbox.set_image("DaemonSet", "shop", "agent", f"{IMAGE}:2")
    for _ in range(80):
        run(sandbox, clock, 0.1, step=0.05)
        assert status(sandbox, DAEMONSETS, "agent").get("numberUnavailable", 0) <= 1
    assert status(sandbox, DAEMONSETS, "agent")["updatedNumberScheduled"] == 3


@pytest.mark.parametrize(("how", "first", "last"), [("ok", "SuccessCriteriaMet", "Complete"), ("crash", "FailureTarget", "Failed")])
def test_a_job_names_its_criterion_before_its_verdict(sandbox: ClusterSandbox, clock: Clock, how: str, first: str, last: str) -> None:
    sandbox.behave(IMAGE, "1", how)
    seen: list[list[str]] = []
    sandbox.store.listeners.append(
        lambda change: (
            seen.append([one["type"] for one in change.obj["status"].get("conditions") or []]) if change.resource is JOBS else None
        )
    )
    sandbox.apply(workload("Job", "migrate", f"{IMAGE}:1", backoffLimit=1))
    run(sandbox, clock, 12)
    assert [types for types in seen if types] == [[first], [first, last]]


def test_a_job_whose_image_is_missing_never_says_so(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.behave(IMAGE, "1", "pull")
    sandbox.apply(workload("Job", "migrate", f"{IMAGE}:1"))
    run(sandbox, clock, 30, step=1)
    assert status(sandbox, JOBS, "migrate")["active"] == 1
    assert "conditions" not in status(sandbox, JOBS, "migrate")


def test_a_cronjob_runs_by_its_schedule_and_by_hand(sandbox: ClusterSandbox, clock: Clock) -> None:
    template = {"spec": workload("Job", "x", f"{IMAGE}:1")["spec"]}
    body = {"schedule": "5 9 * * *", "jobTemplate": template}
    sandbox.apply({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "daily", "namespace": "shop"}, "spec": body})
    run(sandbox, clock, 60, step=10)
    assert sandbox.store.all(JOBS) == []
    by_hand = sandbox.run_cronjob("shop", "daily")
    run(sandbox, clock, 300, step=10)
    jobs = [job["metadata"]["name"] for job in sandbox.store.all(JOBS)]
    assert by_hand in jobs
    assert len(jobs) == 2
    assert status(sandbox, CRONJOBS, "daily")["lastScheduleTime"] == "2026-03-02T09:05:00Z"


def test_what_runs_is_told_from_what_is_wanted(sandbox: ClusterSandbox, clock: Clock) -> None:
    sandbox.behave(IMAGE, "2", "crash")
    sandbox.apply(workload("Deployment", "web", f"{IMAGE}:1", replicas=2))
    run(sandbox, clock, 4)
    sandbox.set_image("Deployment", "shop", "web", f"{IMAGE}:2")
    run(sandbox, clock, 12)
    (web,) = sandbox.running(IMAGE)
    assert (web.wanted, web.versions(IMAGE), web.health) == ((f"{IMAGE}:2",), ("1",), "Degraded")
    assert "exceeded its progress deadline" in web.message


def test_the_same_clock_gives_the_same_history(clock: Clock) -> None:
    def history() -> list[tuple[int, str, str, str]]:
        own = Clock()
        made = cluster(own, tls=False, settled=False)
        made.start()
        made.behave(IMAGE, "1", "crash")
        made.apply(workload("Deployment", "web", f"{IMAGE}:1", replicas=2))
        run(made, own, 12)
        changes = made.store.since(0)
        made.stop()
        return [(one.version, one.verb, one.resource.kind, one.obj["metadata"]["name"]) for one in changes]

    assert history() == history()


def test_objects_that_make_no_sense_stop_nobody(sandbox: ClusterSandbox, clock: Clock) -> None:
    odd = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "odd", "namespace": "shop"}, "spec": {"replicas": "many"}}
    sandbox.apply(odd, workload("Deployment", "web", f"{IMAGE}:1", replicas=1))
    run(sandbox, clock, 4)
    assert status(sandbox, DEPLOYMENTS, "web")["availableReplicas"] == 1
