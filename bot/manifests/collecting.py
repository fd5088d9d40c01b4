"""Builds slots from places of a parsed file, with line, span, address and key; a place that could not be edited becomes a problem.

Shared by all YAML formats. Which places hold versions is decided by each format.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence as AnySequence
from dataclasses import replace
from typing import Any

from bot.domain.edits import MENDING, RefusalCode
from bot.domain.image import ImageRef, Version, normal_name, split_reference
from bot.domain.slot import Holds, ObjectRef, Slot, SlotProblem
from bot.manifests.found import FileSlots
from bot.manifests.guards import NULLS, is_templated
from bot.manifests.references import name_prefix
from bot.yamltext import Alias, Document, Mapping, Node, Scalar, Sequence, Spot, Text, TextError, place_of
from bot.yamltext.layout import Layout, layout_of, one_line
from bot.yamltext.splicing import BLOCK, STRING_TAGS

_BREAK = re.compile(r"\r\n|\r|\n")
Path = tuple[str | int, ...]


class Collector:
    """Collects the slots of one document. `shift` is added to offsets (a byte order mark counts), `format` is the format's name."""

    def __init__(self, path: str, source: Text, document: Document, *, shift: int = 0) -> None:
        self.path = path
        self.source = source
        self.document = document
        self.shift = shift
        self.format = ""
        self.slots: list[Slot] = []
        self.problems: list[SlotProblem] = []
        self.embedded_in: dict[str, Any] | None = None
        self._line_starts: list[int] | None = None

    def image(self, spot: Spot, *, key: str, owner: ObjectRef | None = None) -> None:
        """A string that is an image reference. Without tag and digest it holds no version and is passed over."""
        node = self._readable(spot)
        if node is None:
            return
        text = str(node.value)
        begin = name_prefix(text)
        reference, spans = ImageRef.parse(text[begin:]), split_reference(text[begin:])
        if reference is None or spans is None:
            return
        if spans.tag_start >= 0:
            span = (begin + spans.tag_start, begin + spans.tag_end)
        elif spans.digest_start >= 0:
            span = (begin + spans.digest_start, len(text))
        else:
            return
        self._add(spot, node, span, key=key, owner=owner, holds=Holds.IMAGE, artifact=reference.name, version=reference.version)

    def image_map(
        self, spot: Spot, artifact: str, *, key: str, owner: ObjectRef | None = None, fields: AnySequence[str] = ("tag", "digest")
    ) -> None:
        """A map with `tag` and/or `digest` of an image whose name is known (`fields` names the two keys)."""
        node = spot.node
        if not isinstance(node, Mapping):
            return
        held: dict[str, Scalar] = {}
        chain = (*spot.chain, node)
        for part, field in zip(("tag", "digest"), fields, strict=True):
            found = node.get(field)
            if found is None or (isinstance(found, Scalar) and (not found.value or (found.style == "" and found.value in NULLS))):
                continue
            scalar = self._readable(Spot(node=found, path=(*spot.path, field), chain=chain))
            if scalar is None:
                return
            held[part] = scalar
        if not held:
            return
        tag = Version.parse(str(held["tag"].value)) if "tag" in held else Version()
        digest = str(held["digest"].value) if "digest" in held else tag.digest
        first = held.get("tag") or held["digest"]
        self._add(
            spot,
            first,
            (0, len(tag.tag or "") if "tag" in held and tag.digest else len(str(first.value))),
            key=key,
            owner=owner,
            holds=Holds.IMAGE,
            artifact=artifact,
            version=Version(tag=tag.tag, digest=digest),
        )

    def version(self, spot: Spot, *, artifact: str, key: str, holds: Holds, owner: ObjectRef | None = None) -> None:
        """A scalar that is a version by itself: of a chart, a git reference, or of something that only people know."""
        node = self._readable(spot)
        if node is None or not node.value or (node.style == "" and node.value in NULLS):
            return
        text = str(node.value)
        version = Version.parse(text) if holds in (Holds.IMAGE, Holds.VALUE) else Version(tag=text)
        self._add(spot, node, (0, len(text)), key=key, owner=owner, holds=holds, artifact=artifact, version=version)

    def part(self, spot: Spot, span: tuple[int, int], pattern: str, *, key: str, artifact: str, holds: Holds) -> None:
        """A version that is a part of a scalar, addressed by a pattern over the whole file."""
        node = self._readable(spot)
        before = len(self.slots)
        if node is not None and self.embedded_in is None:
            text = str(node.value)[span[0] : span[1]]
            self._add(spot, node, span, key=key, owner=None, holds=holds, artifact=artifact, version=Version(tag=text))
            self.slots[before:] = [replace(slot, address={"regex": pattern}) for slot in self.slots[before:]]

    def problem(self, node: Node, code: str, message: str) -> None:
        """A place that should hold a version but cannot be used."""
        line = self.line(place_of(node))
        self.problems.append(SlotProblem(path=self.path, line=line, code=code, message=f"{message}. {MENDING[RefusalCode(code)]}"))

    def address(self, path: Path) -> dict[str, Any]:
        """The address of a node of this document: a pointer, with the document's index where there are several."""
        pointer = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
        address: dict[str, Any] = {"pointer": pointer}
        if len(self.source.documents) > 1:
            address["doc"] = {"index": self.document.index}
        return address if self.embedded_in is None else {**self.embedded_in, "embedded": address}

    def line(self, offset: int) -> int:
        """The line of a character offset, counted from 1."""
        return bisect_right(self._starts(), offset)

    def line_start(self, line: int) -> int:
        """The character offset at which a line begins."""
        return self._starts()[line - 1]

    def found(self) -> FileSlots:
        return FileSlots(slots=tuple(self.slots), problems=tuple(self.problems))

    def _starts(self) -> list[int]:
        if self._line_starts is None:
            self._line_starts = [0, *(found.end() for found in _BREAK.finditer(self.source.text))]
        return self._line_starts

    def _readable(self, spot: Spot) -> Scalar | None:
        """The scalar at the spot if it could be edited; else a problem is noted, where a version seems to stand there."""
        node = spot.node
        if isinstance(node, Alias):
            target = self.document.targets[id(node)]
            if isinstance(target, Scalar) and target.value:
                self.problem(node, "ThroughAlias", f"the version is an alias of *{node.anchor}")
            return None
        if not isinstance(node, Scalar) or not node.value:
            return None
        if is_templated(str(node.value)):
            self.problem(node, "TemplateSyntax", "the version is made by a template")
            return None
        if node.tag is not None and node.tag not in STRING_TAGS:
            self.problem(node, "UnsupportedScalar", f"the version bears the tag {node.tag}")
            return None
        shared = self.document.shared
        if shared and any(id(one) in shared for one in (*spot.chain, node)):
            self.problem(node, "SharedAnchor", "the version stands under an anchor that other places of the file use")
            return None
        return node

    def _add(self, spot: Spot, node: Scalar, span: tuple[int, int], **rest: Any) -> None:
        try:
            layout = layout_of(self.source.text, node)
            if node.style in BLOCK and not one_line(node):
                raise TextError("UnsupportedScalar", "the version stands in a block of several lines, or one that ends with a line break")
        except TextError as error:
            self.problem(node, error.code, error.message)
            return
        start, end = layout.raw(span[0]), layout.raw(span[1])
        line = self.line(start)
        self.slots.append(
            Slot(
                path=self.path,
                line=line,
                column=start - self.line_start(line) + 1,
                start=start + self.shift,
                end=end + self.shift,
                address=self.address(spot.path),
                format=self.format,
                **rest,
            )
        )


def layout_of_block(source: Text, node: Node) -> Layout | None:
    """The layout of a literal block that holds text of its own; None where it cannot be gone into."""
    if not isinstance(node, Scalar) or node.style != "|":
        return None
    try:
        return layout_of(source.text, node)
    except TextError:
        return None


def named_steps(root: Node, path: Path) -> list[str]:
    """`path` without numbers: an item of a list is called by its `name` (or `chart`, `repository`, `id`), else by its index."""
    node, steps = root, []
    for step in path:
        child: Node | None = None
        if isinstance(node, Mapping):
            child = node.get(str(step))
            steps.append(str(step))
        elif isinstance(node, Sequence) and isinstance(step, int):
            child = node.children[step]
            steps.append(_item_name(child) or str(step))
        if child is None:
            return steps
        node = child
    return steps


def _item_name(item: Node) -> str | None:
    if isinstance(item, Scalar):
        return normal_name(str(item.value))
    if not isinstance(item, Mapping):
        return None
    return next((text for name in ("name", "chart", "repository", "id", "ParameterKey") if (text := item.text(name))), None)
