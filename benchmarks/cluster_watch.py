"""How much a cluster of 1,000 workloads (3,000 pods) costs: requests, bytes and seconds for the first look, then per change.

Run: python -m benchmarks.cluster_watch [WORKLOADS]. The API is a local server that answers from memory, in pages of 500, and
streams one change at a time; prints one line of JSON.
"""

import json
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.rows import Row
from bot.adapters.kubernetes.clusters import KubernetesClusters
from bot.config.stage import Cluster
from tests.support.wire import Call, Reply, Wire

PAGE = 500
PODS = 3
CHANGES = 200
REVISION = "deployment.kubernetes.io/revision"


def metadata(kind: str, number: str, owner: str = "", version: int = 1) -> dict[str, Any]:
    """A name, a uid and perhaps an owner."""
    found: dict[str, Any] = {"name": f"{kind}-{number}", "namespace": "shop", "uid": f"{kind}-{number}", "resourceVersion": str(version)}
    found |= {"generation": 1, "labels": {"app": number, "app.kubernetes.io/part-of": "benchmark"}}
    return found | ({"ownerReferences": [{"uid": owner, "controller": True, "kind": "x", "name": owner}]} if owner else {})


def deployment(number: int, version: int = 1, ready: int = PODS) -> dict[str, Any]:
    """A complete Deployment, or one with fewer pods ready."""
    spec = {
        "containers": [{"name": "app", "image": f"ghcr.io/acme/svc-{number}:1.0.{version}", "resources": {"requests": {"cpu": "100m"}}}]
    }
    counts = {"replicas": PODS, "updatedReplicas": PODS, "readyReplicas": ready, "availableReplicas": ready, "observedGeneration": 1}
    good = [{"type": "Available", "status": "True"}, {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]
    return {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": metadata("web", str(number), version=version),
        "spec": {"replicas": PODS, "progressDeadlineSeconds": 600, "template": {"spec": spec}},
        "status": counts | {"conditions": good},
    }


def collections(workloads: int) -> dict[str, list[dict[str, Any]]]:
    """All objects by the plural of their kind."""
    sets = [
        {"metadata": metadata("rs", str(n), f"web-{n}") | {"annotations": {REVISION: "1"}}, "spec": {"replicas": PODS}, "status": {}}
        for n in range(workloads)
    ]
    pods = [
        {
            "metadata": metadata("pod", f"{n}-{m}", f"rs-{n}"),
            "spec": {"containers": [{"name": "app", "image": "x"}]},
            "status": {
                "phase": "Running",
                "containerStatuses": [{"name": "app", "ready": True, "restartCount": 0, "state": {"running": {}}}],
            },
        }
        for n in range(workloads)
        for m in range(PODS)
    ]
    return {"deployments": [deployment(n) for n in range(workloads)], "replicasets": sets, "pods": pods}


def measure(workloads: int) -> dict[str, Any]:
    """One run."""
    stored = collections(workloads)
    sent = {"bytes": 0}
    go = threading.Event()

    def answer(call: Call, n: int) -> Reply:
        plural = call.path.rpartition("/")[2]
        if "watch" in call.query:
            if plural != "deployments" or n:
                return Reply(lines=(), hold=True)
            go.wait(60)
            events = ({"type": "MODIFIED", "object": deployment(k % workloads, 2 + k, PODS - 1)} for k in range(CHANGES))
            lines = tuple(json.dumps(event).encode() + b"\n" for event in events)
            sent["change bytes"] = sum(map(len, lines)) // CHANGES
            return Reply(lines=lines, hold=True)
        items, start = stored.get(plural, []), int(call.query.get("continue", "0"))
        more = str(start + PAGE) if start + PAGE < len(items) else ""
        page = {"metadata": {"resourceVersion": "1", "continue": more}, "items": items[start : start + PAGE]}
        raw = json.dumps(page).encode()
        sent["bytes"] += len(raw)
        return Reply(body=raw)

    with Wire(answer) as wire, tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(kubeconfig=wire.kubeconfig(Path(folder) / "config"), namespaces=("shop",))
        clusters = KubernetesClusters(clusters={"dev": cluster}, clock=lambda: datetime.now(UTC))
        began = time.monotonic()
        clusters.start()
        while not clusters.snapshot("dev").reachable or not all(one.listed_once for one in clusters.watches["dev"].followers):
            time.sleep(0.01)
        first = time.monotonic() - began
        calls = dict(clusters.watches["dev"].api.calls)
        before = time.monotonic()
        go.set()
        while sum(state.state == "progressing" for state in clusters.snapshot("dev").workloads) < min(CHANGES, workloads):
            time.sleep(0.05)
        changed = time.monotonic() - before
        asked = time.monotonic()
        clusters.snapshot("dev")
        looked = time.monotonic() - asked
        after = dict(clusters.watches["dev"].api.calls)
        clusters.close()
    lists = sum(count for label, count in calls.items() if label.startswith("list"))
    later = sum(count for label, count in after.items() if label.startswith("list")) - lists
    return {
        "workloads": workloads,
        "pods": workloads * PODS,
        "first look": {"list requests": lists, "bytes": sent["bytes"], "seconds": round(first, 2)},
        "per change": {"list requests": later, "bytes": sent["change bytes"], "milliseconds": round(changed / CHANGES * 1000, 2)},
        "snapshot milliseconds": round(looked * 1000, 2),
    }


def bench() -> list[Row]:
    """A thousand workloads."""
    found = measure(1_000)
    return [
        Row(what="first look at 1,000 workloads, 3,000 pods", measured=found["first look"]["seconds"], unit="s"),
        Row(what="  list requests", measured=found["first look"]["list requests"], unit="calls"),
        Row(what="  bytes of the lists", measured=round(found["first look"]["bytes"] / 1e6, 2), unit="MB"),
        Row(what="each change after it", measured=found["per change"]["milliseconds"], unit="ms"),
        Row(what="  bytes", measured=found["per change"]["bytes"], unit="B"),
        Row(what="  list requests after 200 changes", measured=found["per change"]["list requests"], unit="calls", goal=0),
        Row(what="  snapshot", measured=found["snapshot milliseconds"], unit="ms"),
    ]


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)))
