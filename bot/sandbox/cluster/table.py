"""Tables: how kubectl wants lists to be answered (`as=Table`).

Decides columns and cells per kind, after kubectl's own output. Only shows; what it shows is in the objects.
"""

from datetime import UTC, datetime
from typing import Any

from bot.sandbox.cluster.replicasets import replicas_of
from bot.sandbox.cluster.resources import Obj, Resource
from bot.sandbox.cluster.world import containers

COLUMNS: dict[str, tuple[str, ...]] = {
    "Pod": ("Ready", "Status", "Restarts", "Age", "+IP", "+Node"),
    "Deployment": ("Ready", "Up-to-date", "Available", "Age", "+Containers", "+Images"),
    "ReplicaSet": ("Desired", "Current", "Ready", "Age", "+Containers", "+Images"),
    "StatefulSet": ("Ready", "Age", "+Containers", "+Images"),
    "DaemonSet": ("Desired", "Current", "Ready", "Up-to-date", "Available", "Age", "+Containers", "+Images"),
    "Job": ("Status", "Completions", "Age", "+Containers", "+Images"),
    "CronJob": ("Schedule", "Suspend", "Active", "Last Schedule", "Age", "+Containers", "+Images"),
    "Namespace": ("Status", "Age"),
    "Node": ("Status", "Roles", "Age", "Version"),
    "Event": ("Last Seen", "Type", "Reason", "Object", "Message"),
    "Application": ("Sync Status", "Health Status", "Revision"),
    "Kustomization": ("Age", "Ready", "Status"),
    "HelmRelease": ("Age", "Ready", "Status"),
    "GitRepository": ("URL", "Age", "Ready", "Status"),
    "OCIRepository": ("URL", "Ready", "Status", "Age"),
}


def table(resource: Resource, items: list[Obj], now: datetime, version: str, include: str = "") -> Obj:
    """A `Table` of objects. `include`: None, Metadata (default) or Object, as the query's `includeObject` says."""
    names = COLUMNS.get(resource.kind, ("Age",))
    first = () if resource.kind == "Event" else ("Name",)
    columns = [
        {"name": name.lstrip("+"), "type": "string", "format": "name" if name == "Name" else "", "description": name.lstrip("+"),
         "priority": int(name.startswith("+"))}
        for name in (*first, *names)
    ]  # fmt: skip
    rows = []
    for item in items:
        values = _cells(resource, item, now)
        lead = [] if resource.kind == "Event" else [item["metadata"]["name"]]
        partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]}
        row: Obj = {"cells": lead + [values.get(name.lstrip("+"), "<none>") for name in names]}
        if include != "None":
            row["object"] = item if include == "Object" else partial
        rows.append(row)
    return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": version},
            "columnDefinitions": columns, "rows": rows}  # fmt: skip


def age(since: str | None, now: datetime) -> str:
    """A duration as kubectl writes it."""
    if not since:
        return "<unknown>"
    seconds = max(0, int((now - datetime.strptime(since, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)).total_seconds()))
    if seconds < 120:
        return f"{seconds}s"
    if seconds < 7200:
        return f"{seconds // 60}m"
    return f"{seconds // 3600}h" if seconds < 172_800 else f"{seconds // 86400}d"


def _cells(resource: Resource, obj: Obj, now: datetime) -> dict[str, Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    template = ((spec.get("jobTemplate") or {}).get("spec") or spec).get("template") or {}
    parts = [part for is_init, part in containers(template.get("spec") or {}) if not is_init]
    cells: dict[str, Any] = {
        "Age": age(obj["metadata"].get("creationTimestamp"), now),
        "Containers": ",".join(str(part.get("name")) for part in parts),
        "Images": ",".join(str(part.get("image")) for part in parts),
    }
    match resource.kind:
        case "Pod":
            cells |= _pod(obj, spec, status)
        case "Deployment" | "StatefulSet":
            cells |= {
                "Ready": f"{status.get('readyReplicas', 0)}/{replicas_of(obj)}",
                "Up-to-date": status.get("updatedReplicas", 0),
                "Available": status.get("availableReplicas", 0),
            }
        case "ReplicaSet":
            cells |= {"Desired": replicas_of(obj), "Current": status.get("replicas", 0), "Ready": status.get("readyReplicas", 0)}
        case "DaemonSet":
            names = {"Desired": "desiredNumberScheduled", "Current": "currentNumberScheduled", "Ready": "numberReady",
                     "Up-to-date": "updatedNumberScheduled", "Available": "numberAvailable"}  # fmt: skip
            cells |= {name: status.get(key, 0) for name, key in names.items()}
        case "Job":
            verdict = [c["type"] for c in status.get("conditions") or () if c["type"] in ("Complete", "Failed", "Suspended")]
            cells |= {
                "Status": verdict[-1] if verdict else "Running",
                "Completions": f"{status.get('succeeded', 0)}/{spec.get('completions', 1)}",
            }
        case "CronJob":
            last = status.get("lastScheduleTime")
            cells |= {"Schedule": spec.get("schedule"), "Suspend": str(bool(spec.get("suspend"))),
                      "Active": len(status.get("active") or ()), "Last Schedule": age(last, now) if last else "<none>"}  # fmt: skip
        case "Namespace" | "Node":
            cells |= {"Status": status.get("phase", "Ready"), "Roles": "<none>", "Version": "v1.33.13"}
        case "Event":
            about = obj["involvedObject"]
            cells |= {"Last Seen": age(obj.get("lastTimestamp"), now), "Type": obj["type"], "Reason": obj["reason"],
                      "Object": f"{about['kind'].lower()}/{about['name']}", "Message": obj["message"]}  # fmt: skip
        case "Application":
            sync = status.get("sync") or {}
            cells |= {"Sync Status": sync.get("status", ""), "Health Status": (status.get("health") or {}).get("status", ""),
                      "Revision": sync.get("revision", "")}  # fmt: skip
        case _:
            cells |= _flux(spec, status)
    return cells


def _flux(spec: Obj, status: Obj) -> dict[str, Any]:
    ready: Obj = next((c for c in status.get("conditions") or () if c["type"] == "Ready"), {})
    return {"Ready": ready.get("status", ""), "Status": ready.get("message", ""), "URL": spec.get("url", "")}


def _pod(obj: Obj, spec: Obj, status: Obj) -> dict[str, Any]:
    states = status.get("containerStatuses") or []
    inits = status.get("initContainerStatuses") or []
    word = str(status.get("phase", "Pending"))
    for one in states:
        for kind in ("waiting", "terminated"):
            word = (one["state"].get(kind) or {}).get("reason", word)
    for one in inits:
        stuck = one["state"].get("waiting") or one["state"].get("terminated") or {}
        if stuck.get("reason") not in (None, "Completed", "PodInitializing"):
            word = f"Init:{stuck['reason']}"
            break
    if "deletionTimestamp" in obj["metadata"]:
        word = "Terminating"
    total = sum(not is_init for is_init, _ in containers(spec))
    return {
        "Ready": f"{sum(one['ready'] for one in states)}/{total}",
        "Status": word,
        "Restarts": sum(one["restartCount"] for one in states + inits),
        "IP": status.get("podIP", "<none>"),
        "Node": spec.get("nodeName", "<none>"),
    }
