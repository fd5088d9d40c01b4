"""Kustomize in small: what `kubectl kustomize` would make of a folder.

Covers resources, bases, components, patches (strategic, JSON 6902), namespace, name prefix and suffix, labels, images,
replicas and charts. Remote bases and generators are left out and said so.
"""

import posixpath
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.cluster.merge import json_patch, strategic_patch
from bot.sandbox.cluster.render.helm import deployments
from bot.sandbox.cluster.render.text import Unreadable, documents, is_object, listing, mapping

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
SCALED = ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet")
Obj = dict[str, Any]


@dataclass(slots=True)
class Build:
    """One reading of a tree: the files, what has been used, what went wrong."""

    files: dict[str, bytes]
    used: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def load(self, path: str) -> list[Any]:
        """The documents of a file, marked as used; none, and a problem, if it cannot be read."""
        self.used.add(path)
        try:
            return documents(self.files[path])
        except Unreadable as error:
            self.problems.append(f"{path}: {error}")
            return []


def kustomization_in(files: dict[str, bytes], folder: str) -> str | None:
    """The path of the folder's kustomization file."""
    return next((path for name in NAMES if (path := posixpath.join(folder, name)) in files), None)


def build(tree: Build, folder: str, trail: tuple[str, ...] = ()) -> list[Obj]:
    """The objects of a folder with a kustomization."""
    path = kustomization_in(tree.files, folder)
    if path is None or folder in trail:
        tree.problems.append(f"{folder or '.'}: {'refers to itself' if folder in trail else 'no kustomization here'}")
        return []
    read = tree.load(path)
    spec = mapping(read[0]) if read else {}
    objects: list[Obj] = []
    for entry in listing(spec.get("resources")) + listing(spec.get("bases")):
        objects += _resource(tree, folder, str(entry), (*trail, folder))
    for chart in listing(spec.get("helmCharts")):
        objects += _chart(tree, folder, mapping(chart))
    objects = _change(tree, folder, spec, objects)
    for entry in listing(spec.get("components")):
        objects = _component(tree, posixpath.normpath(posixpath.join(folder, str(entry))), objects)
    return objects


def _resource(tree: Build, folder: str, entry: str, trail: tuple[str, ...]) -> list[Obj]:
    path = posixpath.normpath(posixpath.join(folder, entry))
    path = "" if path == "." else path
    if path in tree.files:
        return [deepcopy(found) for document in tree.load(path) for found in flatten(document)]
    if kustomization_in(tree.files, path) is not None:
        return build(tree, path, trail)
    tree.problems.append(f"{folder or '.'}: {entry} is not in this repository")
    return []


def _component(tree: Build, folder: str, objects: list[Obj]) -> list[Obj]:
    path = kustomization_in(tree.files, folder)
    read = tree.load(path) if path else []
    if not read:
        tree.problems.append(f"{folder}: no component here")
        return objects
    spec = mapping(read[0])
    for entry in listing(spec.get("resources")):
        objects = objects + _resource(tree, folder, str(entry), (folder,))
    return _change(tree, folder, spec, objects)


def flatten(document: Any) -> list[Obj]:
    """The objects in a document; the items of a List one by one."""
    if isinstance(document, dict) and isinstance(document.get("items"), list) and str(document.get("kind", "")).endswith("List"):
        return [item for item in document["items"] if is_object(item)]
    return [document] if is_object(document) else []


def _change(tree: Build, folder: str, spec: Obj, objects: list[Obj]) -> list[Obj]:
    for patch, target in _patches(tree, folder, spec):
        objects = _patched(tree, folder, objects, patch, target)
    for obj in objects:
        meta = obj["metadata"]
        if isinstance(spec.get("namespace"), str):
            meta["namespace"] = spec["namespace"]
        if obj["kind"] not in ("Namespace", "CustomResourceDefinition"):
            meta["name"] = f"{spec.get('namePrefix') or ''}{meta['name']}{spec.get('nameSuffix') or ''}"
        labels = mapping(spec.get("commonLabels")) | {
            key: value for item in listing(spec.get("labels")) for key, value in mapping(mapping(item).get("pairs")).items()
        }
        if labels:
            meta["labels"] = mapping(meta.get("labels")) | labels
        set_images(obj, listing(spec.get("images")))
        for item in listing(spec.get("replicas")) if obj["kind"] in SCALED else []:
            if mapping(item).get("name") == meta["name"] and isinstance(mapping(item).get("count"), int):
                obj["spec"] = mapping(obj.get("spec")) | {"replicas": item["count"]}
    return objects


