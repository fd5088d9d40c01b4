"""What makes a document a Kubernetes object, and how it is named. Reads the tree, decides no slots."""

from collections.abc import Iterator

from bot.domain.slot import ObjectRef
from bot.yamltext import Mapping, Node, Sequence, Spot


def is_object(root: Node) -> bool:
    """True for a mapping with `apiVersion` and `kind`."""
    return isinstance(root, Mapping) and root.get("apiVersion") is not None and root.get("kind") is not None


def is_kind(root: Node, group: str, *kinds: str) -> bool:
    """True for an object of an API group (`argoproj.io`, whatever its version) and one of the kinds; no kinds: any of the group."""
    if not isinstance(root, Mapping):
        return False
    api_version = root.text("apiVersion") or ""
    return api_version.partition("/")[0] == group and (not kinds or root.text("kind") in kinds)


def object_of(root: Node) -> ObjectRef:
    """The object's identity, as far as the file says."""
    if not isinstance(root, Mapping):
        return ObjectRef()
    metadata = root.get("metadata")
    names = metadata if isinstance(metadata, Mapping) else None
    return ObjectRef(
        api_version=root.text("apiVersion") or "",
        kind=root.text("kind") or "",
        namespace=(names.text("namespace") if names else None) or "",
        name=(names.text("name") if names else None) or (names.text("generateName") if names else None) or "",
    )


def objects(root: Node) -> Iterator[Spot]:
    """The object itself, or the objects of a `List`."""
    items = root.get("items") if isinstance(root, Mapping) and (root.text("kind") or "").endswith("List") else None
    if not isinstance(root, Mapping) or not isinstance(items, Sequence):
        yield Spot(node=root, path=(), chain=())
        return
    for index, item in enumerate(items.children):
        if isinstance(item, Mapping):
            yield Spot(node=item, path=("items", index), chain=(root, items))


def at(spot: Spot, *steps: str | int) -> Spot | None:
    """The node that `steps` lead to from a spot, with its surroundings; None where one is missing. Aliases are not followed."""
    node, path, chain = spot.node, spot.path, spot.chain
    for step in steps:
        child: Node | None = None
        if isinstance(node, Mapping) and isinstance(step, str):
            child = node.get(step)
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.children):
            child = node.children[step]
        if child is None:
            return None
        path, chain, node = (*path, step), (*chain, node), child
    return Spot(node=node, path=path, chain=chain)


def items(spot: Spot | None) -> list[Spot]:
    """The items of a list; nothing for anything else."""
    if spot is None or not isinstance(spot.node, Sequence):
        return []
    chain = (*spot.chain, spot.node)
    return [Spot(node=item, path=(*spot.path, index), chain=chain) for index, item in enumerate(spot.node.children)]


def text_at(spot: Spot, *steps: str | int) -> str | None:
    """The text of the scalar that `steps` lead to."""
    found = at(Spot(node=spot.node, path=(), chain=()), *steps)
    value = getattr(found.node, "value", None) if found is not None else None
    return str(value) if value else None


def top(root: Node) -> Spot:
    """The root as a spot."""
    return Spot(node=root, path=(), chain=())
