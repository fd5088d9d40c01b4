"""What Argo CD and Flux write about their own objects: sync, health, applied revisions, conditions.

Decides the status of Applications, Kustomizations, HelmReleases and their sources from the agent's inventory and the
health of what it brought. Shapes follow recordings of the real definitions.
"""

import hashlib
from datetime import UTC, datetime

from bot.sandbox.cluster.applying import Inventory, Ledger
from bot.sandbox.cluster.health import health, worst
from bot.sandbox.cluster.resources import APPLICATIONS, GITREPOSITORIES, HELMRELEASES, KUSTOMIZATIONS, OCIREPOSITORIES, Obj, Resource
from bot.sandbox.cluster.store import stamp
from bot.sandbox.cluster.world import Key, World, containers, set_condition, with_status

REQUESTED = "reconcile.fluxcd.io/requestedAt"
HISTORY = 10


class Statuses:
    """The status half of the agents. `branch` names the revision of git sources: `main@sha1:...`; `root` is the stage's own object."""

    def __init__(self, ledger: Ledger, branch: str, root: tuple[str, str, str] | None) -> None:
        self.ledger, self.branch, self.root = ledger, branch, root

    def inventory(self, obj: Obj) -> Inventory | None:
        """What this agent object brought; for the stage's own object everything that has no other owner."""
        key = (obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        return self.ledger.inventories.get(("", "", "") if key == self.root else key)

    def application(self, world: World, app: Obj) -> float | None:
        """Argo CD's status of an Application."""
        found = self.inventory(app)
        if found is None:
            return None
        objects = _objects(world, found)
        states = [health(obj) for _, _, obj in objects if obj is not None] + [("Missing", "") for *_, obj in objects if obj is None]
        spec, before = app.get("spec") or {}, app.get("status") or {}
        at, state = stamp(datetime.fromtimestamp(found.synced_at, UTC)), worst(name for name, _ in states)
        resources = [_entry(resource, key) for resource, key, _ in objects]
        history = [one for one in before.get("history") or [] if isinstance(one, dict)]
        source = {"sources": spec["sources"]} if spec.get("sources") else {"source": spec.get("source")}
        revision: Obj = {"revisions": [found.revision]} if spec.get("sources") else {"revision": found.revision}
        if not history or {k: history[-1].get(k) for k in revision} != revision:
            number = history[-1]["id"] + 1 if history else 0
            history = [*history, {"deployStartedAt": at, "deployedAt": at, "id": number} | revision | source][-HISTORY:]
        synced = [entry | {"hookPhase": "Running", "message": f"{entry['kind'].lower()}/{entry['name']} configured", "syncPhase": "Sync"}
                  for entry in resources]  # fmt: skip
        operation = {"initiatedBy": {"automated": True}, "retry": {"limit": 5}, "sync": {"prune": True} | revision}
        status: Obj = {
            "controllerNamespace": "argocd",
            "health": {"status": state},
            "history": history,
            "operationState": {
                "finishedAt": at,
                "message": "successfully synced (all tasks run)",
                "operation": operation,
                "phase": "Succeeded",
                "startedAt": at,
                "syncResult": {"resources": synced, "revision": found.revision} | revision | source,
            },
            "reconciledAt": at,
            "resourceHealthSource": "appTree",
            "resources": resources,
            "summary": {"images": sorted({image for *_, obj in objects if obj for image in _images(obj)})},
            "sync": {"comparedTo": {"destination": spec.get("destination")} | source, "status": "Synced"} | revision,
        }
        world.store.replace(APPLICATIONS, with_status(app, status))
        return None

    def kustomization(self, world: World, obj: Obj) -> float | None:
        """Flux's status of a Kustomization; with `wait`, ready only when what it brought is well."""
        found = self.inventory(obj)
        if found is None:
            return None
        spec, meta = obj.get("spec") or {}, obj["metadata"]
        revision = found.revision if "@" in found.revision else f"{self.branch}@sha1:{found.revision}"
        old = obj.get("status") or {}
        status: Obj = dict(old) | {"observedGeneration": meta["generation"], "lastAttemptedRevision": revision}
        state, message = _together(world, found) if spec.get("wait") else ("Healthy", "")
        conditions = [c for c in old.get("conditions") or [] if c["type"] == "Ready"]
        more = {"observedGeneration": meta["generation"]}
        if state == "Degraded":
            sentence = f"health check failed after 5s: {message}"
            conditions = set_condition(conditions, world.now, "Ready", "False", "HealthCheckFailed", sentence, **more)
        elif state == "Progressing":
            sentence = f"Running health checks for revision {revision} with a timeout of 5m0s"
            conditions = set_condition(conditions, world.now, "Ready", "Unknown", "Progressing", sentence, **more)
            conditions = set_condition(conditions, world.now, "Reconciling", "True", "Progressing", sentence, **more)
        else:
            sentence = f"Applied revision: {revision}"
            conditions = set_condition(conditions, world.now, "Ready", "True", "ReconciliationSucceeded", sentence, **more)
            status |= {"lastAppliedRevision": revision}
        status |= {"conditions": conditions, "inventory": {"entries": [_flux_entry(key, world) for key in found.keys]}}
        self._requested(meta, status)
        world.store.replace(KUSTOMIZATIONS, with_status(obj, status))
        return None

    def helmrelease(self, world: World, obj: Obj) -> float | None:
        """Flux's status of a HelmRelease: Helm waits until what it installed is well."""
        found = self.inventory(obj)
        if found is None:
            return None
        spec, meta, old = obj.get("spec") or {}, obj["metadata"], obj.get("status") or {}
        name, version = str(spec.get("releaseName") or meta["name"]), found.revision
        where = str(spec.get("targetNamespace") or meta["namespace"])
        chart = str(((spec.get("chart") or {}).get("spec") or {}).get("chart") or meta["name"])
        values = hashlib.sha256(repr(spec.get("values")).encode()).hexdigest()
        history = list(old.get("history") or [])
        fresh = not history or (history[0]["chartVersion"], history[0]["configDigest"]) != (version, f"sha256:{values}")
        if fresh:
            history.insert(0, _snapshot(world, name, where, chart, version, values, len(history) + 1))
        number = history[0]["version"]
        verb = "install" if number == 1 else "upgrade"
        state, message = _together(world, found)
        more = {"observedGeneration": meta["generation"]}
        kept = [c for c in old.get("conditions") or [] if c["type"] in ("Ready", "Released")]
        about = f"release {where}/{name}.v{number} with chart {chart}@{version}"
        if state == "Progressing":
            sentence = f"Running '{verb}' action with timeout of 5m0s"
            conditions = set_condition(kept, world.now, "Ready", "Unknown", "Progressing", sentence, **more)
            conditions = set_condition(conditions, world.now, "Reconciling", "True", "Progressing", sentence, **more)
            word = f"pending-{verb}"
        else:
            good = state != "Degraded"
            reason = f"{verb.capitalize()}{'Succeeded' if good else 'Failed'}"
            sentence = f"Helm {verb} succeeded for {about}" if good else f"Helm {verb} failed for {about}: {message}"
            conditions = kept
            for kind in ("Ready", "Released"):
                conditions = set_condition(conditions, world.now, kind, str(good), reason, sentence, **more)
            word = "deployed" if good else "failed"
        history[0] = history[0] | {"status": word}
        status: Obj = {
            "conditions": conditions,
            "history": history[:5],
            "lastAttemptedGeneration": meta["generation"],
            "lastAttemptedReleaseAction": verb,
            "lastAttemptedRevision": version,
            "lastAttemptedConfigDigest": f"sha256:{values}",
            "observedGeneration": meta["generation"],
            "storageNamespace": where,
        } | {key: old[key] for key in ("lastHandledReconcileAt",) if key in old}
        if word == "failed":
            status["failures"] = 1
        self._requested(meta, status)
        world.store.replace(HELMRELEASES, with_status(obj, status))
        return None

    def source(self, world: World, obj: Obj) -> float | None:
        """Flux's status of a GitRepository or OCIRepository."""
        meta, spec = obj["metadata"], obj.get("spec") or {}
        ref = spec.get("ref") or {}
        if obj["kind"] == "GitRepository":
            found = self.ledger.inventories.get(("", "", ""))
            revision = f"{self.branch}@sha1:{found.revision if found else ''}"
        else:
            version = str(ref.get("tag") or ref.get("semver") or "latest")
            artifact_digest = hashlib.sha256(f"{spec.get('url')}:{version}".encode()).hexdigest()
            revision = f"{version}@sha256:{artifact_digest}"
        sentence = f"stored artifact for revision '{revision}'"
        old = obj.get("status") or {}
        more = {"observedGeneration": meta["generation"]}
        conditions = set_condition(old.get("conditions") or [], world.now, "Ready", "True", "Succeeded", sentence, **more)
        conditions = set_condition(conditions, world.now, "ArtifactInStorage", "True", "Succeeded", sentence, **more)
        artifact = old.get("artifact") or {}
        if artifact.get("revision") != revision:
            artifact = {"revision": revision, "lastUpdateTime": stamp(world.now)}
        status: Obj = {"observedGeneration": meta["generation"], "conditions": conditions, "artifact": artifact}
        self._requested(meta, status)
        resource = GITREPOSITORIES if obj["kind"] == "GitRepository" else OCIREPOSITORIES
        world.store.replace(resource, with_status(obj, status))
        return None

    def _requested(self, meta: Obj, status: Obj) -> None:
        if asked := (meta.get("annotations") or {}).get(REQUESTED):
            status["lastHandledReconcileAt"] = asked


def _resource(world: World, key: Key) -> Resource | None:
    return next((r for r in world.store.catalog.resources.values() if (r.group, r.plural) == key[:2]), None)


def _objects(world: World, found: Inventory) -> list[tuple[Resource, Key, Obj | None]]:
    listed = ((_resource(world, key), key) for key in found.keys)
    return [(resource, key, world.store.get(resource, key[2], key[3])) for resource, key in listed if resource is not None]


def _together(world: World, found: Inventory) -> tuple[str, str]:
    states = [health(obj) for _, _, obj in _objects(world, found) if obj is not None]
    state = worst(name for name, _ in states)
    return state, next((message for name, message in states if name == state), "")


def _entry(resource: Resource, key: Key) -> Obj:
    entry: Obj = {"kind": resource.kind, "name": key[3], "status": "Synced", "version": resource.version}
    return ({"group": resource.group} if resource.group else {}) | entry | ({"namespace": key[2]} if key[2] else {})


def _flux_entry(key: Key, world: World) -> Obj:
    resource = _resource(world, key)
    kind, version = (resource.kind, resource.version) if resource else (key[1], "v1")
    return {"id": f"{key[2]}_{key[3]}_{key[0]}_{kind}", "v": version}


def _images(obj: Obj) -> list[str]:
    spec = obj.get("spec") or {}
    template = ((spec.get("jobTemplate") or {}).get("spec") or spec).get("template") or {}
    pod = template.get("spec") if isinstance(template, dict) else None
    return [str(container.get("image", "")) for _, container in containers(pod or {})]


def _snapshot(world: World, name: str, where: str, chart: str, version: str, values: str, number: int) -> Obj:
    at = stamp(world.now)
    digest = hashlib.sha256(f"{chart}{version}{values}".encode()).hexdigest()
    return {
        "chartName": chart,
        "chartVersion": version,
        "configDigest": f"sha256:{values}",
        "digest": f"sha256:{digest}",
        "firstDeployed": at,
        "lastDeployed": at,
        "name": name,
        "namespace": where,
        "status": "deployed",
        "version": number,
    }
