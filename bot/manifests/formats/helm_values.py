"""Helm values, and every other YAML or JSON mapping that no format claims: images in their common shapes, at any depth.

A map under a key `image` that gives a tag but no repository is named after the file's folder; the configuration can name it better.
"""

from bot.manifests.collecting import Collector
from bot.manifests.images import collect_images
from bot.manifests.objects import top
from bot.manifests.shelf import YamlFormat
from bot.yamltext import Mapping, Sequence


def collect(collector: Collector) -> None:
    """All images of the document."""
    collect_images(collector, top(collector.document.root), prefix="")


FORMAT = YamlFormat(
    name="helm-values",
    order=90,
    needles=(b"mage",),
    claims=lambda collector: isinstance(collector.document.root, Mapping | Sequence),
    collect=collect,
)
