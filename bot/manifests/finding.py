"""Finds the places that an address names in a parsed file: documents, steps, paths, images.

Decides which node is meant, or which refusal is due; what is written there is left to `changing`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jsonpath_rfc9535.selectors import IndexSelector, NameSelector

from bot.domain.edits import EditRefused
from bot.domain.image import normal_name
from bot.manifests.addresses import Address
from bot.manifests.plain_data import plain_data
from bot.manifests.queries import find
from bot.yamltext import Alias, Document, Mapping, Node, Scalar, Sequence, Spot, Text, line_of, place_of, walk

_HOST_AND_PORT = re.compile(r"[^/:@]+:[1-9][0-9]{1,4}\Z")
_TEMPLATED = re.compile(r"[{$<]")
MISSING = ("PathNotFound", "NoMatch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A node that an address names, in its document."""

    document: Document
    spot: Spot


def documents_of(source: Text, address: Address) -> list[Document]:
    """The documents that `doc` leaves. Raises `DocumentNotFound`, or `AmbiguousMatch` where an identity fits several."""
    found = source.documents
    if address.doc_index is not None:
        found = [document for document in found if document.index == address.doc_index]
    if address.doc_identity:
        found = [document for document in found if _has_identity(document, address.doc_identity)]
        if len(found) > 1:
            raise EditRefused("AmbiguousMatch", f"{len(found)} documents of the file fit `doc`", _line(source, found[1].root))
    if not found and (address.doc_index is not None or address.doc_identity):
        raise EditRefused("DocumentNotFound", "no document of the file fits `doc`")
    return found


def find_path(source: Text, address: Address) -> list[Place]:
    """Every node that a path or pointer names, over the chosen documents."""
    places: list[Place] = []
    refusals: list[EditRefused] = []
    for document in documents_of(source, address):
        try:
            places += [Place(document=document, spot=spot) for spot in _spots(source, document, address)]
        except EditRefused as refusal:
            refusals.append(refusal)
    hard = [refusal for refusal in refusals if refusal.code not in MISSING]
    if hard and not places:
        raise hard[0]
    if hard:
        raise EditRefused("AmbiguousMatch", "the path fits more than one document; name one with `doc`", hard[0].line)
    if not places:
        raise refusals[0] if refusals else EditRefused("PathNotFound", f"nothing stands at {address.wanted}")
    return places


def find_images(source: Text, address: Address) -> list[Place]:
    """Every image reference to the repository. Raises `NoMatch`, `ThroughAlias`, or `TemplateSyntax` for a templated one."""
    name = normal_name(address.wanted)
    assert name is not None
    last = name.rsplit("/", 1)[-1]
    places: list[Place] = []
    aliases: list[Place] = []
    templated: Node | None = None
    documents = documents_of(source, address)
    if any(last in event.value for event in source.events if event.__class__ is Scalar):
        for document in documents:
            for spot in walk(document.root):
                node = document.resolve(spot.node)
                if not isinstance(node, Scalar) or last not in node.value or not _in_container(spot, address.container):
                    continue
                if image_named(str(node.value), spot.key) == name and not _is_address(str(node.value), spot):
                    (aliases if spot.node is not node else places).append(Place(document=document, spot=spot))
                elif (mark := _TEMPLATED.search(node.value)) and normal_name(node.value[: mark.start()].rstrip(":@")) == name:
                    templated = node
    if aliases and not (address.allow_shared and places):
        raise EditRefused("ThroughAlias", "the image is an alias of an anchored value", _line(source, aliases[0].spot.node))
    if not places and templated is not None:
        raise EditRefused("TemplateSyntax", "the image's version is made by a template", _line(source, templated))
    if not places:
        raise EditRefused("NoMatch", f"no image reference to {address.wanted} stands in the file")
    return places


def image_named(text: str, key: str | int | None) -> str | None:
    """The image that a string refers to. One without tag and digest counts only under a key that says image."""
    name = normal_name(text)
    if name is None:
        return None
    bare = "@" not in text and ":" not in text.rsplit("/", 1)[-1]
    return None if bare and not (isinstance(key, str) and key.lower().endswith("image")) else name


def _is_address(text: str, spot: Spot) -> bool:
    """True for `redis:6379` under a key that says nothing of images: a host and its port look like an image and its tag."""
    key = next((step for step in reversed(spot.path) if isinstance(step, str)), "")
    return _HOST_AND_PORT.match(text) is not None and not key.lower().rstrip("s").endswith("image")


