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
_MAPS = ("strategy", "updateStrategy", "selector", "template", "jobTemplate")
_NUMBERS = ("replicas", "minReadySeconds", "progressDeadlineSeconds", "completions", "parallelism", "backoffLimit", "revisionHistoryLimit")
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
    if (wrong := _wrong_type(spec)) is not None:
        return f"spec.{wrong}: Invalid type"
    if obj["kind"] == "CronJob":
        spec = _map(_map(spec, "jobTemplate"), "spec")
        if (wrong := _wrong_type(spec)) is not None:
            return f"spec.jobTemplate.spec.{wrong}: Invalid type"
    if obj["kind"] == "Rollout" and (named := _map(spec, "workloadRef")) is not None:
        return _bad_reference(named)
    pod = spec if obj["kind"] == "Pod" else _map(_map(spec, "template"), "spec")
    if not isinstance(pod, dict):
        return "spec.template.spec: Required value"
    if not all(isinstance(pod.get(key) or "", str) for key in ("restartPolicy", "nodeName")):
        return "spec.template.spec: Invalid type"
    if obj["kind"] != "Pod" and not isinstance(_map(_map(spec, "template"), "metadata") or {}, dict):
        return "spec.template.metadata: Invalid type"
    for key in ("containers", "initContainers"):
        listed = pod.get(key) or []
        if not isinstance(listed, list) or not all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in listed):
            return f"spec.template.spec.{key}: Invalid value"
        if any(not isinstance(one.get("image", ""), str) for one in listed):
            return f"spec.template.spec.{key}.image: Invalid type"
    return None if pod.get("containers") else "spec.template.spec.containers: Required value"


def _bad_reference(named: Any) -> str | None:
    """What the CustomResourceDefinition would not take of a Rollout's `workloadRef`."""
    if not isinstance(named, dict):
        return "spec.workloadRef: Invalid type"
    return next((f"spec.workloadRef.{key}: Invalid type" for key in named if not isinstance(named[key], str)), None)


def _wrong_type(spec: Any) -> str | None:
    """The first field of a workload's spec that the apiserver could not decode."""
    if not isinstance(spec, dict):
        return "template"
    for key in _MAPS:
        if not isinstance(spec.get(key) or {}, dict):
            return key
    for key in ("strategy", "updateStrategy"):
        rolling = (spec.get(key) or {}).get("rollingUpdate") or {}
        if not isinstance(rolling, dict) or not isinstance((spec.get(key) or {}).get("type", ""), str):
            return key
        if not isinstance(rolling.get("partition", 0), int):
            return f"{key}.rollingUpdate.partition"
    for key in _NUMBERS:
        value = spec.get(key, 0)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            return key
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    return None if isinstance(labels, dict) else "selector.matchLabels"


def _map(node: Any, key: str) -> Any:
    return node.get(key) if isinstance(node, dict) else None
