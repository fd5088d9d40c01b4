"""Flux sources: OCIRepository and GitRepository references, HelmChart versions. A branch is no version.

An OCIRepository that carries a Helm chart (its `layerSelector` says so, or its address has a folder `charts` or `helm`) is a chart like
those of a Helm repository, though it is addressed as an image is.
"""

from dataclasses import replace

from bot.domain.image import Version, normal_name
from bot.domain.slot import Holds, ObjectRef
from bot.manifests.collecting import Collector
from bot.manifests.objects import at, is_kind, object_of, objects, text_at
from bot.manifests.revisions import repository_name
from bot.manifests.shelf import YamlFormat
from bot.yamltext import Mapping, Spot

CHART_LAYER = ".helm.chart."
CHART_FOLDERS = frozenset({"charts", "chart", "helm", "helm-charts"})


def collect(collector: Collector) -> None:
    """The reference of each source."""
    for spot in objects(collector.document.root):
        owner = object_of(spot.node)
        match owner.kind:
            case "OCIRepository":
                _oci(collector, spot, owner)
            case "GitRepository":
                _git(collector, spot, owner)
            case "HelmChart":
                chart, version = text_at(spot, "spec", "chart"), at(spot, "spec", "version")
                if chart and version is not None:
                    collector.version(version, artifact=chart, key=f"HelmChart/{owner.name}", holds=Holds.CHART, owner=owner)


def _oci(collector: Collector, spot: Spot, owner: ObjectRef) -> None:
    url = (text_at(spot, "spec", "url") or "").removeprefix("oci://")
    artifact, ref = normal_name(url), at(spot, "spec", "ref")
    if artifact is None or ref is None:
        return
    key = f"OCIRepository/{owner.name}/ref"
    before = len(collector.slots)
    _references(collector, ref, artifact, key, owner)
    media_type = text_at(spot, "spec", "layerSelector", "mediaType") or ""
    if CHART_LAYER in media_type or not CHART_FOLDERS.isdisjoint(artifact.split("/")[:-1]):
        collector.slots[before:] = [replace(slot, holds=Holds.CHART) for slot in collector.slots[before:]]


def _references(collector: Collector, ref: Spot, artifact: str, key: str, owner: ObjectRef) -> None:
    if not isinstance(ref.node, Mapping):
        return
    if ref.node.get("semver") is not None and ref.node.get("digest") is None:
        place = at(ref, "semver")
        assert place is not None
        collector.version(place, artifact=artifact, key=f"{key}/semver", holds=Holds.IMAGE, owner=owner)
        return
    collector.image_map(ref, artifact, key=key, owner=owner)


def _git(collector: Collector, spot: Spot, owner: ObjectRef) -> None:
    url = text_at(spot, "spec", "url")
    for name in ("commit", "tag", "semver"):
        place = at(spot, "spec", "ref", name)
        if url and place is not None and Version.parse(text_at(place) or "").tag:
            key = f"GitRepository/{owner.name}/ref/{name}"
            collector.version(place, artifact=repository_name(url), key=key, holds=Holds.REVISION, owner=owner)
            return


FORMAT = YamlFormat(
    name="flux-source",
    order=20,
    needles=(b"fluxcd.io",),
    claims=lambda collector: is_kind(collector.document.root, "source.toolkit.fluxcd.io"),
    collect=collect,
)
