"""Deployments: from one ReplicaSet to the next, at the pace that the strategy allows.

Decides the sizes of the ReplicaSets and the Deployment's status, by the rules of kube-controller-manager (rolling and
recreate, surge and unavailable, progress deadline, pause, rollback to an old ReplicaSet). Argo's Rollout is taken as a
Deployment with a phase. Pods are the ReplicaSet's business.
"""

from copy import deepcopy
from typing import Any

from bot.sandbox.cluster.replicasets import (
    available_again,
    min_ready,
    orphan_pods,
    replicas_of,
    share,
    template_hash,
    without_zeros,
)
from bot.sandbox.cluster.resources import REPLICASETS, Obj, Resource
from bot.sandbox.cluster.store import stamp
from bot.sandbox.cluster.world import World, owner_reference, set_condition, with_status

HASH = "pod-template-hash"
ROLLOUT_HASH = "rollouts-pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
KEPT = 10
NEVER = 2_147_483_647


def reconcile_deployment(world: World, deployment: Obj) -> float | None:
    """One look at a Deployment (or Rollout)."""
    spec = deployment["spec"]
    sets = world.store.owned(REPLICASETS, deployment["metadata"]["uid"])
    wanted = _hash(deployment)
    new = next((one for one in sets if one["metadata"]["labels"].get(HASH) == wanted), None)
    old = [one for one in sets if one is not new]
    if not spec.get("paused"):
        made = new is None
        new = _new_set(world, deployment, wanted, new, old)
        if not made:
            _roll(world, deployment, new, old)
    elif new is not None and replicas_of(new) != replicas_of(deployment) and not any(map(replicas_of, old)):
        _scale(world, deployment, new, replicas_of(deployment))
    again = _report(world, deployment, wanted)
    if _recreates(deployment) and any(orphan_pods(world, one) for one in old):
        soon = world.seconds + 0.1 * world.pace.pod  # old pods are on their way out, and only they know when they are gone
        return soon if again is None else min(soon, again)
    return again


def _hash(deployment: Obj) -> str:
    """The hash of the present template; a Rollout's differs from that of the Deployment that lends it one."""
    template = deployment["spec"].get("template")
    return template_hash({"rollout": template} if deployment["kind"] == "Rollout" else template)


