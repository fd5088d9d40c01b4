"""CloudFormation: images in the template (ECS containers, Lambda's ImageUri), versions among parameter defaults and parameter files.

`!Sub`, `!Ref` and the other short tags are read as what they are; a version under one cannot be edited, and is told as a problem.
"""

from bot.domain.slot import Holds
from bot.manifests.collecting import Collector
from bot.manifests.images import collect_images
from bot.manifests.named_values import VERSION_KEY, artifact_of
from bot.manifests.objects import at, items, text_at, top
from bot.manifests.shelf import YamlFormat
from bot.yamltext import Mapping, Scalar, Sequence, Spot

_CONFIGURATION = frozenset({"Parameters", "Tags", "StackPolicy"})
"""The keys of a CodePipeline template configuration file."""


def collect(collector: Collector) -> None:
    """A template, or a file of parameters."""
    root = top(collector.document.root)
    if isinstance(root.node, Sequence):
        for item in items(root):
            _parameter(collector, text_at(item, "ParameterKey"), at(item, "ParameterValue"), "parameters")
        return
    collect_images(collector, root, prefix="")
    for field, inner in (("Parameters", "Default"), ("Parameters", None)):
        parameters = at(root, field)
        if parameters is None or not isinstance(parameters.node, Mapping):
            continue
        for name, _ in parameters.node.pairs():
            if isinstance(name, Scalar):
                path = (str(name.value), inner) if inner else (str(name.value),)
                _parameter(collector, str(name.value), at(parameters, *path), field)


def _parameter(collector: Collector, name: str | None, value: Spot | None, prefix: str) -> None:
    if not name or value is None or not isinstance(value.node, Scalar):
        return
    if name.lower().endswith("image"):
        collector.image(value, key=f"{prefix}/{name}")
    elif VERSION_KEY.match(name):
        collector.version(value, artifact=artifact_of(name, "", collector.path), key=f"{prefix}/{name}", holds=Holds.VALUE)


def _claims(collector: Collector) -> bool:
    root = collector.document.root
    if isinstance(root, Mapping):
        names = {key.value for key, _ in root.pairs() if isinstance(key, Scalar)}
        if names & {"Tags", "StackPolicy"} and "Parameters" in names and names <= _CONFIGURATION:
            return True
        return root.get("AWSTemplateFormatVersion") is not None or (root.get("Resources") is not None and "AWS::" in collector.source.text)
    first = root.children[0] if isinstance(root, Sequence) and root.children else None
    return isinstance(first, Mapping) and first.get("ParameterKey") is not None


FORMAT = YamlFormat(
    name="cloudformation",
    order=40,
    needles=(b"AWSTemplateFormatVersion", b"ParameterKey", b"AWS::", b"Parameters"),
    claims=_claims,
    collect=collect,
)
