"""Kubernetes objects: every image of a workload or of a custom resource, also inside a `List`.

Claims whatever has `apiVersion` and `kind` and no format of its own. Images without tag and digest hold no version.
"""

from bot.manifests.collecting import Collector
from bot.manifests.images import collect_images
from bot.manifests.objects import is_object, object_of, objects
from bot.manifests.shelf import YamlFormat


def collect(collector: Collector) -> None:
    """All images of the document's objects."""
    for spot in objects(collector.document.root):
        owner = object_of(spot.node)
        collect_images(collector, spot, prefix=f"{owner.kind}/{owner.name}", owner=owner)


FORMAT = YamlFormat(
    name="kubernetes",
    order=80,
    needles=(b"mage",),
    claims=lambda collector: is_object(collector.document.root),
    collect=collect,
)
