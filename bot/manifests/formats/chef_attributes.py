"""Chef attributes as JSON: files below `attributes/`, and what `chef-client --json-attributes` takes (`attributes.json`, `dna.json`, ...).

Known by their names alone; environments, roles and nodes, which name themselves, are `chef`'s.
"""

import re

from bot.manifests.collecting import Collector
from bot.manifests.named_values import collect_named_values
from bot.manifests.objects import top
from bot.manifests.shelf import YamlFormat

_FILE = re.compile(r"(?:^|/)(?:attributes/.+\.json|(?:[^/]+[._-])?(?:attributes|dna|first-boot|node)\.json)\Z")


def collect(collector: Collector) -> None:
    """Images, and attributes that say they are a version or a tag; a bare one belongs to what it stands in."""
    collect_named_values(collector, top(collector.document.root), prefix="", base="")


FORMAT = YamlFormat(
    name="chef-attributes",
    order=10,
    needles=(b"mage", b"ersion", b"tag"),
    claims=lambda _: True,
    named=lambda path: _FILE.search(path) is not None,
    collect=collect,
)
