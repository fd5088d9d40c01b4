"""The tree of a YAML text as its reader saw it: every node with its place, aliases kept as aliases.

Built by `reading`; decides nothing. A scalar is PyYAML's own event (value, style, tag, anchor, marks in characters), so that
the tree of a large file costs little more than the parse.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from yaml.events import AliasEvent, Event, MappingStartEvent, ScalarEvent, SequenceStartEvent

Scalar = ScalarEvent
Alias = AliasEvent


class TextError(Exception):
    """The text cannot be read or edited. `code` is one of the edit engine's codes, `offset` counts characters, -1 where unknown."""

    def __init__(self, code: str, message: str, offset: int = -1) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.offset = offset


def begin(event: Event) -> int:
    """The character offset at which an event begins (for a scalar with its anchor and tag)."""
    return event.start_mark.index  # type: ignore[union-attr]


def finish(event: Event) -> int:
    """The character offset at which an event ends."""
    return event.end_mark.index  # type: ignore[union-attr]


class Mapping:
    """A mapping: `children` holds key, value, key, value in the order of the text."""

    __slots__ = ("_index", "children", "closing", "opening")

    def __init__(self, opening: MappingStartEvent) -> None:
        self.opening = opening
        self.closing: Event = opening
        self.children: list[Node] = []
        self._index: dict[str, Node] | None = None

    @property
    def start(self) -> int:
        return begin(self.opening)

    @property
    def end(self) -> int:
        return finish(self.closing)

    @property
    def flow(self) -> bool:
        return bool(self.opening.flow_style)

    def pairs(self) -> Iterator[tuple["Node", "Node"]]:
        children = iter(self.children)
        return zip(children, children, strict=False)

    def get(self, name: str) -> "Node | None":
        """The value under the scalar key `name`, None where there is none. Merge keys are not followed."""
        if self._index is None:
            self._index = {key.value: value for key, value in self.pairs() if key.__class__ is ScalarEvent}
        return self._index.get(name)

    def text(self, name: str) -> str | None:
        """The text of the scalar under `name`; None where it is missing or no scalar."""
        value = self.get(name)
        return str(value.value) if isinstance(value, ScalarEvent) else None


class Sequence:
    """A sequence with its items in order."""

    __slots__ = ("children", "closing", "opening")

    def __init__(self, opening: SequenceStartEvent) -> None:
        self.opening = opening
        self.closing: Event = opening
        self.children: list[Node] = []

    @property
    def start(self) -> int:
        return begin(self.opening)

    @property
    def end(self) -> int:
        return finish(self.closing)

    @property
    def flow(self) -> bool:
        return bool(self.opening.flow_style)


Node = Scalar | Alias | Mapping | Sequence


@dataclass(slots=True)
class Document:
    """One document. `targets` tells what each alias stands for (by the alias event's id), `shared` which nodes aliases use."""

    index: int
    root: Node
    targets: dict[int, Node] = field(default_factory=dict)
    shared: set[int] = field(default_factory=set)

    def resolve(self, node: Node) -> Node:
        """The node itself, or what an alias stands for."""
        return self.targets[id(node)] if isinstance(node, AliasEvent) else node


@dataclass(slots=True)
class Text:
    """A text and its documents. `json` is set where the text is strict JSON: then everything that is written must be too."""

    text: str
    events: list[Event]
    documents: list[Document]
    json: bool = False


class Spot(NamedTuple):
    """A node in its surroundings: the keys that lead to it, and the nodes from the root to its parent."""

    node: Node
    path: tuple[str | int, ...]
    chain: tuple[Node, ...]

    @property
    def key(self) -> str | int | None:
        return self.path[-1] if self.path else None

    @property
    def parent(self) -> Node | None:
        return self.chain[-1] if self.chain else None


def place_of(node: Node) -> int:
    """The character offset at which any node begins."""
    return node.start if isinstance(node, Mapping | Sequence) else begin(node)


def walk(root: Node) -> Iterator[Spot]:
    """Every value below `root` with its surroundings, in the order of the text; aliases are yielded, not followed."""
    stack = [Spot(root, (), ())]
    while stack:
        spot = stack.pop()
        yield spot
        node, path, chain = spot
        if node.__class__ is Mapping:
            chain = (*chain, node)
            children = node.children
            stack += [
                Spot(children[index + 1], (*path, getattr(children[index], "value", "")), chain)
                for index in range(len(children) - 2, -1, -2)
            ]
        elif node.__class__ is Sequence:
            chain = (*chain, node)
            children = node.children
            stack += [Spot(children[index], (*path, index), chain) for index in range(len(children) - 1, -1, -1)]
