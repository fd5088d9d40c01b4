"""A large world to measure in: an environment repository of 1,000 services, and the objects of the cluster that runs them.

The objects are as large as an API server sends them (managed fields, conditions, volumes, tolerations). The API answers from
memory, in pages of 500, and holds its watches open.
"""

import json
from typing import Any

from benchmarks.edit import manifest
from tests.support.wire import Call, Reply

SERVICES, PODS, PAGE = 1_000, 2, 500
START = "2026-01-01T00:00:00Z"
REVISION = "deployment.kubernetes.io/revision"


def tree(version: str, *, services: int = SERVICES, newer: int = 0, new_version: str = "") -> dict[str, str]:
    """One manifest (a Deployment and its Service) for each service; the first `newer` of them at another version."""
    return {f"apps/app-{n}/manifest.yaml": manifest(2 * n, new_version if n < newer else version) for n in range(services)}


class Cluster:
    """The API of a cluster in which everything runs healthily. `script` answers a `Wire`."""

    def __init__(self, version: str, *, services: int = SERVICES, newer: int = 0, new_version: str = "") -> None:
        versions = [new_version if n < newer else version for n in range(services)]
        stored = {
            "deployments": [_deployment(n, version) for n, version in enumerate(versions)],
            "replicasets": [_replicaset(n, version) for n, version in enumerate(versions)],
            "pods": [_pod(n, m, version) for n, version in enumerate(versions) for m in range(PODS)],
        }
        self._pages = {plural: _pages(found) for plural, found in stored.items()}
        self._empty = _pages([])

    def script(self, call: Call, _: int) -> Reply:
        """A page of a list, or a watch in which nothing happens."""
        if "watch" in call.query:
            return Reply(lines=(), hold=True)
        pages = self._pages.get(call.path.rpartition("/")[2], self._empty)
        return Reply(body=pages[int(call.query.get("continue", "0"))])


def _pages(found: list[dict[str, Any]]) -> list[bytes]:
    parts = [found[at : at + PAGE] for at in range(0, len(found), PAGE)] or [[]]
    following = [str(n) for n in range(1, len(parts))] + [""]
    return [
        json.dumps({"metadata": {"resourceVersion": "1", "continue": more}, "items": part}).encode()
        for part, more in zip(parts, following, strict=True)
    ]


def _metadata(kind: str, name: str, number: int, owner: str = "") -> dict[str, Any]:
    fields = {f"f:field-{n}": {".": {}, "f:value": {}} for n in range(25)}
    found: dict[str, Any] = {
        "name": name, "namespace": "shop", "uid": f"{kind}-uid-{name}", "resourceVersion": "1", "generation": 1, "creationTimestamp": START,
        "labels": {"app": f"app-{number}", "team": "shop", "pod-template-hash": f"hash{number}"},
        "annotations": {REVISION: "1", "kubectl.kubernetes.io/last-applied-configuration": json.dumps(fields)},
        "managedFields": [{"manager": "agent", "operation": "Apply", "time": START, "fieldsType": "FieldsV1", "fieldsV1": fields}],
    }  # fmt: skip
    owners = [{"apiVersion": "apps/v1", "kind": "x", "name": owner, "uid": owner, "controller": True, "blockOwnerDeletion": True}]
    return found | ({"ownerReferences": owners} if owner else {})


def _pod_spec(number: int, version: str) -> dict[str, Any]:
    probe = {"httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"}, "timeoutSeconds": 1, "periodSeconds": 5}
    token = {"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True}
    return {
        "containers": [
            {
                "name": "app", "image": f"ghcr.io/acme/app-{2 * number}:{version}", "ports": [{"name": "http", "containerPort": 8080}],
                "env": [{"name": f"SETTING_{n}", "value": f"value {n}"} for n in range(15)],
                "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
                "readinessProbe": probe, "livenessProbe": dict(probe), "volumeMounts": [token],
                "terminationMessagePath": "/dev/termination-log", "imagePullPolicy": "IfNotPresent",
            }
        ],
        "volumes": [{"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}], "defaultMode": 420}}],
        "tolerations": [{"key": f"node.kubernetes.io/{key}", "effect": "NoExecute", "tolerationSeconds": 300} for key in ("a", "b")],
        "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "serviceAccountName": "default", "schedulerName": "default-scheduler",
        "securityContext": {}, "terminationGracePeriodSeconds": 30,
    }  # fmt: skip


def _conditions(*kinds: str) -> list[dict[str, Any]]:
    said = {"status": "True", "lastTransitionTime": START, "lastUpdateTime": START, "message": "as it should be"}
    reasons = {"Progressing": "NewReplicaSetAvailable", "Available": "MinimumReplicasAvailable"}
    return [{"type": kind, "reason": reasons.get(kind, ""), **said} for kind in kinds]


def _deployment(number: int, version: str) -> dict[str, Any]:
    labels = {"app": f"app-{number}"}
    return {
        "metadata": _metadata("deployment", f"app-{number}", number),
        "spec": {
            "replicas": PODS, "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10, "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {"metadata": {"labels": labels}, "spec": _pod_spec(number, version)},
        },
        "status": {
            "observedGeneration": 1, "replicas": PODS, "updatedReplicas": PODS, "readyReplicas": PODS, "availableReplicas": PODS,
            "conditions": _conditions("Available", "Progressing"),
        },
    }  # fmt: skip


def _replicaset(number: int, version: str) -> dict[str, Any]:
    owner = f"deployment-uid-app-{number}"
    template = {"metadata": {"labels": {"app": f"app-{number}"}}, "spec": _pod_spec(number, version)}
    return {
        "metadata": _metadata("replicaset", f"app-{number}-hash", number, owner),
        "spec": {"replicas": PODS, "selector": {"matchLabels": {"app": f"app-{number}"}}, "template": template},
        "status": {"replicas": PODS, "readyReplicas": PODS, "availableReplicas": PODS, "observedGeneration": 1},
    }


def _pod(number: int, which: int, version: str) -> dict[str, Any]:
    image = f"ghcr.io/acme/app-{2 * number}"
    container = {
        "name": "app", "ready": True, "started": True, "restartCount": 0, "image": f"{image}:{version}",
        "imageID": f"{image}@sha256:{number:064x}", "containerID": f"containerd://{number:064x}",
        "state": {"running": {"startedAt": START}},
    }  # fmt: skip
    return {
        "metadata": _metadata("pod", f"app-{number}-hash-{which}", number, f"replicaset-uid-app-{number}-hash"),
        "spec": {**_pod_spec(number, version), "nodeName": f"node-{number % 50}"},
        "status": {
            "phase": "Running", "startTime": START, "podIP": "10.0.0.1", "qosClass": "Burstable",
            "conditions": _conditions("Initialized", "Ready", "ContainersReady", "PodScheduled"), "containerStatuses": [container],
        },
    }  # fmt: skip
