"""Texts at the edge of what is read: JSON that YAML parsers refuse, aliases that lead nowhere, depths and lengths, and their places."""

import pytest

from bot.yamltext import LIMITS, Mapping, Scalar, TextError, check_value, is_text, jsontext, read, walk
from bot.yamltext.second import reads_alike


def values(text: str) -> list[tuple[tuple[str | int, ...], str]]:
    return [(spot.path, str(spot.node.value)) for spot in walk(read(text).documents[0].root) if isinstance(spot.node, Scalar)]


@pytest.mark.parametrize(
    "text", ['{"a":\t"v1", "b": [1, {"c": "x\\u0041"}]}', '[{"a": "v1"}, "\\/"]', '{"a": "\\ud83d\\ude00"}', "{}", "[[]]"]
)
def test_json_is_read_as_json_whatever_yaml_makes_of_it(text: str) -> None:
    own = jsontext.read(text)
    assert own is not None
    found = [str(spot.node.value) for spot in walk(own.documents[0].root) if isinstance(spot.node, Scalar)]
    assert found == [value for _, value in values(text)]


@pytest.mark.parametrize("text", ["", "a: 1", '{"a": NaN}', "[Infinity]", '{"a": 1', '{"a": 1} x', '"text"', "7", "[" * 100_000])
def test_what_is_no_strict_json_is_none(text: str) -> None:
    assert not jsontext.is_json(text)
    assert jsontext.read(text) is None


def test_json_that_nests_too_deeply_or_names_a_key_twice_is_refused_with_its_place() -> None:
    with pytest.raises(TextError, match="nests deeper") as deep:
        jsontext.read("[" * 70 + "]" * 70)
    assert deep.value.code == "ParseError"
    with pytest.raises(TextError, match="lines 1 and 2") as twice:
        jsontext.read('{"a": {"b": 1, "c": 2},\n"d": 1, "a": 2}')
    assert (twice.value.code, twice.value.offset) == ("DuplicateKey", 32)


@pytest.mark.parametrize(
    ("text", "code", "what"),
    [
        ("a: *x\n", "ParseError", r"the alias \*x has no anchor before it"),
        ("a: &x [*x]\n", "ParseError", r"the alias \*x stands inside the node it names"),
        ("a: &x {b: {c: *x}}\n", "ParseError", r"the alias \*x stands inside the node it names"),
        ("a: 1\n? *k\n: 2\n", "ParseError", "has no anchor"),
        ("a: {{ x }}\n", "TemplateSyntax", "a template where YAML expects a value"),
        ("<<<<<<< ours\na: 1\n=======\na: 2\n>>>>>>> theirs\n", "ParseError", "unresolved merge conflict"),
        ("x" * (LIMITS.characters + 1), "ParseError", "longer than"),
        ("[" * 20_000, "ParseError", "nests deeper"),
        ("a: &x 1\nb: [" + "*x, " * (LIMITS.aliases + 1) + "]\n", "ParseError", "more than"),
    ],
)
def test_what_cannot_be_read_safely_is_refused_with_its_reason(text: str, code: str, what: str) -> None:
    with pytest.raises(TextError, match=what) as caught:
        read(text)
    assert caught.value.code == code


def test_marks_that_only_look_like_a_conflict_are_read() -> None:
    assert values("a: '<<<<<<< x'\n") == [(("a",), "<<<<<<< x")]


def test_keys_that_are_lists_stand_beside_each_other() -> None:
    root = read("? [a, b]\n: 1\n? [a, c]\n: 2\nd: 3\n").documents[0].root
    assert isinstance(root, Mapping)
    assert len(list(root.pairs())) == 3


def test_nothing_is_no_text() -> None:
    assert not is_text("")


@pytest.mark.parametrize("value", ["", " v", "v\n", "v\x00", "v" * 100_000])
def test_no_version_is_written_that_is_none(value: str) -> None:
    with pytest.raises(TextError) as caught:
        check_value(value)
    assert caught.value.code == "InvalidVersion"


@pytest.mark.parametrize(
    ("before", "after", "changed", "alike"),
    [
        ("a: 1\n", "a: 2\n", ("2",), True),
        ("a: 1\n", "a: 2\n", ("3",), False),
        ("a: 1\n", "a: 2\n", (), False),
        ("a: 1\n", "a: [2]\n", ("2",), False),
        ("a: 1\n", "a: 1\nb: 2\n", ("2",), False),
        ("a: [\n", "a: [\n", None, True),
        ("a: [\n", "a: [\n", ("1",), False),
        ("a: 1\n", "a: [\n", ("1",), False),
        ("%YAML 1.2\n---\na: 1\n", "%YAML 1.2\n---\na: 2\n", ("2",), True),
        ("%YAML 1.2\n---\na: 1\nb: 1\n", "%YAML 1.2\n---\na: 2\nb: 2\n", None, False),
    ],
)
def test_the_second_reader_sees_the_asked_change_or_none(before: str, after: str, changed: tuple[str, ...] | None, alike: bool) -> None:
    assert reads_alike(before, after, changed) is alike