def set_images(node: Any, images: list[Any]) -> None:
    """Kustomize's `images`: every container whose image has the entry's name gets its new name, tag or digest."""
    if not images:
        return
    if isinstance(node, list):
        for item in node:
            set_images(item, images)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key in ("containers", "initContainers") and isinstance(value, list):
            for container in value:
                if isinstance(container, dict) and isinstance(container.get("image"), str):
                    for entry in images:
                        container["image"] = renamed(container["image"], mapping(entry))
        set_images(value, images)


def renamed(reference: str, entry: Obj) -> str:
    """One entry of `images` on one reference."""
    name, _, digest = reference.partition("@")
    head, slash, last = name.rpartition("/")
    base, _, tag = last.partition(":")
    repository = f"{head}{slash}{base}"
    if repository != str(entry.get("name")):
        return reference
    repository = str(entry.get("newName") or repository)
    if entry.get("digest"):
        return f"{repository}@{entry['digest']}"
    if entry.get("newTag") is not None:
        return f"{repository}:{entry['newTag']}"
    return repository + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def _patches(tree: Build, folder: str, spec: Obj) -> list[tuple[Any, Obj]]:
    found: list[tuple[Any, Obj]] = []
    for entry in listing(spec.get("patchesStrategicMerge")):
        found += [(patch, {}) for patch in _patch_text(tree, folder, str(entry), str(entry))]
    for entry in listing(spec.get("patches")) + listing(spec.get("patchesJson6902")):
        read = mapping(entry)
        texts = _patch_text(tree, folder, str(read.get("path") or ""), str(read.get("patch") or ""))
        found += [(patch, mapping(read.get("target"))) for patch in texts]
    return found


def _patch_text(tree: Build, folder: str, path: str, text: str) -> list[Any]:
    place = posixpath.normpath(posixpath.join(folder, path)) if path else ""
    if place in tree.files:
        return tree.load(place)
    try:
        return documents(text.encode())
    except Unreadable as error:
        tree.problems.append(f"{folder or '.'}: patch: {error}")
        return []


def _patched(tree: Build, folder: str, objects: list[Obj], patch: Any, target: Obj) -> list[Obj]:
    if isinstance(patch, dict) and not target:
        meta = mapping(patch.get("metadata"))
        target = {"kind": patch.get("kind"), "name": meta.get("name")} | ({"namespace": meta["namespace"]} if "namespace" in meta else {})
    changed = []
    for obj in objects:
        if not _meant(obj, target):
            changed.append(obj)
        elif isinstance(patch, dict) and patch.get("$patch") == "delete":
            continue
        else:
            changed.append(_patch_one(tree, folder, obj, patch))
    return changed


def _patch_one(tree: Build, folder: str, obj: Obj, patch: Any) -> Obj:
    try:
        fresh = json_patch(obj, patch) if isinstance(patch, list) else strategic_patch(obj, patch)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        tree.problems.append(f"{folder or '.'}: patch of {obj['metadata']['name']}: {error}")
        return obj
    if not is_object(fresh):
        return obj
    fresh["metadata"] = fresh["metadata"] | {"name": obj["metadata"]["name"]}
    return dict(fresh)


def _meant(obj: Obj, target: Obj) -> bool:
    group = obj["apiVersion"].rpartition("/")[0]
    wanted = {"kind": obj["kind"], "name": obj["metadata"]["name"], "namespace": obj["metadata"].get("namespace"), "group": group}
    return all(target[key] == value for key, value in wanted.items() if target.get(key))


def _chart(tree: Build, folder: str, chart: Obj) -> list[Obj]:
    values: Obj = {}
    path = posixpath.normpath(posixpath.join(folder, str(chart.get("valuesFile") or "values.yaml")))
    if path in tree.files:
        values = mapping((tree.load(path) or [{}])[0])
    values = strategic_patch(values, mapping(chart.get("valuesInline")))
    name = str(chart.get("releaseName") or chart.get("name") or "release")
    repo = str(chart.get("repo") or "").removeprefix("oci://").removeprefix("https://")
    whence = f"{repo}/{chart.get('name')}:{chart.get('version')}".lstrip("/")
    return deployments(values, release=name, namespace=str(chart.get("namespace") or "default"), chart=whence)
