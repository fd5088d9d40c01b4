"""The configuration file as a tree that knows where everything stands.

Decides how YAML text becomes plain values (YAML 1.2's core rules: `on` and `1:30` are texts) and keeps line and column of every
key and value. Doubled keys, tags and bombs of aliases are told with their places. What the values mean is left to the schema.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import yaml

LARGEST = 1 << 20
DEEPEST = 32
MOST_ALIASES = 50
MOST_NODES = 100_000

_INT = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)
_BASED = re.compile(r"0o[0-7]{1,20}|0x[0-9a-fA-F]{1,16}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]{1,200}(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", re.ASCII)
_CONSTANTS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place in the file; both count from 1."""

    line: int
    column: int


@dataclass(slots=True, kw_only=True)
class Node:
    """A value and where it begins. `key` is where its key stands, for the values of a mapping. `raw` is a scalar's text."""

    mark: Mark
    scalar: Any = None
    raw: str = ""
    plain_style: bool = False
    items: list["Node"] | None = None
    entries: dict[str, "Node"] | None = None
    key: Mark | None = None

    @property
    def place(self) -> Mark:
        """Where people look for it: at its key, else where it begins."""
        return self.key or self.mark

    def child(self, step: str | int) -> "Node | None":
        """The value under a key, or at an index; an index into a mapping counts its entries."""
        if self.entries is not None:
            if isinstance(step, int):
                return next((node for number, node in enumerate(self.entries.values()) if number == step), None)
            return self.entries.get(step)
        if self.items is not None and isinstance(step, int) and 0 <= step < len(self.items):
            return self.items[step]
        return None

    def at(self, *steps: str | int) -> "Node | None":
        """The value at the end of a path; None where it breaks off."""
        node: Node | None = self
        for step in steps:
            node = node.child(step) if node is not None else None
        return node

    def named(self) -> Iterator[tuple[str, "Node"]]:
        """Keys and values of a mapping; nothing for all else."""
        yield from (self.entries or {}).items()

    def listed(self) -> list["Node"]:
        """The parts of a list; a single scalar is a list of one, as in the schema."""
        if self.items is not None:
            return self.items
        return [self] if self.entries is None and isinstance(self.scalar, str | int) else []

    def plain(self) -> Any:
        """The value without its places."""
        if self.entries is not None:
            return {key: node.plain() for key, node in self.entries.items()}
        if self.items is not None:
            return [node.plain() for node in self.items]
        return self.scalar


class Unreadable(ValueError):
    """The text is not a YAML document that we take; `mark` says where it breaks."""

    def __init__(self, what: str, mark: Mark) -> None:
        super().__init__(what)
        self.what = what
        self.mark = mark


def read_tree(text: str) -> tuple[Node, list[tuple[Mark, str]]]:
    """The document, and what is wrong in it that does not keep it from being read (doubled keys). Raises Unreadable."""
    if len(text) > LARGEST:
        raise Unreadable(f"The file is larger than {LARGEST >> 20} MiB. A configuration is a few hundred lines", Mark(line=1, column=1))
    reader = _Reader(text)
    try:
        return reader.document(), reader.problems
    except yaml.MarkedYAMLError as error:
        where = error.problem_mark or error.context_mark
        mark = Mark(line=where.line + 1, column=where.column + 1) if where else Mark(line=1, column=1)
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise Unreadable(f"This is not YAML: {what}", mark) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 1
        raise Unreadable("There is a character here that YAML does not allow", Mark(line=line, column=1)) from error


class _Reader:
    """Walks the parser's events once; stops at the first bomb."""

    def __init__(self, text: str) -> None:
        self._events = yaml.parse(text, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)
        self._anchors: dict[str, Node] = {}
        self._sizes: dict[int, int] = {}
        self._aliases = 0
        self.problems: list[tuple[Mark, str]] = []

    def document(self) -> Node:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise Unreadable("The file holds more than one document. Keep one, without a second ---", _mark(event))
                root, _ = self._node(next(self._events), 0)
        if root is None:
            raise Unreadable("The file is empty. Start from config.example.yaml", Mark(line=1, column=1))
        return root

    def _node(self, event: Any, depth: int) -> tuple[Node, int]:
        """The node that begins here, and how many values it expands to."""
        mark = _mark(event)
        if depth > DEEPEST:
            raise Unreadable(f"This is nested deeper than {DEEPEST} levels", mark)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, mark)
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.ScalarEvent):
            node, size = Node(mark=mark, scalar=self._scalar(event, mark), raw=event.value, plain_style=not event.style), 1
        elif isinstance(event, yaml.SequenceStartEvent):
            node, size = self._sequence(mark, depth)
        else:
            node, size = self._mapping(mark, depth)
        if size > MOST_NODES:
            raise Unreadable(f"With its aliases this grows beyond {MOST_NODES} values", mark)
        if anchor:
            self._anchors[anchor] = node
        self._sizes[id(node)] = size
        return node, size

    def _alias(self, event: Any, mark: Mark) -> tuple[Node, int]:
        self._aliases += 1
        if self._aliases > MOST_ALIASES:
            raise Unreadable(f"The file uses more than {MOST_ALIASES} aliases", mark)
        node = self._anchors.get(event.anchor)
        if node is None:
            raise Unreadable(f"The alias *{event.anchor} stands inside what it names, or before it", mark)
        return node, self._sizes[id(node)]

    def _sequence(self, mark: Mark, depth: int) -> tuple[Node, int]:
        items: list[Node] = []
        size = 1
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            node, more = self._node(event, depth + 1)
            items.append(node)
            size += more
        return Node(mark=mark, items=items), size

    def _mapping(self, mark: Mark, depth: int) -> tuple[Node, int]:
        entries: dict[str, Node] = {}
        merges: list[Node] = []
        size = 1
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key_mark = _mark(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise Unreadable("A key must be a plain text", key_mark)
            node, more = self._node(next(self._events), depth + 1)
            size += more
            if event.value == "<<" and not event.style:
                merges += node.items if node.items is not None else [node]
            elif event.value in entries:
                first = entries[event.value].place
                doubled = f"The key {event.value!r} stands here a second time; the first is on line {first.line}. Keep one"
                self.problems.append((key_mark, doubled))
            else:
                entries[event.value] = _under(node, key_mark)
        for merged in merges:
            if merged.entries is None:
                raise Unreadable("<< takes a mapping, or a list of mappings", merged.mark)
            entries = {**entries, **{key: node for key, node in merged.entries.items() if key not in entries}}
        return Node(mark=mark, entries=entries), size

    def _scalar(self, event: Any, mark: Mark) -> Any:
        tag = event.tag
        if tag not in (None, "!", "tag:yaml.org,2002:str"):
            raise Unreadable(f"The tag {tag} is not taken here. Take it away", mark)
        text: str = event.value
        return text if tag is not None or event.style else resolve(text)


def resolve(text: str) -> Any:
    """What an unquoted scalar means by YAML 1.2's core schema."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan")) if _FLOAT.fullmatch(text) else text


def _mark(event: Any) -> Mark:
    return Mark(line=event.start_mark.line + 1, column=event.start_mark.column + 1)


def _under(node: Node, key: Mark) -> Node:
    """The node as the value of this key; an aliased node keeps its own place but gets this key."""
    return replace(node, key=key)
