"""Flux HelmRelease (v1, v2): the chart's version, and the images in its values and post-renderers."""

from bot.domain.slot import Holds
from bot.manifests.collecting import Collector
from bot.manifests.formats.kustomize import collect_kustomize_images
from bot.manifests.images import collect_images
from bot.manifests.objects import at, is_kind, items, object_of, objects, text_at
from bot.manifests.shelf import YamlFormat


def collect(collector: Collector) -> None:
    """Chart and values; of the first releases of Flux (`helm.fluxcd.io/v1`) too."""
    for spot in objects(collector.document.root):
        owner = object_of(spot.node)
        prefix = f"HelmRelease/{owner.name}"
        for chart_at, version_at in (
            (("spec", "chart", "spec", "chart"), ("spec", "chart", "spec")),
            (("spec", "chart", "name"), ("spec", "chart")),
        ):
            chart, version = text_at(spot, *chart_at), at(spot, *version_at, "version")
            if chart and version is not None:
                artifact = chart.rstrip("/").rsplit("/", 1)[-1]
                collector.version(version, artifact=artifact, key=f"{prefix}/chart", holds=Holds.CHART, owner=owner)
        values = at(spot, "spec", "values")
        if values is not None:
            collect_images(collector, values, prefix=f"{prefix}/values", owner=owner)
        for renderer in items(at(spot, "spec", "postRenderers")):
            collect_kustomize_images(collector, at(renderer, "kustomize", "images"), prefix=f"{prefix}/images")


FORMAT = YamlFormat(
    name="flux-helmrelease",
    order=20,
    needles=(b"chart", b"mage"),
    claims=lambda collector: any(
        is_kind(collector.document.root, group, "HelmRelease") for group in ("helm.toolkit.fluxcd.io", "helm.fluxcd.io")
    ),
    collect=collect,
)
