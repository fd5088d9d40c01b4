"""Create, replace, patch and delete, as the Kubernetes API answers them.

Decides how a body changes an object, what is refused, and keeps status and spec apart where a kind has a status
subresource. Controllers see the change through the store.
"""

import json
from copy import deepcopy

from bot.sandbox.cluster.answers import already_exists, conflict, not_found, refuse, status
from bot.sandbox.cluster.merge import json_patch, merge_patch, strategic_patch
from bot.sandbox.cluster.pods import delete_pod
from bot.sandbox.cluster.resources import PODS, Obj, Resource
from bot.sandbox.cluster.world import World

PATCHES = {
    "application/merge-patch+json": merge_patch,
    "application/strategic-merge-patch+json": strategic_patch,
    "application/json-patch+json": json_patch,
    "application/apply-patch+yaml": merge_patch,
}


def read_json(body: bytes) -> Obj:
    """The request's body; 400 unless it is a JSON object or list."""
    if body.startswith(b"k8s\0"):
        raise refuse(415, "the body of the request was in an unknown format - accepted media types include: application/json")
    try:
        read = json.loads(body or b"{}")
    except ValueError as error:
        raise refuse(400, f"couldn't get version/kind; json parse error: {error}") from error
    if not isinstance(read, dict):
        raise refuse(400, "the object provided is unrecognized (must be of type Object)")
    return read


def create(world: World, resource: Resource, namespace: str, body: bytes) -> Obj:
    """POST."""
    obj = read_json(body)
    meta = obj.setdefault("metadata", {})
    if not isinstance(meta, dict) or not (meta.get("name") or meta.get("generateName")):
        raise refuse(422, f'{resource.kind} "" is invalid: metadata.name: Required value: name or generateName is required')
    if not meta.get("name"):
        meta["name"] = f"{meta['generateName']}{world.store.version:x}"
    if resource.namespaced:
        meta["namespace"] = namespace
    try:
        return world.store.create(resource, obj, world.now)
    except KeyError as error:
        raise already_exists(resource, meta["name"]) from error


def replace(world: World, resource: Resource, namespace: str, name: str, body: bytes, part: str) -> Obj:
    """PUT, of the object or of its status."""
    current = _current(world, resource, namespace, name)
    obj = read_json(body)
    version = (obj.get("metadata") or {}).get("resourceVersion")
    if version and version != current["metadata"]["resourceVersion"]:
        raise conflict(resource, name)
    return world.store.replace(resource, _kept(resource, current, obj, part))


def patch(world: World, resource: Resource, place: tuple[str, str], body: bytes, kind: str, part: str) -> Obj:
    """PATCH, of the object or of its status; `kind` is the content type."""
    namespace, name = place
    current = _current(world, resource, namespace, name)
    media = kind.partition(";")[0].strip()
    if media not in PATCHES:
        listed = ", ".join(PATCHES)
        raise refuse(415, f"the body of the request was in an unknown format - accepted media types include: {listed}")
    try:
        change = json.loads(body)
        if media == "application/json-patch+json" and not isinstance(change, list):
            raise ValueError("a JSON patch is a list")
        obj = json_patch(current, change) if isinstance(change, list) else PATCHES[media](current, change)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise refuse(400, f"error decoding patch: {error}") from error
    if not isinstance(obj, dict):
        raise refuse(400, "error decoding patch: the result is not an object")
    version = (obj.get("metadata") or {}).get("resourceVersion")
    if version != current["metadata"]["resourceVersion"]:
        raise conflict(resource, name)
    return world.store.replace(resource, _kept(resource, current, obj, part))


def delete(world: World, resource: Resource, namespace: str, name: str) -> Obj:
    """DELETE: pods go after their grace time, all else at once, with what it owns."""
    current = _current(world, resource, namespace, name)
    if resource is PODS:
        delete_pod(world, current)
        return world.store.get(resource, namespace, name) or current
    world.store.remove(resource, namespace, name)
    details = {"name": name, "group": resource.group, "kind": resource.plural, "uid": current["metadata"]["uid"]}
    done = status(200, "", reason="", details=details) | {"status": "Success"}
    return {key: value for key, value in done.items() if key not in ("message", "code")}


def _current(world: World, resource: Resource, namespace: str, name: str) -> Obj:
    current = world.store.get(resource, namespace, name)
    if current is None:
        raise not_found(resource, name)
    return current


def _kept(resource: Resource, current: Obj, wanted: Obj, part: str) -> Obj:
    """What a write may change: the status by way of /status, all but the status otherwise; identity never."""
    if part == "status":
        return current | {"metadata": dict(current["metadata"]), "status": deepcopy(wanted.get("status") or {})}
    old = current["metadata"]
    meta = dict(wanted.get("metadata") or {})
    for key in ("name", "namespace", "uid", "creationTimestamp", "generation", "resourceVersion", "deletionTimestamp"):
        meta.pop(key, None)
        if key in old:
            meta[key] = old[key]
    obj = wanted | {"apiVersion": current["apiVersion"], "kind": current["kind"], "metadata": meta}
    if resource.status_subresource:
        obj = {key: value for key, value in obj.items() if key != "status"}
        obj |= {"status": current["status"]} if "status" in current else {}
    return obj
