"""The second reader's scanner, set up alone for speed, cuts every line as ruamel.yaml's own loader does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml.error import YAMLError
from ruamel.yaml.loader import BaseLoader
from ruamel.yaml.scanner import Scanner

from bot.yamltext.second import _Cutter, reads_alike

LINES = [
    "image: ghcr.io/acme/web:1.4.2  # keep",
    "- {name: web, newTag: 1.4.2}",
    'tag: "1.4.2"',
    "tag: '1.4''2'",
    "tag: |-\n  1.4.2\n",
    "a: [1, b:c, ?d, e]",
    "tag: 1:20",
    "? a\n: b",
    "a: &x 1\nb: *x",
    "a: !!str 1",
    "%YAML 1.1\n---\na: 1\n",
    "a: \u00e4\ud7ff",
    "a: 1\tb",
    "---\na\n...\n",
    "",
]


def cut(scanner: Scanner) -> list[tuple[str, object]] | str:
    """Its tokens, or how it refused."""
    try:
        while not scanner.done:
            scanner.fetch_more_tokens()
    except (YAMLError, ValueError, IndexError, AttributeError) as error:
        return type(error).__name__
    return [(type(token).__name__, getattr(token, "value", None)) for token in scanner.tokens]


@pytest.mark.parametrize("text", LINES)
def test_it_cuts_as_the_loader_does(text: str) -> None:
    assert cut(_Cutter(text)) == cut(BaseLoader(text, version=(1, 2)))


@given(st.text(alphabet="ab1.:-#?!&*|>'\"%@`{}[], \n\t\\\x85\u2028\ufeff", max_size=30))
def test_it_cuts_any_text_as_the_loader_does(text: str) -> None:
    def of(made: type[Scanner]) -> object:
        try:
            return cut(made(text) if made is _Cutter else BaseLoader(text, version=(1, 2)))
        except YAMLError as error:
            return type(error).__name__

    assert of(_Cutter) == of(BaseLoader)


def test_what_differs_in_more_than_it_should_is_told() -> None:
    assert reads_alike("a: v1", "a: v2", None)
    assert reads_alike("a: v1", "a: v1", ())
    assert not reads_alike("a: v1", "a: v2", ())
    assert not reads_alike("a: v1", "a: v1\nb: v2", ("v2",))
