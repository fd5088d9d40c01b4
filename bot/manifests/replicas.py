"""How many replicas git declares: `spec.replicas` of plain manifests, seen through the kustomizations that bring them.

Decides what is certain. A number that a patch, a component, a template or a chart may change is unknown, and so is one that two files
of a stage disagree about; a manifest beside a kustomization that does not bring it is not deployed from there.
"""

import posixpath
from collections.abc import Iterable, Iterator, Sequence, Set
from collections.abc import Mapping as AnyMapping
from dataclasses import replace

from bot.domain.replicas import SCALED, Kustomized, Replicas, WorkloadKey
from bot.manifests.collecting import Collector
from bot.manifests.found import FileSlots
from bot.manifests.kustomize_address import is_kustomization
from bot.manifests.objects import at, is_object, items, object_of, objects, text_at, top
from bot.yamltext import Mapping, Scalar, Spot, begin

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
REWRITING = ("patchesStrategicMerge", "patchesJson6902", "components", "transformers", "replacements", "namePrefix", "nameSuffix")
NEEDLE = b"replicas"


def is_kustomization_file(path: str) -> bool:
    """True for the names under which Kustomize looks for its file."""
    return path.rsplit("/", 1)[-1] in KUSTOMIZATIONS


def replicas_in(collector: Collector) -> Iterator[Replicas]:
    """What the document's workloads declare; those that declare nothing are left out."""
    root = collector.document.root
    if not is_object(root):
        return
    for spot in objects(root):
        owner = object_of(spot.node)
        found = at(spot, "spec", "replicas")
        if owner.kind in SCALED and owner.name and found is not None:
            place = found.node
            line = collector.line(begin(place)) if isinstance(place, Scalar) else 1
            path, count = collector.path, _number(found)
            yield Replicas(path=path, line=line, kind=owner.kind, namespace=owner.namespace, name=owner.name, count=count)


def kustomized_in(collector: Collector) -> Iterator[Kustomized]:
    """What the document says as a kustomization; nothing where it is none."""
    root = collector.document.root
    if not is_kustomization_file(collector.path) or not isinstance(root, Mapping) or not is_kustomization(root):
        return
    spot = top(root)
    listed = [item for field in ("resources", "bases") for item in items(at(spot, field))]
    yield Kustomized(
        path=collector.path,
        resources=tuple(str(item.node.value) for item in listed if isinstance(item.node, Scalar)),
        counts={text_at(item, "name") or "": _count(item) for item in items(at(spot, "replicas"))},
        rewrites=any(root.get(field) is not None for field in REWRITING) or any(_rewrites(item) for item in items(at(spot, "patches"))),
    )


def unread(path: str) -> FileSlots:
    """What a file says that cannot be read, and would have been only for its replicas: a kustomization may then change anything."""
    if not is_kustomization_file(path):
        return FileSlots()
    return FileSlots(kustomized=(Kustomized(path=path, resources=(), counts={}, rewrites=True),))


def declared(found: Iterable[Replicas], kustomized: Sequence[Kustomized]) -> dict[WorkloadKey, Replicas]:
    """What a whole stage declares for certain, by workload."""
    bringing = _bringing(kustomized)
    folders = {_folder(one.path) for one in kustomized}
    certain: dict[WorkloadKey, Replicas] = {}
    disputed: set[WorkloadKey] = set()
    for one in found:
        count = _brought(one, bringing, folders) if folders else one.count
        known = certain.setdefault(one.key, one if count == one.count else replace(one, count=count))
        if count is None or known.count != count:
            disputed.add(one.key)
    return {key: one for key, one in certain.items() if key not in disputed}


def _brought(one: Replicas, bringing: AnyMapping[str, Sequence[Kustomized]], folders: Set[str]) -> int | None:
    """The number that is deployed of a manifest, by way of the kustomizations that bring it."""
    parts = one.path.split("/")
    over = [each for length in range(1, len(parts) + 1) for each in bringing.get("/".join(parts[:length]), ())]
    if not over:
        return None if _folder(one.path) in folders else one.count
    if any(each.rewrites for each in over):
        return None
    counts = {each.counts[one.name] for each in over if one.name in each.counts} or {one.count}
    return counts.pop() if len(counts) == 1 else None


def _number(spot: Spot | None) -> int | None:
    """The plain whole number that stands there."""
    node = spot.node if spot is not None else None
    if not isinstance(node, Scalar) or node.style or node.tag is not None or node.anchor is not None:
        return None
    text = str(node.value)
    plain = text.isascii() and text.isdigit() and (text == "0" or text[0] != "0") and len(text) < 10
    return int(text) if plain else None


def _count(item: Spot) -> int | None:
    return _number(at(item, "count"))


def _rewrites(patch: Spot) -> bool:
    """Whether a patch may change replicas: one in another file, or one whose text names them."""
    return text_at(patch, "path") is not None or "replicas" in (text_at(patch, "patch") or "")


def _bringing(kustomized: Sequence[Kustomized]) -> dict[str, list[Kustomized]]:
    """By each file and folder, the kustomizations that bring it, also by way of others."""
    by_folder = {_folder(one.path): one for one in kustomized}
    direct = {one.path: _resources(one) for one in kustomized}
    found: dict[str, list[Kustomized]] = {}
    for one in kustomized:
        seen, left = {one.path}, [one]
        while left:
            for place in direct[left.pop().path]:
                below = by_folder.get(place)
                if below is None:
                    found.setdefault(place, []).append(one)
                elif below.path not in seen:
                    seen.add(below.path)
                    left.append(below)
    return found


def _resources(one: Kustomized) -> tuple[str, ...]:
    """What it lists in this repository, as paths."""
    folder = _folder(one.path)
    return tuple(dict.fromkeys(posixpath.normpath(posixpath.join(folder, place)) for place in one.resources if "://" not in place))


def _folder(path: str) -> str:
    return path.rpartition("/")[0] or "."
