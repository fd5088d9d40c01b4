"""Docker Compose and Swarm stacks: `services.<name>.image`."""

import re

from bot.manifests.collecting import Collector
from bot.manifests.objects import at, top
from bot.manifests.shelf import YamlFormat
from bot.yamltext import Mapping, Scalar

_FILE = re.compile(r"(?:^|/)(?:docker-)?(?:compose|stack)(?:[.\-][^/]*)?\.ya?ml\Z")


def collect(collector: Collector) -> None:
    """Every service's image."""
    services = at(top(collector.document.root), "services")
    if services is None or not isinstance(services.node, Mapping):
        return
    for name, node in services.node.pairs():
        if isinstance(name, Scalar) and isinstance(node, Mapping):
            image = at(services, str(name.value), "image")
            if image is not None:
                collector.image(image, key=f"services/{name.value}")


def _claims(collector: Collector) -> bool:
    root = collector.document.root
    services = root.get("services") if isinstance(root, Mapping) and root.get("apiVersion") is None else None
    if not isinstance(services, Mapping):
        return False
    return _FILE.search(collector.path) is not None or any(_is_service(one) for _, one in services.pairs())


def _is_service(node: object) -> bool:
    beside = ("ports", "environment", "build", "volumes")
    return isinstance(node, Mapping) and isinstance(node.get("image"), Scalar) and any(node.get(name) is not None for name in beside)


FORMAT = YamlFormat(name="compose", order=40, needles=(b"image",), claims=_claims, collect=collect)
