"""StatefulSets and DaemonSets: pods with a place of their own, replaced one after another.

Decides which pod is made, ended or waited for next, and the status. Both keep ControllerRevisions out of sight but
for their names: the revision hash is a label on each pod.
"""

from typing import Any

from bot.sandbox.cluster.pods import create_pod, delete_pod, is_available, is_ready
from bot.sandbox.cluster.replicasets import available_again, min_ready, replicas_of, revision_name, share, without_zeros
from bot.sandbox.cluster.resources import DAEMONSETS, PODS, STATEFULSETS, Obj
from bot.sandbox.cluster.world import World, is_active, with_status

REVISION = "controller-revision-hash"


def _of_revision(pod: Obj, revision: str) -> bool:
    return bool((pod["metadata"].get("labels") or {}).get(REVISION) == revision)


def reconcile_statefulset(world: World, stateful: Obj) -> float | None:
    """One look: fill gaps upwards, shrink downwards, then replace from the highest place down to the partition."""
    spec, name, wanted = stateful["spec"], stateful["metadata"]["name"], replicas_of(stateful)
    update = revision_name(name, spec.get("template"))
    status = stateful.get("status") or {}
    current = status.get("currentRevision") or update
    pods = {_place(pod): pod for pod in world.store.owned(PODS, stateful["metadata"]["uid"])}
    parallel = spec.get("podManagementPolicy") == "Parallel"
    strategy = spec.get("updateStrategy") or {}
    partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
    settled = all(is_active(pod) and is_ready(pod) for place, pod in pods.items() if place < wanted)
    for place in range(wanted):
        if place not in pods:
            revision = update if place >= partition or current == update else current
            _create(world, stateful, place, revision)
            settled = False
        if not parallel and not (place in pods and is_active(pods[place]) and is_ready(pods[place])):
            settled = False
            break
    for place in sorted((place for place in pods if place >= wanted), reverse=True)[: None if parallel else 1]:
        if settled or parallel:
            _end(world, stateful, pods[place])
            settled = False
    if settled and strategy.get("type", "RollingUpdate") != "OnDelete":
        stale = [place for place in range(wanted) if place >= partition and not _of_revision(pods[place], update)]
        if stale:
            _end(world, stateful, pods[max(stale)])
    return _report_stateful(world, stateful, current, update)


def _place(pod: Obj) -> int:
    tail = pod["metadata"]["name"].rpartition("-")[2]
    return int(tail) if tail.isdigit() else -1


def _create(world: World, stateful: Obj, place: int, revision: str) -> None:
    name = f"{stateful['metadata']['name']}-{place}"
    labels = {REVISION: revision, "statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": str(place)}
    create_pod(world, stateful, stateful["spec"].get("template") or {}, name=name, labels=labels)
    message = f"create Pod {name} in StatefulSet {stateful['metadata']['name']} successful"
    world.event(stateful, "SuccessfulCreate", message, source="statefulset-controller")


def _end(world: World, stateful: Obj, pod: Obj) -> None:
    if "deletionTimestamp" in pod["metadata"]:
        return
    delete_pod(world, pod)
    message = f"delete Pod {pod['metadata']['name']} in StatefulSet {stateful['metadata']['name']} successful"
    world.event(stateful, "SuccessfulDelete", message, source="statefulset-controller")


def _report_stateful(world: World, stateful: Obj, current: str, update: str) -> float | None:
    pods = world.store.owned(PODS, stateful["metadata"]["uid"])
    living = [pod for pod in pods if is_active(pod)]
    wait = min_ready(stateful, world)
    ready = [pod for pod in living if is_ready(pod)]
    renewed = [pod for pod in living if _of_revision(pod, update)]
    if len(renewed) == replicas_of(stateful) == len(ready) and len(pods) == len(ready):
        current = update
    counts = {
        "replicas": len(pods),
        "readyReplicas": len(ready),
        "currentReplicas": sum(_of_revision(pod, current) for pod in living),
        "updatedReplicas": len(renewed),
    }
    status: Obj = {"observedGeneration": stateful["metadata"]["generation"]} | {"replicas": len(pods)} | without_zeros(counts)
    status |= {"currentRevision": current, "updateRevision": update, "collisionCount": 0}
    status["availableReplicas"] = sum(is_available(world, pod, wait) for pod in living)
    world.store.replace(STATEFULSETS, with_status(stateful, status))
    return available_again(world, living, wait) if wait else None


def reconcile_daemonset(world: World, daemon: Obj) -> float | None:
    """One look: a pod on every node; stale ones are replaced within `maxUnavailable`."""
    spec, name = daemon["spec"], daemon["metadata"]["name"]
    update = revision_name(name, spec.get("template"))
    every = world.store.owned(PODS, daemon["metadata"]["uid"])
    placed = {pod["spec"].get("nodeName"): pod for pod in every}
    for node in world.nodes:
        if node not in placed:
            pod = create_pod(world, daemon, spec.get("template") or {}, node=node, labels={REVISION: update})
            world.event(daemon, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}", source="daemonset-controller")
    strategy: Obj = spec.get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "OnDelete":
        _replace_stale(world, daemon, update, (strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1))
    return _report_daemon(world, daemon, update)


def _replace_stale(world: World, daemon: Obj, update: str, limit: Any) -> None:
    every = world.store.owned(PODS, daemon["metadata"]["uid"])
    allowed = max(1, share(limit, len(world.nodes), up=True))
    missing = len(world.nodes) - sum(is_active(pod) and is_ready(pod) for pod in every)
    stale = [pod for pod in every if is_active(pod) and not _of_revision(pod, update)]
    broken = [pod for pod in stale if not is_ready(pod)]
    for pod in broken + [pod for pod in stale if is_ready(pod)][: max(0, allowed - missing)]:
        delete_pod(world, pod)
        world.event(daemon, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}", source="daemonset-controller")


def _report_daemon(world: World, daemon: Obj, update: str) -> float | None:
    living, wait = world.pods_of(daemon), min_ready(daemon, world)
    available = sum(is_available(world, pod, wait) for pod in living)
    nodes = len(world.nodes)
    status: Obj = {
        "currentNumberScheduled": len(living),
        "numberMisscheduled": 0,
        "desiredNumberScheduled": nodes,
        "numberReady": sum(is_ready(pod) for pod in living),
        "observedGeneration": daemon["metadata"]["generation"],
    } | without_zeros({
        "updatedNumberScheduled": sum(_of_revision(pod, update) for pod in living),
        "numberAvailable": available,
        "numberUnavailable": nodes - available,
    })  # fmt: skip
    world.store.replace(DAEMONSETS, with_status(daemon, status))
    return available_again(world, living, wait) if wait else None
