"""Where the values of an HCL text (Terraform, OpenTofu, Terragrunt) stand. python-hcl2 locates; nothing is written by it.

A value is known by its path: block types, their labels, attribute and object keys; equal blocks side by side,
items and arguments of functions are numbered.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bot.domain.edits import EditRefused
from bot.yamltext import line_of

LONGEST = 1_048_576
_QUOTES = ("DBLQUOTE",)


@dataclass(frozen=True, slots=True, kw_only=True)
class HclValue:
    """A quoted text (`value` set) or another expression (`value` None) at a path; `start` and `end` enclose what is in the quotes."""

    path: tuple[str, ...]
    value: str | None
    start: int
    end: int


@lru_cache(maxsize=64)
def hcl_values(text: str) -> tuple[HclValue, ...]:
    """Every attribute and object value of the text. Raises EditRefused `ParseError` with the line."""
    tree = hcl_tree(text)
    body = next(child for child in tree.children if getattr(child, "data", "") == "body")
    try:
        return tuple(_body(body, ()))
    except RecursionError:
        raise EditRefused("ParseError", "the file nests too deeply") from None


def hcl_tokens(text: str) -> list[str]:
    """The text as the parser's tokens, white space and comments included: what a reader sees."""
    return [str(token) for token in hcl_tree(text).scan_values(lambda one: not hasattr(one, "data"))]


def hcl_tree(text: str) -> Any:
    """The parse tree. Raises EditRefused `ParseError`."""
    from hcl2.api import parses_to_tree
    from lark.exceptions import LarkError

    if len(text) > LONGEST:
        raise EditRefused("ParseError", f"the file is longer than {LONGEST} characters")
    try:
        return parses_to_tree(text)
    except LarkError as error:
        line = getattr(error, "line", None)
        raise EditRefused("ParseError", "the file is not valid HCL", line if isinstance(line, int) and line > 0 else 1) from None
    except RecursionError:
        raise EditRefused("ParseError", "the file nests too deeply", line_of(text, 0)) from None


def _body(body: Any, path: tuple[str, ...]) -> Iterator[HclValue]:
    heads = [_head(child) for child in body.children if _kind(child) == "block"]
    many, seen = Counter(heads), Counter[tuple[str, ...]]()
    for child in body.children:
        if _kind(child) == "attribute":
            yield from _expression(child.children[-1], (*path, str(child.children[0].children[0])))
        elif _kind(child) == "block":
            head = _head(child)
            number = (str(seen[head]),) if many[head] > 1 else ()
            seen[head] += 1
            for inner in child.children:
                if _kind(inner) == "body":
                    yield from _body(inner, (*path, *head, *number))


def _head(block: Any) -> tuple[str, ...]:
    names = []
    for child in block.children:
        if _kind(child) == "identifier":
            names.append(str(child.children[0]))
        elif _kind(child) == "string":
            names.append("".join(str(part) for part in child.scan_values(lambda one: getattr(one, "type", "") not in _QUOTES)))
    return tuple(names)


def _expression(node: Any, path: tuple[str, ...]) -> Iterator[HclValue]:
    while _kind(node) == "expr_term" and len(parts := [child for child in node.children if _kind(child) != "new_line_or_comment"]) == 1:
        node = parts[0]
    kind = _kind(node)
    if kind == "string":
        quotes = [child for child in node.children if getattr(child, "type", "") in _QUOTES]
        parts = [child for child in node.children if _kind(child) == "string_part"]
        plain = all(len(part.children) == 1 and getattr(part.children[0], "type", "") == "STRING_CHARS" for part in parts)
        value = "".join(str(part.children[0]) for part in parts) if plain else None
        if value is None or "\\" not in value:
            yield HclValue(path=path, value=value, start=quotes[0].end_pos, end=quotes[-1].start_pos)
    elif kind == "object":
        for element in node.children:
            if _kind(element) == "object_elem":
                key = "".join(str(one) for one in element.children[0].scan_values(lambda one: not hasattr(one, "data"))).strip(' "')
                yield from _expression(element.children[-1], (*path, key))
    elif kind == "function_call":
        arguments = next((child for child in node.children if _kind(child) == "arguments"), None)
        given = [child for child in getattr(arguments, "children", ()) if _kind(child) not in ("", "new_line_or_comment")]
        for index, argument in enumerate(given):
            yield from _expression(argument, (*path, str(index)))
    elif kind in ("tuple", "new_line_or_comment"):
        items = [child for child in node.children if _kind(child) not in ("", "new_line_or_comment")]
        for index, item in enumerate(items):
            yield from _expression(item, (*path, str(index)))
    elif (token := next(iter(node.scan_values(lambda one: not hasattr(one, "data"))), None)) is not None:
        yield HclValue(path=path, value=None, start=token.start_pos or 0, end=token.end_pos or 0)


def _kind(node: Any) -> str:
    return str(getattr(node, "data", ""))