def _limits(deployment: Obj) -> tuple[int, int, int]:
    """(replicas, surge, unavailable)."""
    replicas = replicas_of(deployment)
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return replicas, 0, replicas
    rolling = strategy.get("rollingUpdate") or {}
    surge = share(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    return replicas, surge, unavailable if surge or unavailable else 1


def _recreates(deployment: Obj) -> bool:
    return bool((deployment["spec"].get("strategy") or {}).get("type") == "Recreate")


def _new_set(world: World, deployment: Obj, wanted: str, new: Obj | None, old: list[Obj]) -> Obj:
    """The ReplicaSet of the current template: found or made; its revision is the highest."""
    highest = max((int(_revision(one)) for one in old), default=0)
    if new is not None:
        if int(_revision(new)) < highest:
            annotations = (new["metadata"].get("annotations") or {}) | {REVISION: str(highest + 1)}
            new = world.store.replace(REPLICASETS, new | {"metadata": new["metadata"] | {"annotations": annotations}})
            world.progress[deployment["metadata"]["uid"]] = world.seconds
        return new
    meta, spec = deployment["metadata"], deployment["spec"]
    template = deepcopy(spec.get("template") or {})
    own = {HASH: wanted} | ({ROLLOUT_HASH: wanted} if deployment["kind"] == "Rollout" else {})
    labels = ((template.get("metadata") or {}).get("labels") or {}) | own
    template["metadata"] = (template.get("metadata") or {}) | {"labels": labels}
    replicas, surge, _ = _limits(deployment)
    now_running = sum(replicas_of(one) for one in old)
    size = min(replicas, max(0, replicas + surge - now_running))
    if _recreates(deployment) and now_running + sum(len(orphan_pods(world, one)) for one in old):
        size = 0
    selector = (spec.get("selector") or {}).get("matchLabels") or {}
    body: Obj = {
        "metadata": {
            "name": f"{meta['name']}-{wanted}",
            "namespace": meta["namespace"],
            "labels": labels,
            "annotations": {"deployment.kubernetes.io/desired-replicas": str(replicas), REVISION: str(highest + 1)},
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {"replicas": size, "selector": {"matchLabels": selector | {HASH: wanted}}, "template": template},
        "status": {"replicas": 0},
    }
    if "minReadySeconds" in spec:
        body["spec"]["minReadySeconds"] = spec["minReadySeconds"]
    made = world.store.create(REPLICASETS, body, world.now)
    world.progress[meta["uid"]] = world.seconds
    _say_scaled(world, deployment, made, 0, size)
    _forget_old(world, old)
    return made


def _forget_old(world: World, old: list[Obj]) -> None:
    done = sorted((one for one in old if not replicas_of(one) and not one["status"].get("replicas")), key=lambda one: int(_revision(one)))
    for one in done[: max(0, len(done) - KEPT)]:
        world.store.remove(REPLICASETS, one["metadata"]["namespace"], one["metadata"]["name"])


def _revision(replicaset: Obj) -> str:
    return str((replicaset["metadata"].get("annotations") or {}).get(REVISION, "0"))


def _roll(world: World, deployment: Obj, new: Obj, old: list[Obj]) -> None:
    """One step: at most the new one up, or the old ones down."""
    replicas, surge, unavailable = _limits(deployment)
    total = replicas_of(new) + sum(replicas_of(one) for one in old)
    if _recreates(deployment):
        for one in old:
            _scale(world, deployment, one, 0)
        if not sum(len(orphan_pods(world, one)) for one in old):
            _scale(world, deployment, new, replicas)
        return
    if replicas_of(new) > replicas:
        _scale(world, deployment, new, replicas)
        return
    if replicas_of(new) < replicas and total < replicas + surge:
        _scale(world, deployment, new, min(replicas, replicas_of(new) + replicas + surge - total))
        return
    missing = replicas_of(new) - int(new["status"].get("availableReplicas", 0))
    spare = total - (replicas - unavailable) - missing
    for healthy in (False, True):
        for one in sorted(old, key=lambda one: int(_revision(one))):
            alive = int(one["status"].get("availableReplicas", 0))
            now = replicas_of(world.store.get(REPLICASETS, one["metadata"]["namespace"], one["metadata"]["name"]) or one)
            can_go = min(spare, now if healthy else now - min(alive, now))
            if can_go > 0:
                _scale(world, deployment, one, now - can_go)
                spare -= can_go


def _scale(world: World, deployment: Obj, replicaset: Obj, size: int) -> None:
    name = (replicaset["metadata"]["namespace"], replicaset["metadata"]["name"])
    current = world.store.get(REPLICASETS, *name) or replicaset
    before = replicas_of(current)
    if before == size:
        return
    world.store.replace(REPLICASETS, current | {"metadata": dict(current["metadata"]), "spec": current["spec"] | {"replicas": size}})
    _say_scaled(world, deployment, current, before, size)


def _say_scaled(world: World, deployment: Obj, replicaset: Obj, before: int, size: int) -> None:
    if before != size:
        message = f"Scaled {'up' if size > before else 'down'} replica set {replicaset['metadata']['name']} from {before} to {size}"
        world.event(deployment, "ScalingReplicaSet", message, source="deployment-controller")


def _report(world: World, deployment: Obj, wanted: str) -> float | None:
    """Writes the status; asks to be woken at the progress deadline and when a ready pod becomes available."""
    meta, before = deployment["metadata"], deployment.get("status") or {}
    sets = world.store.owned(REPLICASETS, meta["uid"])
    new = next((one for one in sets if one["metadata"]["labels"].get(HASH) == wanted), None)
    counts = {
        "replicas": sum(int(one["status"].get("replicas", 0)) for one in sets),
        "updatedReplicas": int(new["status"].get("replicas", 0)) if new else 0,
        "readyReplicas": sum(int(one["status"].get("readyReplicas", 0)) for one in sets),
        "availableReplicas": sum(int(one["status"].get("availableReplicas", 0)) for one in sets),
    }
    missing = max(0, sum(replicas_of(one) for one in sets) - counts["availableReplicas"])
    status: Obj = {"observedGeneration": meta["generation"]} | without_zeros(counts | {"unavailableReplicas": missing})
    status["conditions"], again = _conditions(world, deployment, new, before, status)
    annotations = {REVISION: _revision(new)} if new else None
    resource = world.store.catalog.by_kind(deployment["apiVersion"], deployment["kind"])
    _write(world, resource, deployment, status, annotations)
    waits = [again] if again is not None else []
    for one in sets:
        if (wait := min_ready(deployment, world)) and (soon := available_again(world, world.pods_of(one), wait)) is not None:
            waits.append(soon)
    return min(waits, default=None)


def _write(world: World, resource: Resource, deployment: Obj, status: Obj, annotations: dict[str, str] | None) -> None:
    if deployment["kind"] == "Rollout":
        progressing: Obj = next((c for c in status["conditions"] if c["type"] == "Progressing"), {})
        done = progressing.get("reason") == "NewReplicaSetAvailable"
        late = progressing.get("reason") == "ProgressDeadlineExceeded"
        paused = bool(deployment["spec"].get("paused"))
        phase = "Paused" if paused else "Degraded" if late else "Healthy" if done else "Progressing"
        status |= {"observedGeneration": str(status["observedGeneration"]), "phase": phase}
        before, current = deployment.get("status") or {}, _hash(deployment)
        status |= {"currentPodHash": current, "stableRS": current if phase == "Healthy" else before.get("stableRS", current)}
        status |= {key: before[key] for key in ("workloadObservedGeneration",) if key in before}
        annotations = None
        # its template may be lent: what is written is the Rollout itself
        deployment = world.store.get(resource, deployment["metadata"]["namespace"], deployment["metadata"]["name"]) or deployment
    # the revision annotation is the controller's own and does not move the generation (see the store)
    world.store.replace(resource, with_status(deployment, status, annotations))


def _conditions(world: World, deployment: Obj, new: Obj | None, before: Obj, status: Obj) -> tuple[list[Obj], float | None]:
    replicas, _, unavailable = _limits(deployment)
    conditions: list[Obj] = list(before.get("conditions") or ())
    enough = int(status.get("availableReplicas", 0)) >= replicas - unavailable if not _recreates(deployment) else (
        int(status.get("availableReplicas", 0)) >= replicas
    )  # fmt: skip
    conditions = _condition(world, conditions, "Available", enough)
    if deployment["spec"].get("paused"):
        paused = ("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused")
        return set_condition(conditions, world.now, *paused, lastUpdateTime=stamp(world.now)), None
    return _progress(world, deployment, new, before, status, conditions)


def _condition(world: World, conditions: list[Obj], kind: str, good: bool) -> list[Obj]:
    reason = "MinimumReplicasAvailable" if good else "MinimumReplicasUnavailable"
    message = "Deployment has minimum availability." if good else "Deployment does not have minimum availability."
    return set_condition(conditions, world.now, kind, "True" if good else "False", reason, message, lastUpdateTime=stamp(world.now))


def _progress(
    world: World, deployment: Obj, new: Obj | None, before: Obj, status: Obj, conditions: list[Obj]
) -> tuple[list[Obj], float | None]:
    uid, replicas = deployment["metadata"]["uid"], replicas_of(deployment)
    name = new["metadata"]["name"] if new else deployment["metadata"]["name"]
    old = next((c for c in conditions if c["type"] == "Progressing"), None)
    reason = old["reason"] if old else ""
    counted = {key: int(status.get(key, 0)) for key in ("updatedReplicas", "replicas", "readyReplicas", "availableReplicas")}
    complete = counted["updatedReplicas"] == counted["replicas"] == counted["availableReplicas"] == replicas

    def put(state: str, why: str, message: str) -> list[Obj]:
        if reason == why and why in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded"):
            return conditions
        fresh = [c for c in conditions if c["type"] != "Progressing"] if old and old["reason"] != why else conditions
        made = set_condition(fresh, world.now, "Progressing", state, why, message, lastUpdateTime=stamp(world.now))
        if old and old["status"] == state:
            made[-1]["lastTransitionTime"] = old["lastTransitionTime"]
        return made

    if complete:
        return put("True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.'), None
    started = world.progress.get(uid) == world.seconds
    if started and not counted["updatedReplicas"]:
        reason = ""  # a new rollout: the old verdict does not count
        return put("True", "NewReplicaSetCreated", f'Created new replica set "{name}"'), _deadline(world, deployment)
    if _advanced(before, counted) or started or reason == "DeploymentPaused":
        world.progress[uid] = world.seconds
        reason = ""
        return put("True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.'), _deadline(world, deployment)
    if reason == "NewReplicaSetAvailable":
        return conditions, None
    deadline = _deadline(world, deployment)
    if deadline is not None and world.seconds >= deadline:
        return put("False", "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.'), None
    return conditions, deadline


def _advanced(before: Obj, counted: dict[str, int]) -> bool:
    was = {key: int(before.get(key, 0)) for key in counted}
    fewer_old = counted["replicas"] - counted["updatedReplicas"] < was["replicas"] - was["updatedReplicas"]
    return fewer_old or any(counted[key] > was[key] for key in ("updatedReplicas", "readyReplicas", "availableReplicas"))


def _deadline(world: World, deployment: Obj) -> float | None:
    written: Any = deployment["spec"].get("progressDeadlineSeconds", 600)
    if written == NEVER:
        return None
    seconds = world.pace.deadline if world.pace.deadline is not None else float(written)
    return world.progress.get(deployment["metadata"]["uid"], world.seconds) + seconds
