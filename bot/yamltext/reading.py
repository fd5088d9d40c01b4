"""Reads a text into its tree: C events for the places, with limits that no hostile file gets around, and one sentence for each refusal.

Decides whether a text may be edited at all: syntax, duplicate keys, undefined aliases, templates, merge conflicts, limits.
"""

import re
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from yaml import YAMLError
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from bot.yamltext import jsontext
from bot.yamltext.nodes import Document, Mapping, Node, Sequence, Text, TextError, begin, finish, place_of
from bot.yamltext.splicing import line_of
from bot.yamltext.stillness import no_collection


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a file may hold. Counts are of nodes, sizes of characters."""

    characters: int = 1_048_576
    depth: int = 64
    aliases: int = 500
    expanded: int = 100_000


LIMITS: Final = Limits()
_CONFLICT = re.compile(r"^(?:<{7} .*|={7}|>{7} .*)$", re.M)
_QUOTED_OR_COMMENT = re.compile(r"""'[^'\n]*'|"(?:[^"\\\n]|\\.)*"|(?:^|[ \t])#[^\n]*""", re.M)
_TEMPLATE = re.compile(r"\{\{|\{%|<%")
_TEXT_OF = attrgetter("value")
_BRACKET = re.compile(r"[\[\]{}]")


def read(text: str) -> Text:
    """The tree of `text` (without a byte order mark). Raises TextError: ParseError, DuplicateKey or TemplateSyntax."""
    _check_size(text)
    try:
        builder = _Builder(text)
        with no_collection():
            builder.run()
    except YAMLError as error:
        read_as_json = jsontext.read(text)
        if read_as_json is None:
            raise _syntax_error(text, error) from None
        return read_as_json
    return Text(text=text, events=builder.events, documents=builder.documents, json=jsontext.is_json(text))


