"""Reads strict JSON into the same tree as YAML, for JSON that a YAML parser refuses.

JSON writes characters beyond U+FFFF as two escapes (`\\ud83d\\ude80`), which YAML forbids; and it knows no limit for the length of a key.
"""

import json
import re
from typing import Any

from yaml import Mark, YAMLError
from yaml._yaml import CParser
from yaml.events import (
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from bot.yamltext.nodes import Document, Mapping, Node, Sequence, Text, TextError, begin
from bot.yamltext.splicing import line_of

_TOKEN = re.compile(r'[ \t\r\n]*(?:(?P<string>"(?:[^"\\\x00-\x1f]|\\.)*")|(?P<plain>[^\s,:{}\[\]"]+)|(?P<mark>[,:{}\[\]]))')
DEEPEST = 64


def is_json(text: str) -> bool:
    """True where the whole text is one strict JSON object or list."""
    if not text.lstrip(" \t\r\n").startswith(("{", "[")):
        return False
    try:
        json.loads(text, parse_constant=_no_constant, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def needs_own_reader(text: str) -> bool:
    """True where a YAML parser refuses a strict JSON text."""
    try:
        CParser(text).raw_parse()
    except YAMLError:
        return True
    return False


def read(text: str) -> Text | None:
    """The tree of a strict JSON text, or None where it is not one. Raises TextError (DuplicateKey, ParseError for the depth)."""
    if not is_json(text):
        return None
    events: list[Event] = []
    stack: list[Mapping | Sequence] = []
    root: Node | None = None
    position = 0
    while (found := _TOKEN.match(text, position)) is not None:
        position = found.end()
        piece = found[found.lastgroup or 0]
        start, end = _mark(position - len(piece)), _mark(position)
        if piece in ",:" and found.lastgroup == "mark":
            continue
        node: Node
        if piece in "]}" and found.lastgroup == "mark":
            closed = stack.pop()
            closed.closing = MappingEndEvent(start, end) if piece == "}" else SequenceEndEvent(start, end)
            events.append(closed.closing)
            if isinstance(closed, Mapping):
                _check_keys(text, closed)
            continue
        if found.lastgroup == "mark":
            opening: Any = (MappingStartEvent if piece == "{" else SequenceStartEvent)(None, None, True, start, end, flow_style=True)
            node = Mapping(opening) if piece == "{" else Sequence(opening)
            events.append(opening)
        else:
            quoted = found.lastgroup == "string"
            value = json.loads(piece) if quoted else piece
            node = ScalarEvent(None, None, (not quoted, quoted), value, start, end, style='"' if quoted else "")
            events.append(node)
        if stack:
            stack[-1].children.append(node)
        else:
            root = node
        if isinstance(node, Mapping | Sequence):
            stack.append(node)
            if len(stack) > DEEPEST:
                raise TextError("ParseError", f"the file nests deeper than {DEEPEST} levels", position)
    assert root is not None
    return Text(text=text, events=events, documents=[Document(index=0, root=root)], json=True)


def _mark(index: int) -> Any:
    return Mark("json", index, 0, index, None, 0)


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _check_keys(text: str, mapping: Mapping) -> None:
    seen: dict[str, int] = {}
    for key, _ in mapping.pairs():
        if isinstance(key, ScalarEvent):
            if key.value in seen:
                lines = f"lines {line_of(text, seen[key.value])} and {line_of(text, begin(key))}"
                raise TextError("DuplicateKey", f"the key {key.value!r} stands twice in one object, {lines}", begin(key))
            seen[key.value] = begin(key)
