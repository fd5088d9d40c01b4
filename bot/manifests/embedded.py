"""Slots inside a YAML text that itself stands in a literal block, such as the Helm values of an Argo CD Application."""

from dataclasses import replace

from bot.domain.edits import EditRefused
from bot.domain.slot import ObjectRef
from bot.manifests.collecting import Collector, layout_of_block
from bot.manifests.files import read_yaml
from bot.manifests.images import collect_images
from bot.manifests.objects import top
from bot.yamltext import Scalar, Spot


def collect_embedded(collector: Collector, spot: Spot, *, prefix: str, owner: ObjectRef | None = None) -> None:
    """All images of the inner text, with the places they have in the outer file."""
    node = spot.node
    if not isinstance(node, Scalar) or "mage" not in node.value:
        return
    if any(id(one) in collector.document.shared for one in (*spot.chain, node)):
        collector.problem(node, "SharedAnchor", "the embedded values stand under an anchor that other places of the file use")
        return
    layout = layout_of_block(collector.source, node)
    if layout is None:
        collector.problem(node, "UnsupportedScalar", "the embedded values do not stand in a literal block (`|`)")
        return
    try:
        inner = read_yaml(str(node.value))
    except EditRefused as refusal:
        collector.problem(node, refusal.code, f"in the embedded values: {refusal.message}")
        return
    for document in inner.documents:
        nested = Collector(collector.path, inner, document)
        nested.format = collector.format
        nested.embedded_in = collector.address(spot.path)
        collect_images(nested, top(document.root), prefix=prefix, owner=owner)
        for slot in nested.slots:
            start, end = layout.raw(slot.start), layout.raw(slot.end)
            line = collector.line(start)
            column = start - collector.line_start(line) + 1
            collector.slots.append(replace(slot, line=line, column=column, start=start + collector.shift, end=end + collector.shift))
        for problem in nested.problems:
            row = layout.raws[min(problem.line, len(layout.raws)) - 1]
            collector.problems.append(replace(problem, line=collector.line(row)))
