"""Which raw character of the text each character of a scalar's value stands for.

Decides nothing but places: quotes, escapes, and the indentation of literal blocks are undone here and nowhere else.
"""

import json
import re
from bisect import bisect_right
from dataclasses import dataclass

from bot.yamltext.nodes import Scalar, TextError, begin, finish

_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+|\Z))*")
_HEADER = re.compile(r"[|>][0-9+-]*[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n)")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_BREAKS = re.compile("[\r\n\x85\u2028\u2029]")
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|x..|u.{4}|U.{8}|.)")
_DOUBLED = re.compile("''")
_SHORT = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """Pieces of the value in order: at value offset `values[i]` stands raw offset `raws[i]`, and on from there one to one."""

    values: list[int]
    raws: list[int]

    def raw(self, offset: int) -> int:
        """The raw offset of the value's character `offset`; of its end, where `offset` is the value's length."""
        piece = bisect_right(self.values, offset) - 1
        return self.raws[piece] + offset - self.values[piece]

    def offset(self, raw: int) -> int:
        """The inverse of `raw`, for a character of the value that is not written as an escape."""
        piece = max(0, bisect_right(self.raws, raw) - 1)
        return self.values[piece] + raw - self.raws[piece]


def token_start(text: str, node: Scalar) -> int:
    """Where the scalar itself begins, behind its anchor and tag."""
    start, end = begin(node), finish(node)
    if node.anchor is None and node.tag is None:
        return start
    found = _PROPERTIES.match(text, start, end)
    assert found is not None
    return found.end()


def layout_of(text: str, node: Scalar) -> Layout:
    """The layout of a scalar on one line, or of a literal block. Raises TextError `UnsupportedScalar` for every other."""
    start, end = token_start(text, node), finish(node)
    value = str(node.value)
    match node.style:
        case "":
            layout = Layout([0], [start]) if text[start:end] == value else None
        case "|":
            return _literal(text, node, start)
        case ">" if one_line(node):
            return _literal(text, node, start)
        case '"' | "'":
            layout = _quoted(text, value, start, end)
        case _:
            raise TextError("UnsupportedScalar", "the value is a folded block of several lines, or it ends with a line break", start)
    if layout is None:
        raise TextError("UnsupportedScalar", "the value goes over several lines", start)
    return layout


def one_line(node: Scalar) -> bool:
    """True for a block that holds one line and no line break behind it: what is written there is read exactly."""
    value = str(node.value)
    return bool(value) and "\n" not in value and value[0] not in " \t"


def _quoted(text: str, value: str, start: int, end: int) -> Layout | None:
    """Quotes of either kind; None where the value is not on one line."""
    quote = text[start : start + 1]
    inner = text[start + 1 : end - 1]
    if quote not in ("'", '"') or _BREAKS.search(inner):
        return None
    if inner == value and "\\" not in inner and "''" not in inner:
        return Layout([0], [start + 1])
    parts: list[str] = []
    values, raws = [0], [start + 1]
    length = position = 0
    for found in (_ESCAPE if quote == '"' else _DOUBLED).finditer(inner):
        parts += (inner[position : found.start()], one := _decoded(found[0]))
        length += found.start() - position + len(one)
        position = found.end()
        values.append(length)
        raws.append(start + 1 + position)
    parts.append(inner[position:])
    return Layout(values, raws) if "".join(parts) == value else None


def _decoded(escape: str) -> str:
    if escape == "''":
        return "'"
    kind = escape[1]
    if kind in "xuU" and len(escape) != 12:
        return chr(int(escape[2:], 16))
    return str(json.loads(f'"{escape}"')) if kind == "u" else _SHORT.get(kind, kind)


def _literal(text: str, node: Scalar, start: int) -> Layout:
    """A literal block: each line of the value stands on a line of its own, behind the block's indentation."""
    header = _HEADER.match(text, start)
    lines = str(node.value).split("\n") if node.style == "|" else [str(node.value)]
    refusal = TextError("UnsupportedScalar", "the block's lines do not stand as they are read", start)
    if header is None:
        raise refusal
    first = next((line for line in lines if line), None)
    position, rows = header.end(), []
    for _ in lines:
        found = _LINE.match(text, position)
        assert found is not None
        rows.append((position, found[0].rstrip("\r\n")))
        position = found.end()
    indent = next((len(row) - len(first) for (_, row), line in zip(rows, lines, strict=True) if line), 0) if first else 0
    values, raws, length = [], [], 0
    for (place, row), line in zip(rows, lines, strict=True):
        if line and (indent < 0 or row[:indent].strip(" ") or row[indent:] != line):
            raise refusal
        values.append(length)
        raws.append(place + (indent if line else min(indent, len(row))))
        length += len(line) + 1
    return Layout(values, raws)
