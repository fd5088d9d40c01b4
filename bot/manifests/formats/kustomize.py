"""Kustomization files: `images` (newTag, digest, newName), `helmCharts`, and remote bases at a `?ref=`.

The image is `newName` where given, else `name`.
"""

import re

from bot.domain.image import normal_name
from bot.domain.slot import Holds
from bot.manifests.collecting import Collector
from bot.manifests.kustomize_address import is_kustomization
from bot.manifests.objects import at, items, text_at, top
from bot.manifests.revisions import is_revision, repository_name
from bot.manifests.shelf import YamlFormat
from bot.yamltext import Mapping, Scalar, Spot

_REMOTE = re.compile(r"(?P<url>[^?\s]+)\?(?:\S*&)?(?:ref|version)=(?P<version>[^&\s]+)")


def collect(collector: Collector) -> None:
    """All three kinds of entries."""
    root = top(collector.document.root)
    for field in ("resources", "components", "bases"):
        for item in items(at(root, field)):
            _remote_base(collector, item)
    collect_kustomize_images(collector, at(root, "images"), prefix="images")
    for item in items(at(root, "helmCharts")):
        chart, version = text_at(item, "name"), at(item, "version")
        if chart and version is not None:
            collector.version(version, artifact=chart, key=f"helmCharts/{chart}", holds=Holds.CHART)


def _remote_base(collector: Collector, item: Spot) -> None:
    """The reference of a base in another repository. Its slot is addressed by a pattern, because it is a part of a value."""
    found = _REMOTE.match(str(item.node.value)) if isinstance(item.node, Scalar) else None
    if found is None or not is_revision(found["version"]) or collector.source.text.count(found[0]) > 1:
        return
    url = repository_name(found["url"])
    pattern = f"{re.escape(found[0][: found.start('version')])}(?P<version>[^&\\s\"',\\]]+)"
    collector.part(item, found.span("version"), pattern, key=f"bases/{url}", artifact=url, holds=Holds.REVISION)


def collect_kustomize_images(collector: Collector, images: Spot | None, *, prefix: str) -> None:
    """The entries of an `images` list; a problem is noted where the list or an entry is an alias."""
    if images is not None and not isinstance(images.node, Mapping) and not items(images) and hasattr(images.node, "anchor"):
        if collector.document.resolve(images.node) is not images.node:
            collector.problem(images.node, "ThroughAlias", "`images` is an alias of an anchored list")
        return
    for item in items(images):
        name = text_at(item, "name")
        if not isinstance(item.node, Mapping):
            if collector.document.resolve(item.node) is not item.node:
                collector.problem(item.node, "ThroughAlias", "an entry of `images` is an alias of an anchored map")
            continue
        artifact = normal_name(text_at(item, "newName") or name or "")
        if artifact is not None:
            collector.image_map(item, artifact, key=f"{prefix}/{name or artifact}", fields=("newTag", "digest"))


def _claims(collector: Collector) -> bool:
    root = collector.document.root
    if not isinstance(root, Mapping) or not is_kustomization(root):
        return False
    named = collector.path.rsplit("/", 1)[-1] in ("kustomization.yaml", "kustomization.yml", "Kustomization")
    return named or root.get("kind") is not None


FORMAT = YamlFormat(name="kustomize", order=20, needles=(b"images", b"helmCharts", b"?ref="), claims=_claims, collect=collect)
