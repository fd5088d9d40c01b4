"""What the apiserver writes into an object where its author wrote nothing, and which objects it would not take.

Decides defaults of workloads and whether an object is sound enough for the controllers.
"""

from typing import Any

from bot.sandbox.cluster.resources import Obj

_POD = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
}
_QUARTER = {"maxUnavailable": "25%", "maxSurge": "25%"}


def with_defaults(obj: Obj) -> Obj:
    """The object with the apiserver's defaults filled in; other kinds as they are."""
    spec = obj.get("spec") or {}
    match obj["kind"]:
        case "Deployment":
            strategy = spec.get("strategy") or {"type": "RollingUpdate"}
            if strategy.get("type", "RollingUpdate") == "RollingUpdate":
                strategy = {"type": "RollingUpdate", "rollingUpdate": _QUARTER | (strategy.get("rollingUpdate") or {})}
            own: Obj = {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}
            spec = own | spec | {"strategy": strategy}
        case "StatefulSet":
            strategy = spec.get("updateStrategy") or {"type": "RollingUpdate"}
            if strategy.get("type", "RollingUpdate") == "RollingUpdate":
                strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0} | (strategy.get("rollingUpdate") or {})}
            spec = {"replicas": 1, "podManagementPolicy": "OrderedReady", "revisionHistoryLimit": 10} | spec | {"updateStrategy": strategy}
        case "DaemonSet":
            strategy = spec.get("updateStrategy") or {"type": "RollingUpdate"}
            if strategy.get("type", "RollingUpdate") == "RollingUpdate":
                rolling = {"maxUnavailable": 1, "maxSurge": 0} | (strategy.get("rollingUpdate") or {})
                strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
            spec = {"revisionHistoryLimit": 10} | spec | {"updateStrategy": strategy}
        case "Job":
            spec = {"backoffLimit": 6, "completions": 1, "parallelism": 1, "suspend": False} | spec
        case "CronJob":
            kept = {"successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1}
            return obj | {"spec": {"concurrencyPolicy": "Allow", "suspend": False} | kept | spec}
        case _:
            return obj
    template = spec.get("template") or {}
    pod = _POD | (template.get("spec") or {})
    if obj["kind"] == "Job":
        pod["restartPolicy"] = (template.get("spec") or {}).get("restartPolicy", "Never")
    return obj | {"spec": spec | {"template": template | {"spec": pod}}}


def refusal(obj: Obj) -> str | None:
    """Why the apiserver would not take the object; None if it would."""
    meta = obj.get("metadata")
    if not isinstance(meta, dict) or not isinstance(meta.get("name"), str):
        return "metadata.name: Required value"
    for key in ("labels", "annotations"):
        if not isinstance(meta.get(key) or {}, dict):
            return f"metadata.{key}: Invalid type"
    if not isinstance(meta.get("namespace", ""), str):
        return "metadata.namespace: Invalid type"
    if obj["kind"] not in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Rollout", "Pod"):
        return None
    spec = obj.get("spec")
    if obj["kind"] == "CronJob":
        spec = _map(_map(spec, "jobTemplate"), "spec")
    pod = spec if obj["kind"] == "Pod" else _map(_map(spec, "template"), "spec")
    if not isinstance(pod, dict):
        return "spec.template.spec: Required value"
    for key in ("containers", "initContainers"):
        listed = pod.get(key) or []
        if not isinstance(listed, list) or not all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in listed):
            return f"spec.template.spec.{key}: Invalid value"
        if any(not isinstance(one.get("image", ""), str) for one in listed):
            return f"spec.template.spec.{key}.image: Invalid type"
    return None if pod.get("containers") else "spec.template.spec.containers: Required value"


def _map(node: Any, key: str) -> Any:
    return node.get(key) if isinstance(node, dict) else None
