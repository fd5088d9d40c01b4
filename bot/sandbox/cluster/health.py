"""Whether a workload is well, as Argo CD would say it: Healthy, Progressing, Degraded, Suspended, Missing.

Decides from the object alone. Written apart from the bot's own rules, so that the demo can check the bot by it.
"""

from collections.abc import Iterable

from bot.sandbox.cluster.replicasets import replicas_of
from bot.sandbox.cluster.resources import Obj

WORST_FIRST = ("Degraded", "Missing", "Progressing", "Suspended", "Healthy")


def worst(states: Iterable[str]) -> str:
    """The worst of several states; Healthy of none."""
    found = set(states)
    return next((state for state in WORST_FIRST if state in found), "Healthy")


def health(obj: Obj) -> tuple[str, str]:
    """(state, sentence). Kinds without a notion of health are Healthy."""
    spec, status, meta = obj.get("spec") or {}, obj.get("status") or {}, obj["metadata"]
    observed = status.get("observedGeneration")
    if obj["kind"] in ("Deployment", "StatefulSet", "DaemonSet") and (observed or 0) < meta.get("generation", 0):
        return "Progressing", "Waiting for rollout to finish: observed generation less than desired generation"
    match obj["kind"]:
        case "Deployment":
            return _deployment(obj, spec, status)
        case "StatefulSet":
            return _stateful(obj, status)
        case "DaemonSet":
            wanted = status.get("desiredNumberScheduled", 0)
            done = min(status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0))
            return (
                ("Healthy", "") if done >= wanted else ("Progressing", f"Waiting for daemon set rollout to finish: {done} of {wanted} pods")
            )
        case "Job":
            verdict = {c["type"]: c.get("message", "") for c in status.get("conditions") or () if c["status"] == "True"}
            if "Failed" in verdict:
                return "Degraded", verdict["Failed"]
            if "Suspended" in verdict:
                return "Suspended", verdict["Suspended"]
            return ("Healthy", "") if "Complete" in verdict else ("Progressing", "Job is running")
        case "Rollout":
            phase = str(status.get("phase", "Progressing"))
            return ("Suspended" if phase == "Paused" else phase), ""
        case "Application":
            return str((status.get("health") or {}).get("status", "Progressing")), ""
        case "HelmRelease" | "Kustomization" | "GitRepository" | "OCIRepository":
            return _flux(status)
        case _:
            return "Healthy", ""


def _deployment(obj: Obj, spec: Obj, status: Obj) -> tuple[str, str]:
    if spec.get("paused"):
        return "Suspended", "Deployment is paused"
    progressing: Obj = next((c for c in status.get("conditions") or () if c["type"] == "Progressing"), {})
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return "Degraded", f'Deployment "{obj["metadata"]["name"]}" exceeded its progress deadline'
    wanted, updated = replicas_of(obj), status.get("updatedReplicas", 0)
    if updated < wanted:
        return "Progressing", f"Waiting for rollout to finish: {updated} out of {wanted} new replicas have been updated..."
    if status.get("replicas", 0) > updated:
        return "Progressing", f"Waiting for rollout to finish: {status['replicas'] - updated} old replicas are pending termination..."
    if status.get("availableReplicas", 0) < updated:
        sentence = f"{status.get('availableReplicas', 0)} of {updated} updated replicas are available..."
        return "Progressing", f"Waiting for rollout to finish: {sentence}"
    return "Healthy", ""


def _stateful(obj: Obj, status: Obj) -> tuple[str, str]:
    wanted, ready = replicas_of(obj), status.get("readyReplicas", 0)
    if ready < wanted:
        return "Progressing", f"Waiting for {wanted - ready} pods to be ready..."
    strategy = (obj.get("spec") or {}).get("updateStrategy") or {}
    partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
    updated = status.get("updatedReplicas", 0)
    if strategy.get("type", "RollingUpdate") == "RollingUpdate" and updated < wanted - partition:
        return (
            "Progressing",
            f"Waiting for partitioned roll out to finish: {updated} out of {wanted - partition} new pods have been updated...",
        )
    return "Healthy", ""


def _flux(status: Obj) -> tuple[str, str]:
    ready: Obj = next((c for c in status.get("conditions") or () if c["type"] == "Ready"), {})
    states = {"True": "Healthy", "False": "Degraded"}
    return states.get(str(ready.get("status")), "Progressing"), str(ready.get("message", ""))
