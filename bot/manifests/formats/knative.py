"""Knative: Services, Configurations, Revisions, and the images of its event sources."""

from bot.manifests.formats import kubernetes
from bot.manifests.objects import is_object
from bot.manifests.shelf import YamlFormat
from bot.yamltext import Mapping


def _claims_root(root: object) -> bool:
    if not isinstance(root, Mapping) or not is_object(root):
        return False
    return (root.text("apiVersion") or "").partition("/")[0].endswith("knative.dev")


FORMAT = YamlFormat(
    name="knative",
    order=30,
    needles=(b"mage",),
    claims=lambda collector: _claims_root(collector.document.root),
    collect=kubernetes.collect,
)
