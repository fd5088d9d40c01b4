"""A document as plain Python data, for the filters of a JSONPath query.

Values are texts (`1.10` is not `1.1`); for filters that compare with numbers or truth values a typed reading (YAML 1.2 core) is at hand.
"""

import re
from typing import Any

from bot.yamltext import Alias, Document, Mapping, Node, Scalar, Sequence

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?\Z")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}


def plain_data(document: Document, *, typed: bool) -> Any:
    """The document's data. Aliases are followed (the reader bounds them); a key that is no scalar is left out."""
    made: dict[int, Any] = {}

    def convert(node: Node) -> Any:
        if isinstance(node, Scalar):
            return _scalar(node) if typed else node.value
        if isinstance(node, Alias):
            target = document.targets[id(node)]
            return made[id(target)] if id(target) in made else convert(target)
        result: Any
        if isinstance(node, Mapping):
            result = {key.value: convert(value) for key, value in node.pairs() if isinstance(key, Scalar)}
        else:
            assert isinstance(node, Sequence)
            result = [convert(item) for item in node.children]
        made[id(node)] = result
        return result

    return convert(document.root)


def _scalar(node: Scalar) -> Any:
    value = str(node.value)
    if node.style or node.tag is not None:
        return value
    if value.lower() in _WORDS:
        return _WORDS[value.lower()]
    if _INTEGER.match(value):
        return int(value)
    return float(value) if _FLOAT.match(value) else value
