"""Puts another value where a scalar stands, in the style that stands there, and keeps every other character.

Decides which characters change; whether the result is right is judged by `verifying`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.yamltext.layout import Layout, layout_of, one_line, token_start
from bot.yamltext.nodes import Scalar, Text, TextError, begin, finish
from bot.yamltext.quoting import in_double_quotes, in_single_quotes, plain_or_quoted

STRING = "tag:yaml.org,2002:str"
STRING_TAGS = (STRING, "!")
"""Tags under which a value is a text. A plain value under `!` is one for YAML, but not for Go's reader."""
BLOCK = ("|", ">")
_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Splice:
    """Characters `start` to `end` of a text give way to `text`.

    `inside` is the whole scalar, where its lines cannot be read alone (in a flow collection, in a block);
    put between the two texts of `frame` it can.
    """

    start: int
    end: int
    text: str
    inside: tuple[int, int] | None = None
    frame: tuple[str, str] = ("{k: ", "}")


def apply(text: str, splices: Iterable[Splice]) -> str:
    """`text` with all splices carried out; they must not overlap."""
    parts: list[str] = []
    position = 0
    for splice in sorted(splices, key=lambda one: one.start):
        if splice.start < position:
            raise TextError("AmbiguousMatch", "two changes touch the same characters", splice.start)
        parts += (text[position : splice.start], splice.text)
        position = splice.end
    return "".join((*parts, text[position:]))


def line_of(text: str, offset: int) -> int:
    """The line, counted from 1 as editors do (LF, CRLF and lone CR end a line), of a character offset; 1 where it is unknown."""
    if offset <= 0:
        return 1
    head = text[:offset]
    if "\r" not in head:
        return head.count("\n") + 1
    return len(_BREAK.findall(head)) + 1


def splice_for(source: Text, node: Scalar, value: str, *, flow: bool) -> Splice:
    """The smallest splice that makes `node` read as `value`. `flow`: the node stands inside brackets or braces.

    Raises TextError `UnsupportedScalar` where the way the scalar is written does not allow it.
    """
    if node.tag is not None and node.tag not in STRING_TAGS:
        raise TextError("UnsupportedScalar", f"the value bears the tag {node.tag}, which makes it more than a text", begin(node))
    text = source.text
    layout = layout_of(text, node)
    if node.style == "":
        splice = _plain(source, node, value, flow=flow)
        return replace(splice, inside=(splice.start, splice.end) if flow else None)
    inside = (token_start(text, node), finish(node)) if flow else None
    if node.style in BLOCK:
        if not one_line(node) or value[0] in " \t":
            raise TextError("UnsupportedScalar", block_refusal(node), begin(node))
        return replace(
            _inside(layout, str(node.value), value, node.style), inside=(token_start(text, node), finish(node)), frame=("k: ", "")
        )
    return replace(_inside(layout, str(node.value), value, node.style), inside=inside)


def block_refusal(node: Scalar) -> str:
    """Why the value of a block cannot be edited."""
    value = str(node.value)
    if value.rstrip("\n").count("\n") or not value.strip("\n"):
        return "the value is a block of several lines, or of none"
    return f"the block ends with a line break, which would belong to the version too; `{node.style}-` leaves it out"


def raw_of(value: str, style: str | None) -> str:
    """`value` as it is written inside quotes of the given style."""
    match style:
        case '"':
            return in_double_quotes(value)
        case "'":
            return in_single_quotes(value)
        case _:
            return value


def _plain(source: Text, node: Scalar, value: str, *, flow: bool) -> Splice:
    text = source.text
    start, end = token_start(text, node), finish(node)
    written = plain_or_quoted(value, flow=flow, strict_json=source.json, tagged_text=node.tag == STRING)
    if start < end:
        return Splice(start=start, end=end, text=written)
    while node.tag is None and node.anchor is None and text[start - 1 : start] in (" ", "\t"):
        start -= 1
    before = text[start - 1 : start]
    if node.tag is None and node.anchor is None and before not in (":", "-"):
        raise TextError("UnsupportedScalar", "the key has no value, and no colon after which one could be written", begin(node))
    padding = " " if before.strip() else ""
    trailing = " " if text[start : start + 1] == "#" else ""
    return Splice(start=start, end=start, text=f"{padding}{written}{trailing}")


def _inside(layout: Layout, old: str, value: str, style: str | None) -> Splice:
    """Only what differs between the old and the new value, so that escapes beside it survive."""
    same = 0
    while same < len(old) and same < len(value) and old[same] == value[same]:
        same += 1
    tail = 0
    while tail < len(old) - same and tail < len(value) - same and old[-1 - tail] == value[-1 - tail]:
        tail += 1
    new_part = value[same : len(value) - tail]
    return Splice(start=layout.raw(same), end=layout.raw(len(old) - tail), text=raw_of(new_part, style))