class _Builder:
    """The state of one reading."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.events: list[Event] = []
        self.documents: list[Document] = []
        self.anchors: dict[str, Node] = {}
        self.targets: dict[int, Node] = {}
        self.shared: set[int] = set()

    def run(self) -> None:
        """Pull every event. This loop is the whole cost of reading: the common case, a scalar, goes through three tests."""
        parser = CParser(self.text)
        get_event, keep = parser.get_event, self.events.append
        roots: list[Node] = []
        stack: list[Mapping | Sequence] = []
        append = roots.append
        while True:
            event = get_event()
            keep(event)  # type: ignore[arg-type]
            kind = event.__class__
            if kind is ScalarEvent:
                if event.anchor is not None:  # type: ignore[union-attr]
                    self.anchors[event.anchor] = event  # type: ignore[union-attr, assignment]
                append(event)  # type: ignore[arg-type]
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                closed = stack.pop()
                closed.closing = event  # type: ignore[assignment]
                append = stack[-1].children.append if stack else roots.append
                if kind is MappingEndEvent and (len(held := closed.children) != 2 or held[0].__class__ is not ScalarEvent):
                    self.check_keys(held[::2])
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                node = Mapping(event) if kind is MappingStartEvent else Sequence(event)  # type: ignore[arg-type]
                if event.anchor is not None:  # type: ignore[union-attr]
                    self.anchors[event.anchor] = node  # type: ignore[union-attr]
                append(node)
                append = node.children.append
                stack.append(node)
                if len(stack) > LIMITS.depth:
                    raise TextError("ParseError", f"the file nests deeper than {LIMITS.depth} levels", node.start)
            elif kind is AliasEvent:
                self.bind(event, stack)  # type: ignore[arg-type]
                append(event)  # type: ignore[arg-type]
            elif kind is DocumentStartEvent:
                self.anchors, self.targets, self.shared = {}, {}, set()
            elif kind is DocumentEndEvent:
                found = Document(index=len(self.documents), root=roots.pop(), targets=self.targets, shared=self.shared)
                self.documents.append(found)
                if found.targets:
                    _check_expansion(found)
            elif kind is StreamEndEvent:
                break

    def bind(self, event: AliasEvent, stack: list[Mapping | Sequence]) -> None:
        """Tie an alias to the node that bears its anchor at this place of the text."""
        target = self.anchors.get(str(event.anchor))
        if target is None:
            raise TextError("ParseError", f"the alias *{event.anchor} has no anchor before it", begin(event))
        if any(open_node is target for open_node in stack):
            raise TextError("ParseError", f"the alias *{event.anchor} stands inside the node it names", begin(event))
        self.targets[id(event)] = target
        self.shared.add(id(target))
        if len(self.targets) > LIMITS.aliases:
            raise TextError("ParseError", f"the file has more than {LIMITS.aliases} aliases", begin(event))

    def check_keys(self, keys: list[Node]) -> None:
        """Refuse a key that stands twice, and a template that YAML happens to read as a mapping used as a key."""
        try:
            if len(set(map(_TEXT_OF, keys))) == len(keys):
                return
        except AttributeError:
            for key in keys:
                if isinstance(key, Mapping) and self.text.startswith("{{", key.start - 1):
                    raise TextError("TemplateSyntax", "the file holds a template where YAML expects a value", key.start) from None
        seen: dict[str, int] = {}
        for place in keys:
            key = self.targets[id(place)] if isinstance(place, AliasEvent) else place
            if isinstance(key, ScalarEvent):
                if key.value in seen:
                    lines = f"lines {line_of(self.text, seen[key.value])} and {line_of(self.text, place_of(place))}"
                    raise TextError("DuplicateKey", f"the key {key.value!r} stands twice in one mapping, {lines}", place_of(place))
                seen[key.value] = place_of(place)


def _check_size(text: str) -> None:
    """What must hold before a parser may see the text at all."""
    if len(text) > LIMITS.characters:
        raise TextError("ParseError", f"the file is longer than {LIMITS.characters} characters", 0)
    if "<<<<<<< " in text or ">>>>>>> " in text:
        marks = list(_CONFLICT.finditer(text))
        if len(marks) > 1:
            raise TextError("ParseError", "the file holds the marks of an unresolved merge conflict", marks[0].start())
    if text.count("[") + text.count("{") > LIMITS.depth:
        depth = deepest = 0
        for found in _BRACKET.finditer(text):
            depth = depth + 1 if found[0] in "[{" else max(0, depth - 1)
            if depth > deepest:
                deepest = depth
                if deepest > LIMITS.depth * 16:
                    raise TextError("ParseError", f"the file nests deeper than {LIMITS.depth} levels", found.start())


def _check_expansion(document: Document) -> None:
    """Refuse aliases and merge keys that would blow the document up when followed."""
    sizes: dict[int, int] = {}
    order: list[Node] = []
    stack: list[Node] = [document.root]
    while stack:
        node = stack.pop()
        order.append(node)
        if isinstance(node, Mapping | Sequence):
            stack.extend(node.children)
    # Anchors stand before their aliases, so going by the place of the *end* sees every target before its users.
    for node in sorted(order, key=_end_of):
        if isinstance(node, AliasEvent):
            sizes[id(node)] = sizes.get(id(document.targets[id(node)]), 1)
        elif isinstance(node, Mapping | Sequence):
            sizes[id(node)] = 1 + sum(sizes.get(id(child), 1) for child in node.children)
        if sizes.get(id(node), 1) > len(order) + LIMITS.expanded:
            raise TextError("ParseError", f"the file's aliases expand to more than {LIMITS.expanded} nodes", _end_of(node)[0])


def _end_of(node: Node) -> tuple[int, int]:
    """Sort key: children before the node that holds them."""
    if isinstance(node, Mapping | Sequence):
        return node.end, 1 + (LIMITS.characters - node.start)
    return finish(node), 0


def _syntax_error(text: str, error: YAMLError) -> TextError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    offset = mark.index if mark is not None else getattr(error, "position", -1)
    bare = _QUOTED_OR_COMMENT.sub("", text)
    if _TEMPLATE.search(bare):
        where = _TEMPLATE.search(text)
        return TextError("TemplateSyntax", "the file is a template, not YAML", where.start() if where else offset)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
    return TextError("ParseError", f"the file is not valid YAML: {problem}", offset)
