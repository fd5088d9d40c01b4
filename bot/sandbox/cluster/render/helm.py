"""Helm without templates: the Deployments that a chart with these values would bring, as far as images tell.

Decides which keys of a values document are images: a map with `repository` (and `registry`, `tag`, `digest`) or a
text under a key named image, at any depth. Each becomes one Deployment; a chart without any becomes one whose image is
the chart itself.
"""

import re
from collections.abc import Iterator
from typing import Any

Obj = dict[str, Any]
CHART = "sandbox/chart"
_IMAGE_KEY = re.compile(r"(^|[a-z_.-])image$|^image", re.IGNORECASE)
_REFERENCE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$")
_NAME = re.compile(r"[^a-z0-9-]+")


def images(values: Any, trail: tuple[str, ...] = (), default_tag: str = "") -> Iterator[tuple[tuple[str, ...], str, Obj]]:
    """(where the image stands, its reference, the map around it) for each image of a values document."""
    if isinstance(values, list):
        for place, item in enumerate(values):
            name = item.get("name") if isinstance(item, dict) else None
            yield from images(item, (*trail, str(name or place)), default_tag)
        return
    if not isinstance(values, dict):
        return
    if (reference := _from_map(values, default_tag)) is not None and trail:
        yield trail, reference, values
        return
    for key, value in values.items():
        where = (*trail, str(key))
        if isinstance(value, str) and _IMAGE_KEY.search(str(key)) and _REFERENCE.match(value):
            if (found := _from_text(value, values, default_tag)) is not None:
                yield where, found, values
        elif isinstance(value, dict | list):
            yield from images(value, where, default_tag)


def _from_map(node: Obj, default_tag: str) -> str | None:
    repository = node.get("repository") if isinstance(node.get("repository"), str) else node.get("name") if "tag" in node else None
    if not isinstance(repository, str) or not _REFERENCE.match(repository) or repository.startswith("http"):
        return None
    if not any(key in node for key in ("tag", "digest", "registry", "pullPolicy")):
        return None
    registry = node.get("registry")
    full = f"{registry}/{repository}" if isinstance(registry, str) and registry else repository
    tag, digest = node.get("tag"), node.get("digest")
    return join(full, str(tag) if tag not in (None, "") else default_tag, str(digest or ""))


def _from_text(text: str, around: Obj, default_tag: str) -> str | None:
    last = text.rpartition("/")[2]
    if ":" in last or "@" in last:
        return text
    tag = next((around[key] for key in ("tag", "imageTag", "version") if isinstance(around.get(key), str | int)), default_tag)
    return join(text, str(tag), "") if tag not in ("", None) and not isinstance(tag, bool) else None


def join(repository: str, tag: str, digest: str) -> str:
    """A reference of its parts."""
    return repository + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def deployments(values: Any, *, release: str, namespace: str, chart: str = "", app_version: str = "") -> list[Obj]:
    """One Deployment per image. `chart` is `repository/name:version`: pods carry it, so that a new chart rolls them."""
    found = list(images(values, default_tag=app_version))
    made: dict[str, Obj] = {}
    for place, (where, reference, around) in enumerate(found):
        parent = [part for part in where[:-1] if not part.isdigit()] or ([] if place == 0 else [where[-1]])
        alone = place == 0 and (len(found) == 1 or len(where) <= 1)
        name = clean(release if alone else "-".join([release, *parent[-1:]]))
        while name in made:
            name = clean(f"{name}-{place}")
        made[name] = deployment(name, namespace, reference, replicas=replica_count(values, around, where), chart=chart)
    if not made and chart:
        made[release] = deployment(clean(release), namespace, chart, replicas=1, chart=chart)
    return list(made.values())


def replica_count(values: Any, around: Obj, where: tuple[str, ...]) -> int:
    """`replicaCount` or `replicas` nearest to the image; 1 where there is none."""
    chain = [values]
    for step in where[:-1]:
        chain.append(chain[-1].get(step) if isinstance(chain[-1], dict) else None)
    for node in (around, *reversed(chain)):
        if isinstance(node, dict):
            for key in ("replicaCount", "replicas"):
                if isinstance(node.get(key), int) and not isinstance(node[key], bool) and 0 <= node[key] <= 50:
                    return int(node[key])
    return 1


def clean(name: str) -> str:
    """A text as a name that Kubernetes takes."""
    return _NAME.sub("-", name.lower()).strip("-")[:60].strip("-") or "release"


def deployment(name: str, namespace: str, reference: str, *, replicas: int = 1, chart: str = "") -> Obj:
    """A Deployment of one container."""
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "Helm"}
    template: Obj = {
        "metadata": {"labels": dict(labels)},
        "spec": {"containers": [{"name": name, "image": reference}]},
    }
    if chart:
        template["metadata"]["annotations"] = {CHART: chart}
        labels["helm.sh/chart"] = clean(chart.rpartition("/")[2].replace(":", "-").replace(".", "-"))
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app.kubernetes.io/name": name}}, "template": template},
    }
