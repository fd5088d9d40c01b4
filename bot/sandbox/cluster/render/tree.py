"""A stage's whole folder, rendered: which files are read how, and what comes of them.

Decides the roots: every kustomization that no other one uses, then every manifest that none of them used, then Helm
charts and values that nothing used. What an Application or a Flux Kustomization takes from a folder is theirs alone.
So everything in the folder comes to run, whether or not the tree has one entrance; files that mean nothing to an
agent are left alone.
"""

import posixpath
import re
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.cluster.render.agents import bring, chart_folder
from bot.sandbox.cluster.render.helm import clean, deployments
from bot.sandbox.cluster.render.kustomize import NAMES, Build, build, flatten, kustomization_in
from bot.sandbox.cluster.render.text import listing, mapping

Obj = dict[str, Any]
_SKIPPED_KINDS = frozenset({"Kustomization", "Component", "HelmChartInflationGenerator"})
_NOT_VALUES = (
    "chart.yaml",
    "chart.lock",
    "skaffold.yaml",
    "renovate.json",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "config.yaml",
)
_HOLE = re.compile(r"\{\{\s*\.?([\w.-]+)\s*\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One object to apply; `owner` is the agent object that brings it, as (kind, namespace, name), None for the stage's own."""

    obj: Obj
    owner: tuple[str, str, str] | None = None


@dataclass(slots=True)
class Rendered:
    """What a commit brings. `revisions`: for agent objects whose source lies elsewhere, what they stand at."""

    items: list[Item] = field(default_factory=list)
    revisions: dict[tuple[str, str, str], str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def render(files: dict[str, bytes], folder: str = "", stage: str = "") -> Rendered:
    """Renders a stage's folder of a repository; `files` are all files of the commit by path."""
    folder = folder.strip("/")
    tree = Build(files={path: content for path, content in files.items() if not _hidden(path)})
    inside = [path for path in sorted(tree.files) if _under(path, folder)]
    found = _kustomized(tree, inside)
    late: list[str] = []
    for path in inside:
        if path in tree.used or not path.endswith((".yaml", ".yml", ".json")):
            continue
        if _is_template(path, tree):
            tree.used.add(path)
            continue
        if posixpath.basename(path).lower() in ("chart.yaml", "chart.lock") or not _has_objects(tree, path):
            late.append(path)
            tree.used.discard(path)
            continue
        found += [(path, deepcopy(one)) for document in tree.load(path) for one in flatten(document)]
    found = [(path, obj) for path, one in found for obj in _expanded([one]) if not _is_build_file(obj)]
    result, brought = Rendered(), Build(files=tree.files, problems=tree.problems)
    _bring_all(brought, folder, [obj for _, obj in found], result)
    result.items = [Item(obj=obj) for path, obj in found if path not in brought.used] + result.items
    tree.used |= brought.used
    for obj in _leftovers(tree, folder, late, stage):
        result.items.append(Item(obj=obj))
    result.problems = tree.problems
    return result


def _hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


def _under(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _is_build_file(obj: Obj) -> bool:
    return obj["kind"] in _SKIPPED_KINDS and obj["apiVersion"].startswith("kustomize.config.k8s.io")


def _is_template(path: str, tree: Build) -> bool:
    """A Helm template: under `templates/` of a chart, or with template actions at the start of a line."""
    return ("/templates/" in f"/{path}" and b"{{" in tree.files[path]) or b"\n{{" in tree.files[path]


def _has_objects(tree: Build, path: str) -> bool:
    return any(flatten(document) for document in tree.load(path))


def _kustomized(tree: Build, inside: list[str]) -> list[tuple[str, Obj]]:
    """(path of the kustomization, object) of every kustomization that no other one uses."""
    folders = [posixpath.dirname(path) for path in inside if posixpath.basename(path) in NAMES]
    referred: set[str] = set()
    for folder in folders:
        scout = Build(files=tree.files)
        path = next(path for name in NAMES if (path := posixpath.join(folder, name)) in tree.files)
        spec = mapping((scout.load(path) or [{}])[0])
        if spec.get("kind") == "Component":
            referred.add(folder)
        for entry in listing(spec.get("resources")) + listing(spec.get("bases")) + listing(spec.get("components")):
            there = posixpath.normpath(posixpath.join(folder, str(entry)))
            referred.add("" if there == "." else there)
    roots = [folder for folder in folders if folder not in referred]
    return [(kustomization_in(tree.files, folder) or "", obj) for folder in roots for obj in build(tree, folder)]


def _expanded(objects: list[Obj]) -> list[Obj]:
    """ApplicationSets with a list generator give their Applications beside themselves."""
    made: list[Obj] = []
    for obj in objects:
        made.append(obj)
        if obj["kind"] != "ApplicationSet":
            continue
        spec = mapping(obj.get("spec"))
        elements = [
            element for g in listing(spec.get("generators")) for element in listing(mapping(mapping(g).get("list")).get("elements"))
        ]
        for element in map(mapping, elements):
            application = _filled(mapping(spec.get("template")), element)
            meta = mapping(application.get("metadata"))
            if isinstance(meta.get("name"), str):
                meta.setdefault("namespace", obj["metadata"].get("namespace", "argocd"))
                made.append(application | {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": meta})
    return made


def _filled(node: Any, element: Obj) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, element) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, element) for value in node]
    if not isinstance(node, str):
        return node

    def fill(hole: re.Match[str]) -> str:
        value: Any = element
        for step in hole[1].split("."):
            value = mapping(value).get(step)
        return hole[0] if value is None else str(value)

    return _HOLE.sub(fill, node)


def _bring_all(tree: Build, folder: str, objects: list[Obj], result: Rendered) -> None:
    """What agent objects bring; objects of theirs that bring more again are followed, a few steps deep."""
    waiting, seen = list(objects), 0
    while waiting and seen < 2000:
        owner = waiting.pop(0)
        seen += 1
        brought = bring(tree, folder, owner, objects)
        if brought is None:
            continue
        key = (owner["kind"], str(owner["metadata"].get("namespace", "default")), owner["metadata"]["name"])
        if brought.revision:
            result.revisions[key] = brought.revision
        result.items += [Item(obj=obj, owner=key) for obj in brought.objects]
        waiting += [obj for obj in brought.objects if seen < 200 and obj["kind"] in ("Application", "HelmRelease", "Kustomization")]


def _leftovers(tree: Build, folder: str, late: list[str], stage: str) -> list[Obj]:
    """Deployments for charts and values that nothing else has used."""
    made: list[Obj] = []
    for path in late:
        name, place = posixpath.basename(path).lower(), posixpath.dirname(path)
        if path in tree.used or name in _NOT_VALUES or f"{place}/templates/" in path:
            continue
        release = clean(posixpath.basename(place if place != folder else "") or posixpath.basename(name).partition(".")[0])
        if name in ("values.yaml", "values.yml"):
            overlay = next((p for p in late if posixpath.dirname(p) == place and stage and _overlay_of(p, stage)), None)
            values = mapping((tree.load(overlay) or [{}])[0]) if overlay else None
            made += chart_folder(tree, place, release, values=values, namespace="default")
            continue
        if f"{place}/values.yaml".lstrip("/") in tree.files and name.startswith("values"):
            continue
        stem = name.rsplit(".", 1)[0].removesuffix("-values").removesuffix(".values").removeprefix("values-")
        for document in tree.load(path):
            made += deployments(document, release=clean(stem) if stem != "values" else release, namespace="default")
    return made


def _overlay_of(path: str, stage: str) -> bool:
    name = posixpath.basename(path).lower()
    return name in (f"values-{stage}.yaml", f"values.{stage}.yaml", f"values_{stage}.yaml", f"{stage}-values.yaml", f"{stage}.yaml")
