"""ReplicaSets: as many pods of one template as asked for, and the arithmetic of replicas that others share.

Decides which pods to make and which to end, and counts them. Which ReplicaSet should have how many is the
Deployment's business.
"""

import hashlib
import json
from math import ceil, floor
from typing import Any

from bot.sandbox.cluster.pods import create_pod, delete_pod, is_available, is_ready, plan_of, suffix
from bot.sandbox.cluster.resources import PODS, REPLICASETS, Obj
from bot.sandbox.cluster.world import World, with_status


def template_hash(template: Any) -> str:
    """The pod-template-hash of a template; the same for the same template."""
    return suffix(json.dumps(template, sort_keys=True, default=str), 10)


def revision_name(owner: str, template: Any) -> str:
    """The name of a ControllerRevision: the owner's with a hash."""
    return f"{owner}-{hashlib.sha256(json.dumps(template, sort_keys=True, default=str).encode()).hexdigest()[:10]}"


def replicas_of(obj: Obj) -> int:
    """`spec.replicas`, 1 where it is not written."""
    wanted = (obj.get("spec") or {}).get("replicas", 1)
    return wanted if isinstance(wanted, int) and wanted >= 0 else 1


def share(value: Any, of: int, *, up: bool) -> int:
    """An absolute number or a percentage of pods."""
    text = str(value)
    if text.endswith("%") and text[:-1].isdigit():
        part = of * int(text[:-1]) / 100
        return ceil(part) if up else floor(part)
    return int(text) if text.isdigit() else 0


def without_zeros(status: Obj) -> Obj:
    """Counters that are zero are left out by the apiserver."""
    return {key: value for key, value in status.items() if value != 0}


def min_ready(obj: Obj, world: World) -> float:
    """`minReadySeconds` in the cluster's own pace: thirty of them last as long as a pod needs to start."""
    seconds = (obj.get("spec") or {}).get("minReadySeconds", 0)
    return float(seconds) * world.pace.pod / 30 if isinstance(seconds, int) else 0.0


def available_again(world: World, pods: list[Obj], wait: float) -> float | None:
    """When the next ready pod becomes available, if one is on its way."""
    ready_at = [plan_of(world, pod).ready_at for pod in pods if is_ready(pod)]
    return min((at + wait + 1e-3 for at in ready_at if at is not None and at + wait > world.seconds), default=None)


def reconcile_replicaset(world: World, replicaset: Obj) -> float | None:
    """One look: make or end pods, then count."""
    pods, wanted = world.pods_of(replicaset), replicas_of(replicaset)
    template = (replicaset["spec"].get("template")) or {}
    for _ in range(wanted - len(pods)):
        pod = create_pod(world, replicaset, template)
        world.event(replicaset, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}", source="replicaset-controller")
    for pod in sorted(pods, key=_first_to_go)[: max(0, len(pods) - wanted)]:
        delete_pod(world, pod)
        world.event(replicaset, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}", source="replicaset-controller")
    pods, wait = world.pods_of(replicaset), min_ready(replicaset, world)
    counted = without_zeros({
        "fullyLabeledReplicas": len(pods),
        "readyReplicas": sum(is_ready(pod) for pod in pods),
        "availableReplicas": sum(is_available(world, pod, wait) for pod in pods),
    })  # fmt: skip
    status = {"replicas": len(pods)} | counted | {"observedGeneration": replicaset["metadata"]["generation"]}
    world.store.replace(REPLICASETS, with_status(replicaset, status))
    return available_again(world, pods, wait) if wait else None


def _first_to_go(pod: Obj) -> tuple[bool, int]:
    return is_ready(pod), -int(pod["metadata"]["resourceVersion"])


def orphan_pods(world: World, owner: Obj) -> list[Obj]:
    """All pods of an owner, those on their way out too."""
    return world.store.owned(PODS, owner["metadata"]["uid"])
