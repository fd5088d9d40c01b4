"""The last guard before an edit is written: whatever else would read differently afterwards, for whichever reader, is refused."""

from collections.abc import Iterator

import pytest

from bot.yamltext import Scalar, Splice, Text, TextError, apply, line_of, read, verify, walk


def scalars(source: Text) -> Iterator[Scalar]:
    for document in source.documents:
        yield from (spot.node for spot in walk(document.root) if isinstance(spot.node, Scalar))


def checked(text: str, old: str, written: str, value: str | None = None, *, more: tuple[str, str] | None = None) -> str:
    """`verify` of a text in which `old` was replaced by `written`, said to mean `value`; `more` is a change that nobody asked for."""
    source = read(text)
    splices = [Splice(start=text.index(old), end=text.index(old) + len(old), text=written)]
    if more is not None:
        splices.append(Splice(start=text.rindex(more[0]), end=text.rindex(more[0]) + len(more[0]), text=more[1]))
    edited = apply(text, splices)
    [node] = [one for one in scalars(source) if one.value == old.strip("'\"")]
    verify(source, edited, {id(node): value if value is not None else written}, splices)
    return edited


@pytest.mark.parametrize(
    ("text", "old", "written", "value"),
    [
        ("tag: v1 # keep\n", "v1", "v2", None),
        ("a: &x v1\nb: *x\n", "v1", "v2", None),
        ("{a: v1, b: [v3]}\n", "v1", "v2", None),
        ('a: "v1"\r\nb: 2\r\n', '"v1"', '"1.10"', "1.10"),
        ("a: v1\n", "v1", '"1.10"', "1.10"),
        ('{"a": "v1", "b": 2}', '"v1"', '"v2"', "v2"),
        ("%YAML 1.1\n---\na: v1\n", "v1", "v2", None),
        ("a: v1\nb: '\u2028'\n", "v1", "v2", None),
    ],
)
def test_exactly_the_asked_change_passes(text: str, old: str, written: str, value: str | None) -> None:
    assert checked(text, old, written, value) == text.replace(old, written)


REFUSED: list[tuple[str, str, str, str, str | None, tuple[str, str] | None]] = [
    ("another value changes with it", "a: v1\nb: w1\n", "v1", "v2", None, ("w1", "w2")),
    ("another value's quotes change", "a: v1\nb: w1\n", "v1", "v2", None, ("w1", "'w1'")),
    ("a key changes", "a: v1\nb: w1\n", "v1", "v2", None, ("b", "c")),
    ("an anchor is renamed", "a: v1\nb: &x [1]\n", "v1", "v2", None, ("&x", "&y")),
    ("a scalar's anchor is renamed", "a: v1\nb: &x 1\n", "v1", "v2", None, ("&x", "&y")),
    ("a tag is added to a map", "a: v1\nb: {}\n", "v1", "v2", None, ("{}", "!x {}")),
    ("an alias leads elsewhere", "x: &x 1\ny: &y 2\na: v1\nb: *x\n", "v1", "v2", None, ("*x", "*y")),
    ("a scalar becomes a list", "a: v1\nb: w1\n", "v1", "[v2]", "v2", None),
    ("something is added at the end", "a: v1\nb: w1\n", "v1", "v2", None, ("w1\n", "w1\nc: 1\n")),
    ("something is gone from the end", "a: v1\nb: [1, 2]\n", "v1", "v2", None, (", 2", "")),
    ("the value is a number now", "a: v1\n", "v1", "1.10", None, None),
    ("the value is true now", "a: v1\n", "v1", "yes", None, None),
    ("the value means something else", "a: v1\n", "v1", "v3", "v2", None),
    ("the value gets a tag of its own", "a: v1\n", "v1", "!x v2", "v2", None),
    ("the value gets an anchor", "a: v1\n", "v1", "&x v2", "v2", None),
    ("a comment swallows what follows", "{a: v1, b: 2}\n", "v1", "v2 #", "v2", None),
    ("it is no YAML any more", "a: v1\n", "v1", "v2: {", None, None),
    ("it is no JSON any more", '{"a": "v1"}', '"v1"', "v2", "v2", None),
    ("a reader of YAML 1.2 takes the line for a comment", "a: v1 # c\u2028b: w1\n", "w1", "w2", None, None),
]


@pytest.mark.parametrize(("text", "old", "written", "value", "more"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_whatever_else_changes_is_refused(text: str, old: str, written: str, value: str | None, more: tuple[str, str] | None) -> None:
    with pytest.raises(TextError) as caught:
        checked(text, old, written, value, more=more)
    assert caught.value.code == "UnsupportedScalar"
    assert caught.value.message.startswith("nothing was written")


def test_a_change_of_nothing_is_nothing_and_one_that_nobody_asked_for_is_refused() -> None:
    source = read("a: v1\nb: w1\n")
    verify(source, source.text, {}, [])
    verify(source, source.text, {}, [Splice(start=3, end=5, text="v1")])
    with pytest.raises(TextError):
        verify(source, "a: v2\nb: w1\n", {}, [Splice(start=3, end=5, text="v2")])


def test_a_value_that_was_never_there_is_not_found_again() -> None:
    source = read("a: v1\n")
    with pytest.raises(TextError, match="would not be found again"):
        verify(source, "a: v1\n", {1: "v1"}, [])


def test_comments_may_change_where_no_value_does() -> None:
    text = "a: v1 # m: w1\n"
    splice = Splice(start=text.index("w1"), end=text.index("w1") + 2, text="w2")
    verify(read(text), apply(text, [splice]), {}, [splice])


def test_changes_that_overlap_are_refused_with_their_place() -> None:
    with pytest.raises(TextError) as caught:
        apply("abcdef", [Splice(start=0, end=3, text="x"), Splice(start=2, end=4, text="y")])
    assert (caught.value.code, caught.value.offset) == ("AmbiguousMatch", 2)


@pytest.mark.parametrize(("offset", "line"), [(-1, 1), (0, 1), (1, 1), (2, 2), (3, 2), (5, 3), (6, 3), (7, 4), (99, 4)])
def test_lines_end_as_editors_end_them(offset: int, line: int) -> None:
    assert line_of("a\nb\r\nc\rd", offset) == line
