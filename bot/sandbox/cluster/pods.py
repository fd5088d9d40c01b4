"""Pods: making them, ending them, and what the kubelet would report of them at each moment.

Decides a pod's status from its plan (when it started, what its images do). How many pods there should be is the
business of ReplicaSets, StatefulSets, DaemonSets and Jobs.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.cluster.frames import Ended, Frame, at, film
from bot.sandbox.cluster.resources import PODS, Obj
from bot.sandbox.cluster.store import stamp
from bot.sandbox.cluster.world import PodPlan, World, containers, owner_reference, with_status

CHART = "sandbox/chart"
SCHEDULED, FIRST_INIT, EACH_INIT, FIRST_MAIN, GRACE = 0.05, 0.15, 0.2, 0.3, 0.2
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def suffix(seed: str, length: int) -> str:
    """Letters as Kubernetes makes them for names, the same for the same seed."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:12], "big")
    return "".join(_LETTERS[number // len(_LETTERS) ** place % len(_LETTERS)] for place in range(length))


def create_pod(world: World, owner: Obj, template: Obj, *, name: str = "", node: str = "", labels: dict[str, str] | None = None) -> Obj:
    """A pod of a template. Without a name it gets one of its owner's with five letters more."""
    meta = template.get("metadata") or {}
    random = world.store.random
    base = owner["metadata"]["name"]
    pod: Obj = {
        "metadata": {
            "name": name or f"{base}-{suffix(str(random.random()), 5)}",
            "namespace": owner["metadata"]["namespace"],
            "labels": {**(meta.get("labels") or {}), **(labels or {})},
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": dict(template.get("spec") or {}),
        "status": {"phase": "Pending", "qosClass": "BestEffort"},
    }
    if not name:
        pod["metadata"]["generateName"] = f"{base}-"
    if meta.get("annotations"):
        pod["metadata"]["annotations"] = dict(meta["annotations"])
    pod["spec"]["nodeName"] = node or world.nodes[int(random.random() * len(world.nodes))]
    made = world.store.create(PODS, pod, world.now)
    plan_of(world, made)
    return made


def delete_pod(world: World, pod: Obj) -> None:
    """Asks a pod to go: it is gone after its grace time."""
    if "deletionTimestamp" in pod["metadata"]:
        return
    plan_of(world, pod).gone_at = world.seconds + GRACE * world.pace.pod
    seconds = (pod.get("spec") or {}).get("terminationGracePeriodSeconds", 30)
    meta = pod["metadata"] | {"deletionTimestamp": stamp(world.now), "deletionGracePeriodSeconds": seconds}
    for container in (one for is_init, one in containers(pod["spec"]) if not is_init):
        world.event(pod, "Killing", f"Stopping container {container.get('name')}", source="kubelet")
    world.store.replace(PODS, pod | {"metadata": meta})


def plan_of(world: World, pod: Obj) -> PodPlan:
    """The pod's plan; made now for a pod that came in by the API."""
    uid = pod["metadata"]["uid"]
    if uid not in world.pods:
        told = {str(c.get("name")): world.behaviour_of(str(c.get("image", ""))) for _, c in containers(pod.get("spec") or {})}
        chart = world.behaviour_of((pod["metadata"].get("annotations") or {}).get(CHART, ""))
        told = {name: chart if one.name == "ok" else one for name, one in told.items()}
        world.pods[uid] = PodPlan(start=world.seconds, behaviours=told)
    return world.pods[uid]


def is_ready(pod: Obj) -> bool:
    """The Ready condition is True."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions") or ())


def is_available(world: World, pod: Obj, min_ready: float) -> bool:
    """Ready for at least `min_ready` seconds."""
    ready_at = plan_of(world, pod).ready_at
    return is_ready(pod) and ready_at is not None and world.seconds - ready_at >= min_ready


def reconcile_pod(world: World, pod: Obj) -> float | None:
    """Writes what shows now; asks to look again when that changes."""
    plan, meta = plan_of(world, pod), pod["metadata"]
    if plan.gone_at is not None:
        if world.seconds >= plan.gone_at:
            world.store.remove(PODS, meta["namespace"], meta["name"])
            return None
        return plan.gone_at
    age = world.seconds - plan.start
    if age < SCHEDULED * world.pace.pod:
        return plan.start + SCHEDULED * world.pace.pod
    shown, again = _moment(world, pod, plan, age)
    status = _status(world, pod, plan, shown)
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status["conditions"])
    plan.ready_at = (plan.ready_at or world.seconds) if ready else None
    _tell(world, pod, plan, shown)
    world.store.replace(PODS, with_status(pod, status))
    return None if again is None else plan.start + again + 1e-6


def _moment(world: World, pod: Obj, plan: PodPlan, age: float) -> tuple[list[tuple[bool, Obj, Frame, float]], float | None]:
    """Each container with its frame and the offset at which it started, and the age of the next change."""
    unit, spec = world.pace.pod, pod["spec"]
    waiting = Frame(state="waiting", reason="ContainerCreating" if not spec.get("initContainers") else "PodInitializing")
    restarts, ends = spec.get("restartPolicy", "Always") != "Never", spec.get("restartPolicy", "Always") != "Always"
    shown: list[tuple[bool, Obj, Frame, float]] = []
    moments: list[float] = []
    begin, blocked = FIRST_INIT * unit, False
    for is_init, container in containers(spec):
        told = plan.behaviours[str(container.get("name"))]
        start = begin if is_init else max(begin, FIRST_MAIN * unit)
        if is_init:
            begin += EACH_INIT * unit
        if blocked or age < start:
            shown.append((is_init, container, waiting, start))
            moments += [start] if age < start else []
            continue
        length = EACH_INIT * unit if is_init and told.name == "ok" else unit
        frame, upcoming = at(film(told, length, finite=is_init or ends, restarts=restarts), age - start)
        shown.append((is_init, container, frame, start))
        moments += [start + upcoming] if upcoming is not None else []
        blocked = blocked or (is_init and told.name != "ok")
    return shown, min(moments, default=None)


def _status(world: World, pod: Obj, plan: PodPlan, shown: list[tuple[bool, Obj, Frame, float]]) -> Obj:
    main = [frame for is_init, _, frame, _ in shown if not is_init]
    inits = [frame for is_init, _, frame, _ in shown if is_init]
    initialised = all(frame.reason == "Completed" for frame in inits)
    over = all(frame.state == "terminated" for frame in main) and pod["spec"].get("restartPolicy", "Always") != "Always"
    good = all(frame.ended is not None and frame.ended.code == 0 for frame in main)
    retried = pod["spec"].get("restartPolicy") == "OnFailure" and not good
    phase = "Running" if any(frame.state != "waiting" or frame.restarts for frame in main) else "Pending"
    if over and not retried:
        phase = "Succeeded" if good else "Failed"
    lame = [str(container.get("name")) for is_init, container, frame, _ in shown if not is_init and not frame.ready]
    conditions = _conditions(world, pod, lame, initialised=initialised, phase=phase)
    number = int(hashlib.sha256(pod["metadata"]["uid"].encode()).hexdigest()[:4], 16)
    host = f"10.0.0.{11 + world.nodes.index(pod['spec']['nodeName'])}" if pod["spec"].get("nodeName") in world.nodes else "10.0.0.9"
    status: Obj = {"phase": phase, "conditions": conditions, "hostIP": host, "hostIPs": [{"ip": host}]}
    if phase != "Pending":
        address = f"10.244.{number % 3}.{number // 3 % 250 + 2}"
        status |= {"podIP": address, "podIPs": [{"ip": address}]}
    status["startTime"] = stamp(datetime.fromtimestamp(plan.start, UTC))
    if inits:
        status["initContainerStatuses"] = [_container(pod, plan, one, frame, start) for is_init, one, frame, start in shown if is_init]
    status["containerStatuses"] = [_container(pod, plan, one, frame, start) for is_init, one, frame, start in shown if not is_init]
    return status | {"qosClass": "BestEffort"}


def _conditions(world: World, pod: Obj, lame: list[str], *, initialised: bool, phase: str) -> list[Obj]:
    old = {condition["type"]: condition for condition in pod.get("status", {}).get("conditions") or ()}
    wanted: list[tuple[str, bool, str, str]] = [
        ("PodReadyToStartContainers", phase != "Pending", "", ""),
        ("Initialized", initialised, "ContainersNotInitialized", "containers with incomplete status: [init]"),
        ("Ready", not lame, "ContainersNotReady", f"containers with unready status: [{' '.join(lame)}]"),
        ("ContainersReady", not lame, "ContainersNotReady", f"containers with unready status: [{' '.join(lame)}]"),
        ("PodScheduled", True, "", ""),
    ]
    conditions = []
    for kind, good, reason, message in wanted:
        status = "True" if good else "False"
        kept = kind in old and old[kind]["status"] == status
        moved = old[kind]["lastTransitionTime"] if kept else stamp(world.now)
        condition: Obj = {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": moved}
        if not good and phase == "Succeeded":
            condition["reason"] = "PodCompleted"
        elif not good and reason:
            condition |= {"reason": reason, "message": message}
        conditions.append(condition)
    return conditions


def _container(pod: Obj, plan: PodPlan, container: Obj, frame: Frame, offset: float) -> Obj:
    reference = str(container.get("image", ""))
    ready = frame.ready or (frame.reason == "Completed" and "initContainers" in pod["spec"])
    status: Obj = {
        "name": container.get("name"),
        "state": _state(pod, plan, container, frame, offset),
        "lastState": {"terminated": _ended(pod, plan, frame.before, offset)} if frame.before else {},
        "ready": ready,
        "restartCount": frame.restarts,
        "image": reference,
        "imageID": "" if frame.state == "waiting" and not frame.restarts else _image_id(reference),
        "started": frame.state == "running",
    }
    if status["imageID"]:
        status["containerID"] = _container_id(pod, frame.restarts)
    return status


def _state(pod: Obj, plan: PodPlan, container: Obj, frame: Frame, offset: float) -> Obj:
    if frame.state == "running":
        return {"running": {"startedAt": _moment_at(plan, offset + frame.started)}}
    if frame.state == "terminated" and frame.ended is not None:
        return {"terminated": _ended(pod, plan, frame.ended, offset, frame.restarts)}
    waiting: Obj = {"reason": frame.reason}
    message = waiting_message(pod, container, frame)
    return {"waiting": waiting | ({"message": message} if message else {})}


def waiting_message(pod: Obj, container: Obj, frame: Frame) -> str:
    """The kubelet's sentence for a waiting container."""
    reference, meta = container.get("image"), pod["metadata"]
    why = (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{reference}": failed to resolve reference '
        f'"{reference}": {reference}: not found'
    )
    match frame.reason:
        case "ErrImagePull":
            return why
        case "ImagePullBackOff":
            return f'Back-off pulling image "{reference}": ErrImagePull: {why}'
        case "CrashLoopBackOff":
            delay = f"{max(1, round(frame.delay))}s"
            where = f"container={container.get('name')} pod={meta['name']}_{meta['namespace']}({meta['uid']})"
            return f"back-off {delay} restarting failed {where}"
        case _:
            return ""


def _ended(pod: Obj, plan: PodPlan, ended: Ended, offset: float, run: int = 0) -> Obj:
    return {
        "exitCode": ended.code,
        "reason": "Completed" if ended.code == 0 else "Error",
        "startedAt": _moment_at(plan, offset + ended.started),
        "finishedAt": _moment_at(plan, offset + ended.finished),
        "containerID": _container_id(pod, run),
    }


def _moment_at(plan: PodPlan, offset: float) -> str:
    return stamp(datetime.fromtimestamp(plan.start + offset, UTC))


def _image_id(reference: str) -> str:
    repository = reference.partition("@")[0].rpartition(":")[0] or reference
    digest = reference.partition("@")[2] or "sha256:" + hashlib.sha256(reference.encode()).hexdigest()
    return f"{repository}@{digest}"


def _container_id(pod: Obj, run: int) -> str:
    return "containerd://" + hashlib.sha256(f"{pod['metadata']['uid']}/{run}".encode()).hexdigest()


def _tell(world: World, pod: Obj, plan: PodPlan, shown: list[tuple[bool, Obj, Frame, float]]) -> None:
    if "" not in plan.seen:
        plan.seen[""] = ("", "", 0)
        node, meta = pod["spec"].get("nodeName"), pod["metadata"]
        world.event(pod, "Scheduled", f"Successfully assigned {meta['namespace']}/{meta['name']} to {node}", source="default-scheduler")
    for is_init, container, frame, _ in shown:
        name, signature = str(container.get("name")), (frame.state, frame.reason, frame.restarts)
        if plan.seen.get(name) != signature:
            plan.seen[name] = signature
            for reason, message, warning in _sentences(pod, container, frame, plan.behaviours[name].name):
                path = f"spec.{'initContainers' if is_init else 'containers'}{{{name}}}"
                world.event(pod, reason, message, source="kubelet", warning=warning, path=path)


def _sentences(pod: Obj, container: Obj, frame: Frame, told: str) -> list[tuple[str, str, bool]]:
    reference, name, meta = container.get("image"), container.get("name"), pod["metadata"]
    match frame.state, frame.reason:
        case "running", _:
            said: list[tuple[str, str, Any]] = [
                ("Created", f"Created container: {name}", False),
                ("Started", f"Started container {name}", False),
            ]
            if told == "hang":
                said.append(("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", True))
            return said
        case "waiting", "ContainerCreating" | "PodInitializing":
            return [("Pulling", f'Pulling image "{reference}"', False)]
        case "waiting", "ErrImagePull":
            why = waiting_message(pod, container, frame)
            return [("Failed", f'Failed to pull image "{reference}": {why}', True), ("Failed", "Error: ErrImagePull", True)]
        case "waiting", "ImagePullBackOff":
            return [("BackOff", f'Back-off pulling image "{reference}"', False), ("Failed", "Error: ImagePullBackOff", True)]
        case "waiting", "CrashLoopBackOff":
            where = f"{meta['name']}_{meta['namespace']}({meta['uid']})"
            return [("BackOff", f"Back-off restarting failed container {name} in pod {where}", True)]
        case _:
            return []
