"""Chef: environments, roles, nodes and policies as JSON; versions among their attributes, and cookbook version pins."""

from bot.domain.slot import Holds
from bot.manifests.collecting import Collector
from bot.manifests.named_values import collect_named_values
from bot.manifests.objects import at, top
from bot.manifests.shelf import YamlFormat
from bot.yamltext import Mapping, Scalar

ATTRIBUTES = ("default_attributes", "override_attributes", "normal_attributes", "normal", "default", "override")


def collect(collector: Collector) -> None:
    """Attributes by name, cookbooks by `cookbook_versions`."""
    root = top(collector.document.root)
    for name in ATTRIBUTES:
        attributes = at(root, name)
        if attributes is not None:
            collect_named_values(collector, attributes, prefix=name, base="")
    cookbooks = at(root, "cookbook_versions")
    if cookbooks is not None and isinstance(cookbooks.node, Mapping):
        for key, _ in cookbooks.node.pairs():
            place = at(cookbooks, str(key.value)) if isinstance(key, Scalar) else None
            if place is not None and isinstance(key, Scalar):
                collector.version(place, artifact=str(key.value), key=f"cookbook_versions/{key.value}", holds=Holds.CHART)


def _claims(collector: Collector) -> bool:
    root = collector.document.root
    if not isinstance(root, Mapping) or not collector.path.endswith(".json"):
        return False
    return (root.text("chef_type") or root.text("json_class") or "") != "" or any(root.get(name) is not None for name in ATTRIBUTES[:3])


FORMAT = YamlFormat(name="chef", order=40, needles=(b"attributes", b"chef_type", b"json_class"), claims=_claims, collect=collect)
