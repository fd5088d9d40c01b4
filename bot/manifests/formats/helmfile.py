"""helmfile and Jenkins X: `releases[].version`, and the images in a release's inline values and `set`.

Templates (`.gotmpl`) are edited by marker.
"""

from bot.domain.slot import Holds
from bot.manifests.collecting import Collector
from bot.manifests.helm_parameters import collect_parameters
from bot.manifests.images import collect_images
from bot.manifests.objects import at, items, text_at, top
from bot.manifests.shelf import YamlFormat
from bot.yamltext import Mapping, Sequence


def collect(collector: Collector) -> None:
    """Each release's chart version, inline values and set values."""
    root = top(collector.document.root)
    for item in items(at(root, "releases")):
        name, chart, version = text_at(item, "name"), text_at(item, "chart"), at(item, "version")
        key = f"releases/{name or chart}"
        if chart and version is not None:
            collector.version(version, artifact=chart.rstrip("/").rsplit("/", 1)[-1], key=key, holds=Holds.CHART)
        collect_parameters(collector, items(at(item, "set")), f"{key}/set", None, base=name or str(chart))
        for values in items(at(item, "values")):
            if isinstance(values.node, Mapping):
                collect_images(collector, values, prefix=f"{key}/values")


def _claims(collector: Collector) -> bool:
    root = collector.document.root
    return isinstance(root, Mapping) and root.get("kind") is None and isinstance(root.get("releases"), Sequence)


FORMAT = YamlFormat(name="helmfile", order=40, needles=(b"releases",), claims=_claims, collect=collect)
