"""Terraform variables in JSON (`*.tfvars.json`): images, and variables that say they are a version or a tag."""

from bot.manifests.collecting import Collector
from bot.manifests.named_values import collect_named_values
from bot.manifests.objects import top
from bot.manifests.shelf import YamlFormat


def collect(collector: Collector) -> None:
    """The variables of the file."""
    collect_named_values(collector, top(collector.document.root), prefix="", base="")


FORMAT = YamlFormat(
    name="tfvars-json",
    order=10,
    needles=(b"mage", b"ersion", b"tag"),
    claims=lambda _: True,
    named=lambda path: path.endswith(".tfvars.json"),
    collect=collect,
)
