"""What Flux's and Argo CD's own objects bring into a cluster: HelmRelease, Kustomization, Application, ApplicationSet.

Decides the objects behind each of them. A source that lies in this very repository is rendered from its files; one
that lies elsewhere (a chart, an OCI artifact, another repository) cannot be fetched here and becomes Deployments of
the images it names, or of the artifact itself.
"""

import hashlib
import posixpath
import re
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from bot.sandbox.cluster.merge import merge_patch
from bot.sandbox.cluster.render.helm import clean, deployment, deployments, join
from bot.sandbox.cluster.render.kustomize import Build, build, flatten, kustomization_in, set_images
from bot.sandbox.cluster.render.text import Unreadable, documents, listing, mapping

Obj = dict[str, Any]
_SHA = re.compile(r"^[0-9a-f]{40}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What one agent object brings, and the revision that it stands at (empty: this repository's commit)."""

    objects: tuple[Obj, ...]
    revision: str = ""


def bring(tree: Build, folder: str, owner: Obj, everything: list[Obj]) -> Brought | None:
    """The objects behind a HelmRelease, Kustomization or Application; None for any other kind."""
    group = owner["apiVersion"].partition("/")[0]
    match group, owner["kind"]:
        case "helm.toolkit.fluxcd.io", "HelmRelease":
            return _helmrelease(owner, everything)
        case "kustomize.toolkit.fluxcd.io", "Kustomization":
            return _kustomization(tree, folder, owner, everything)
        case "argoproj.io", "Application":
            return _application(tree, folder, owner)
        case _:
            return None


def _find(everything: list[Obj], kind: str, name: Any) -> Obj:
    return next((obj for obj in everything if obj["kind"] == kind and obj["metadata"]["name"] == name), {})


def _artifact(source: Obj) -> tuple[str, str]:
    """(repository, tag) of an OCIRepository."""
    spec = mapping(source.get("spec"))
    ref = mapping(spec.get("ref"))
    version = str(ref.get("tag") or ref.get("semver") or ref.get("digest") or "latest")
    return str(spec.get("url") or "").removeprefix("oci://"), version


def _helmrelease(owner: Obj, everything: list[Obj]) -> Brought:
    spec, meta = mapping(owner.get("spec")), owner["metadata"]
    chart = mapping(mapping(spec.get("chart")).get("spec"))
    name, version = str(chart.get("chart") or meta["name"]), str(chart.get("version") or "")
    source = _find(everything, "HelmRepository", mapping(chart.get("sourceRef")).get("name"))
    base = str(mapping(source.get("spec")).get("url") or "charts.example").partition("://")[2] or "charts.example"
    whence = f"{base.rstrip('/')}/{name}:{version or 'latest'}"
    if ref := mapping(spec.get("chartRef")):
        repository, version = _artifact(_find(everything, "OCIRepository", ref.get("name")))
        whence = f"{repository or 'charts.example/' + name}:{version}"
    namespace = str(spec.get("targetNamespace") or meta.get("namespace") or "default")
    release = str(spec.get("releaseName") or meta["name"])
    made = deployments(mapping(spec.get("values")), release=release, namespace=namespace, chart=whence)
    return Brought(objects=tuple(made), revision=version or "latest")


def _kustomization(tree: Build, folder: str, owner: Obj, everything: list[Obj]) -> Brought:
    spec, meta = mapping(owner.get("spec")), owner["metadata"]
    source = mapping(spec.get("sourceRef"))
    namespace = spec.get("targetNamespace")
    if source.get("kind") == "OCIRepository":
        repository, version = _artifact(_find(everything, "OCIRepository", source.get("name")))
        name = clean(str(meta["name"]))
        where = str(namespace or meta.get("namespace") or "default")
        reference = join(
            repository or name, "" if version.startswith("sha256:") else version, version if version.startswith("sha256:") else ""
        )
        return Brought(objects=(deployment(name, where, reference),), revision=f"{version}@sha1:{'0' * 40}")
    path = _inside(tree, folder, str(spec.get("path") or "."))
    objects = _folder(tree, path, str(meta["name"])) if path not in (None, folder) and path is not None else []
    for obj in objects:
        if isinstance(namespace, str):
            obj["metadata"]["namespace"] = namespace
        set_images(obj, listing(spec.get("images")))
    return Brought(objects=tuple(objects))


def _inside(tree: Build, folder: str, path: str) -> str | None:
    """The folder of this repository that a path means: from the repository's root or from the stage's folder; None if there is none."""
    for base in ("", folder):
        candidate = posixpath.normpath(posixpath.join(base, path.lstrip("/")))
        candidate = "" if candidate == "." else candidate
        if any(name.startswith(f"{candidate}/") if candidate else True for name in tree.files):
            return candidate
    return None


def _folder(tree: Build, folder: str, release: str, *, values: Obj | None = None, namespace: str = "default") -> list[Obj]:
    """The objects of a folder: a kustomization, a chart, or its manifests."""
    if kustomization_in(tree.files, folder):
        return build(tree, folder)
    if f"{folder}/Chart.yaml" in tree.files or f"{folder}/values.yaml" in tree.files:
        return chart_folder(tree, folder, release, values=values, namespace=namespace)
    found: list[Obj] = []
    for path in sorted(tree.files):
        if path.startswith(f"{folder}/") and path.endswith((".yaml", ".yml", ".json")):
            found += [deepcopy(obj) for document in tree.load(path) for obj in flatten(document)]
    return found


def chart_folder(tree: Build, folder: str, release: str, *, values: Obj | None = None, namespace: str = "default") -> list[Obj]:
    """A folder with a chart or its values: Chart.yaml gives the chart's version, values.yaml the images."""
    prefix = f"{folder}/" if folder else ""
    chart = mapping((tree.load(f"{prefix}Chart.yaml") or [{}])[0]) if f"{prefix}Chart.yaml" in tree.files else {}
    whence = ""
    for dependency in map(mapping, listing(chart.get("dependencies"))):
        base = str(dependency.get("repository") or "").partition("://")[2].rstrip("/")
        whence = f"{base}/{dependency.get('name')}:{dependency.get('version')}".lstrip("/")
    own = f"{prefix}values.yaml"
    read = mapping((tree.load(own) or [{}])[0]) if own in tree.files else {}
    merged = merge_patch(read, values) if values else read
    app_version = str(chart.get("appVersion") or "")
    if not chart and not read and not values:
        return []
    return deployments(merged, release=release, namespace=namespace, chart=whence, app_version=app_version)


def _application(tree: Build, folder: str, owner: Obj) -> Brought:
    spec, name = mapping(owner.get("spec")), str(owner["metadata"]["name"])
    namespace = str(mapping(spec.get("destination")).get("namespace") or "default")
    objects: list[Obj] = []
    revision = ""
    for source in map(mapping, listing(spec.get("sources")) or [spec.get("source")]):
        if "ref" in source and "path" not in source and "chart" not in source:
            continue
        made, at = _source(tree, folder, source, name, namespace)
        objects += made
        revision = revision or at
    for obj in objects:
        obj["metadata"].setdefault("namespace", namespace)
    return Brought(objects=tuple(objects), revision=revision)


def _source(tree: Build, folder: str, source: Obj, name: str, namespace: str) -> tuple[list[Obj], str]:
    helm, target = mapping(source.get("helm")), str(source.get("targetRevision") or "HEAD")
    release = str(helm.get("releaseName") or name)
    values = _values(tree, folder, source, helm)
    repo = str(source.get("repoURL") or "").partition("://")[2] or str(source.get("repoURL") or "")
    if source.get("chart"):
        chart = f"{repo.rstrip('/')}/{source['chart']}:{target}"
        return deployments(values, release=release, namespace=namespace, chart=chart), target
    overrides = [_override(str(entry)) for entry in listing(mapping(source.get("kustomize")).get("images"))]
    path = _inside(tree, folder, str(source["path"])) if source.get("path") not in (None, ".", "") else None
    if path is not None and path != folder:
        made = _folder(tree, path, release, values=values, namespace=namespace)
        for obj in made:
            set_images(obj, overrides)
        return made, ""
    if source.get("path") in (None, ".", "") and not helm and not overrides:
        return [], ""
    if overrides:
        made = []
        for place, entry in enumerate(overrides):
            label = name if place == 0 else clean(entry["newName"].rpartition("/")[2])
            reference = join(entry["newName"], str(entry.get("newTag") or ""), str(entry.get("digest") or ""))
            made.append(deployment(clean(label), namespace, reference))
        return made, _commit(repo, target)
    chart = f"{repo.removesuffix('.git')}:{target}"
    return deployments(values, release=release, namespace=namespace, chart=chart), _commit(repo, target)


def _commit(repo: str, target: str) -> str:
    """The commit that a tag or branch of a repository that is not here would stand for: the same each time."""
    return target if _SHA.match(target) else hashlib.sha1(f"{repo} {target}".encode(), usedforsecurity=False).hexdigest()


def _override(text: str) -> Obj:
    """`[old=]new[:tag][@digest]`, as `kustomize edit set image` takes it."""
    old, equals, rest = text.partition("=")
    new = rest if equals else old
    name, _, digest = new.partition("@")
    head, slash, last = name.rpartition("/")
    base, _, tag = last.partition(":")
    entry: Obj = {"name": old if equals else f"{head}{slash}{base}", "newName": f"{head}{slash}{base}"}
    return entry | ({"newTag": tag} if tag else {}) | ({"digest": digest} if digest else {})


def _values(tree: Build, folder: str, source: Obj, helm: Obj) -> Obj:
    """Value files, then `values` or `valuesObject`, then parameters: Argo CD's order."""
    merged: Obj = {}
    for entry in listing(helm.get("valueFiles")):
        text = str(entry)
        inner = text.partition("/")[2] if text.startswith("$") else posixpath.join(str(source.get("path") or ""), text)
        for base in ("", folder):
            path = posixpath.normpath(posixpath.join(base, inner))
            if path in tree.files:
                merged = merge_patch(merged, mapping((tree.load(path) or [{}])[0]))
                break
    if isinstance(helm.get("values"), str):
        try:
            merged = merge_patch(merged, mapping((documents(helm["values"].encode()) or [{}])[0]))
        except Unreadable as error:
            tree.problems.append(f"helm.values: {error}")
    merged = merge_patch(merged, mapping(helm.get("valuesObject")))
    for parameter in map(mapping, listing(helm.get("parameters"))):
        patch: Any = str(parameter.get("value"))
        if patch.isdigit() and len(patch) < 6 and "tag" not in str(parameter.get("name")):
            patch = int(patch)
        for step in reversed(str(parameter.get("name")).split(".")):
            patch = {step: patch}
        merged = merge_patch(merged, patch)
    return merged