def choose(source: Text, places: list[Place], address: Address) -> list[Place]:
    """The places to change: one, or as many as `count` says. Raises `AmbiguousMatch`."""
    if address.count == "all" or len(places) == (address.count or 1):
        return places
    lines = ", ".join(str(_line(source, place.spot.node)) for place in places[:5])
    wanted = address.count or "one"
    raise EditRefused("AmbiguousMatch", f"{len(places)} places fit, {wanted} wanted: lines {lines}", _line(source, places[-1].spot.node))


def _spots(source: Text, document: Document, address: Address) -> Iterator[Spot]:
    if address.form == "pointer":
        yield follow(source, document, address.steps, pointer=True)
        return
    assert address.query is not None
    if address.query.singular_query():
        selectors = [segment.selectors[0] for segment in address.query.segments]
        steps = [
            one.name if isinstance(one, NameSelector) else one.index for one in selectors if isinstance(one, NameSelector | IndexSelector)
        ]
        yield follow(source, document, steps, pointer=False)
        return
    for typed in (False, True):
        found = find(address.query, plain_data(document, typed=typed))
        for match in found:
            yield follow(source, document, match.location, pointer=False)
        if found:
            return
    raise EditRefused("PathNotFound", f"nothing stands at {address.wanted}")


def follow(source: Text, document: Document, steps: "list[str | int] | tuple[str | int, ...]", *, pointer: bool) -> Spot:
    """The node at the end of `steps`. Raises `PathNotFound`, `ThroughAlias` or `ThroughMerge`."""
    node, chain = document.root, []
    path: list[str | int] = []
    for step in steps:
        if isinstance(node, Alias):
            raise EditRefused("ThroughAlias", f"{_name(path)} is an alias of an anchored value", _line(source, node))
        found = _child(node, step, pointer=pointer)
        if found is None and isinstance(node, Mapping) and merged_value(document, node, str(step)) is not None:
            raise EditRefused("ThroughMerge", f"{_name([*path, step])} comes from a merge key", _line(source, node))
        if found is None:
            raise EditRefused("PathNotFound", f"nothing stands at {_name([*path, step])}", _line(source, node))
        chain.append(node)
        node = found
        path.append(int(step) if isinstance(chain[-1], Sequence) else step)
    return Spot(node=node, path=tuple(path), chain=tuple(chain))


def _child(node: Node, step: str | int, *, pointer: bool) -> Node | None:
    if isinstance(node, Mapping):
        return node.get(step) if isinstance(step, str) else None
    if not isinstance(node, Sequence):
        return None
    if pointer and isinstance(step, str) and step.isascii() and step.isdigit() and (step == "0" or step[0] != "0"):
        step = int(step)
    if not isinstance(step, int) or not -len(node.children) <= step < len(node.children):
        return None
    return node.children[step]


def merged_value(document: Document, mapping: Mapping, name: str, depth: int = 0) -> Node | None:
    """What reaches the mapping under `name` through a merge key, None where nothing does; of several sources the first counts."""
    found = next((value for key, value in mapping.pairs() if isinstance(key, Scalar) and key.value == "<<" and key.style == ""), None)
    merged = document.resolve(found) if found is not None and depth < 64 else None
    sources = [document.resolve(child) for child in merged.children] if isinstance(merged, Sequence) else [merged]
    for one in sources:
        if isinstance(one, Mapping):
            value = one.get(name)
            value = document.resolve(value) if value is not None else merged_value(document, one, name, depth + 1)
            if value is not None:
                return value
    return None


def _has_identity(document: Document, identity: tuple[tuple[str, str], ...]) -> bool:
    root = document.root
    if not isinstance(root, Mapping):
        return False
    metadata = root.get("metadata")
    for key, wanted in identity:
        holder = root if key in ("kind", "apiVersion") else document.resolve(metadata) if metadata is not None else None
        value = holder.get(key) if isinstance(holder, Mapping) else None
        value = document.resolve(value) if value is not None else None
        if not isinstance(value, Scalar) or value.value != wanted:
            return False
    return True


def _in_container(spot: Spot, container: str | None) -> bool:
    return container is None or (isinstance(spot.parent, Mapping) and spot.parent.text("name") == container)


def _name(path: list[str | int]) -> str:
    return "/" + "/".join(str(step) for step in path)


def _line(source: Text, node: Node) -> int:
    return line_of(source.text, place_of(node))
