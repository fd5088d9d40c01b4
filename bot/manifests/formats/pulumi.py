"""Pulumi stack files (`Pulumi.<stack>.yaml`): versions among the stack's configuration values."""

import re

from bot.manifests.collecting import Collector
from bot.manifests.named_values import collect_named_values
from bot.manifests.objects import at, top
from bot.manifests.shelf import YamlFormat

_FILE = re.compile(r"(?:^|/)Pulumi\.[^/]+\.ya?ml\Z")


def collect(collector: Collector) -> None:
    """The values under `config`; their names are `project:key`."""
    config = at(top(collector.document.root), "config")
    if config is not None:
        collect_named_values(collector, config, prefix="config", base="")


FORMAT = YamlFormat(
    name="pulumi",
    order=10,
    needles=(b"config",),
    claims=lambda _: True,
    named=lambda path: _FILE.search(path) is not None,
    collect=collect,
)
