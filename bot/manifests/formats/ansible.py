"""Ansible variables (`group_vars/`, `host_vars/`, `vars/`): images, and variables that say they are a version or a tag."""

import re

from bot.manifests.collecting import Collector
from bot.manifests.named_values import collect_named_values
from bot.manifests.objects import top
from bot.manifests.shelf import YamlFormat

_FILE = re.compile(r"(?:^|/)(?:group_vars|host_vars|vars)/[^/]+(?:/[^/]+)?\Z")


def collect(collector: Collector) -> None:
    """`payments_version`, `payments_image_tag`, `payments_image` and their like."""
    collect_named_values(collector, top(collector.document.root), prefix="", base="")


FORMAT = YamlFormat(
    name="ansible",
    order=10,
    needles=(b"mage", b"ersion", b"tag"),
    claims=lambda _: True,
    named=lambda path: _FILE.search(path) is not None,
    collect=collect,
)
