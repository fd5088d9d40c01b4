"""Invariant 7: no value but the addressed one changes in a file, and nothing but its characters, for YAML 1.1 and 1.2 readers alike."""

import json
import os
from typing import Any

import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError as RuamelError

from bot.manifests import EditRefused, edit
from tests.support.yaml_texts import VERSIONS, texts

EXAMPLES = int(os.environ.get("EDIT_EXAMPLES", "250"))
"""Set it to ten thousands for a search at length."""
STR = "tag:yaml.org,2002:str"
CODES = {
    "ParseError", "NotUtf8", "TemplateSyntax", "DuplicateKey", "PathNotFound", "AmbiguousMatch", "NotAScalar", "UnsupportedScalar",
    "InvalidVersion", "DigestWouldBeStale", "ThroughAlias", "SharedAnchor",
}  # fmt: skip


Leaf = tuple[tuple[str, ...], str, str]


def leaves(node: Any, path: tuple[str, ...] = ()) -> list[Leaf]:
    """(path, resolved type, text) of every scalar, from a composed node of PyYAML or of ruamel.yaml."""
    if node.__class__.__name__ == "MappingNode":
        return [leaf for key, value in node.value for leaf in leaves(value, (*path, str(key.value)))]
    if node.__class__.__name__ == "SequenceNode":
        return [leaf for index, value in enumerate(node.value) for leaf in leaves(value, (*path, str(index)))]
    return [(path, str(node.tag), str(node.value))]


def pointer(path: tuple[str, ...]) -> str:
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in path)


def read_1_1(text: str) -> list[Leaf]:
    return leaves(yaml.compose(text, Loader=yaml.CSafeLoader))


def read_1_2(text: str) -> list[Leaf]:
    return leaves(YAML(typ="safe", pure=True).compose(text))


def changed(before: list[Leaf], path: tuple[str, ...], new: str) -> list[Leaf]:
    return [(one[0], STR, new) if one[0] == path else one for one in before]


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(text=texts(), new=VERSIONS, data=st.data())
def test_exactly_the_addressed_value_changes(text: str, new: str, data: st.DataObject) -> None:
    try:
        before_1_1, before_1_2 = read_1_1(text), read_1_2(text)
    except (yaml.YAMLError, RuamelError, ValueError):
        assume(False)
    assume(before_1_1)
    path = data.draw(st.sampled_from(before_1_1))[0]
    edited, refusal = attempt(text.encode(), {"pointer": pointer(path)}, new)
    if edited is None:
        assert refusal is not None
        assert refusal.code in CODES, refusal
        assert refusal.line >= 1
        assert refusal.message
        return
    if edited == text:
        assert any(one[0] == path and one[2] == new for one in before_1_1)
        return
    assert read_1_1(edited) == changed(before_1_1, path, new)
    assert read_1_2(edited) == changed(before_1_2, path, new)
    one_span(text, edited)
    if is_json(text):
        assert is_json(edited)


@settings(max_examples=EXAMPLES // 2, suppress_health_check=list(HealthCheck))
@given(parts=st.lists(texts(), min_size=2, max_size=4), new=VERSIONS, mark=st.sampled_from(["", "\ufeff"]), data=st.data())
def test_one_document_of_several_changes_behind_a_byte_order_mark_too(parts: list[str], new: str, mark: str, data: st.DataObject) -> None:
    text = "\n---\n".join(part.rstrip("\r\n") for part in parts) + "\n"
    try:
        before = [leaves(node) for node in yaml.compose_all(text, Loader=yaml.CSafeLoader)]
    except (yaml.YAMLError, ValueError):
        assume(False)
    index = data.draw(st.integers(0, len(before) - 1))
    assume(before[index])
    path = data.draw(st.sampled_from(before[index]))[0]
    edited, refusal = attempt((mark + text).encode(), {"pointer": pointer(path), "doc": {"index": index}}, new)
    if edited is None:
        assert refusal is not None
        assert refusal.code in CODES, refusal
        return
    assert edited.startswith(mark)
    edited = edited.removeprefix(mark)
    after = [leaves(node) for node in yaml.compose_all(edited, Loader=yaml.CSafeLoader)]
    if edited == text:
        assert any(one[0] == path and one[2] == new for one in before[index])
        return
    assert after == [changed(document, path, new) if place == index else document for place, document in enumerate(before)]
    one_span(text, edited)


def one_span(before: str, after: str) -> None:
    """All characters before and after one contiguous span are the same."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    tail = 0
    while tail < min(len(before), len(after)) - start and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    changed = before[start : len(before) - tail]
    assert "\n" not in changed
    assert "\r" not in changed


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


FORMS = st.sampled_from(["path", "pointer", "image", "kustomize", "marker", "regex", "doc", "old", "count", "embedded", "index", "hcl"])
ADDRESSES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FORMS, inner, max_size=3),
    max_leaves=6,
)
NEW_VALUES = (
    st.text(max_size=5) | st.none() | st.integers() | st.dictionaries(st.sampled_from(["tag", "digest", "name"]), st.text(max_size=5))
)


@settings(max_examples=EXAMPLES)
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode), address=ADDRESSES, new=NEW_VALUES)
def test_whatever_comes_in_is_answered_by_an_edit_or_a_refusal(content: bytes, address: Any, new: Any) -> None:
    edited, refusal = attempt(content, address, new)
    assert (edited is None) != (refusal is None)
    if refusal is not None:
        assert refusal.code
        assert refusal.message


def attempt(content: bytes, address: Any, new: Any) -> tuple[str | None, EditRefused | None]:
    """The edited text, or the refusal."""
    try:
        return edit(content, address, new).decode("utf-8"), None
    except EditRefused as refusal:
        return None, refusal
