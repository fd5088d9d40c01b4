"""Flux Kustomizations: `spec.images`, and images in their inline patches' own objects are left alone."""

from bot.manifests.collecting import Collector
from bot.manifests.formats.kustomize import collect_kustomize_images
from bot.manifests.objects import at, is_kind, object_of, objects
from bot.manifests.shelf import YamlFormat


def collect(collector: Collector) -> None:
    """The entries of `spec.images`."""
    for spot in objects(collector.document.root):
        collect_kustomize_images(collector, at(spot, "spec", "images"), prefix=f"Kustomization/{object_of(spot.node).name}/images")


FORMAT = YamlFormat(
    name="flux-kustomization",
    order=20,
    needles=(b"images",),
    claims=lambda collector: is_kind(collector.document.root, "kustomize.toolkit.fluxcd.io", "Kustomization"),
    collect=collect,
)
