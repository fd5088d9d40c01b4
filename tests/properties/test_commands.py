"""What counts as a command, against markdown-it's whole reading of the same text: nothing fires that a reader sees as code or quote."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.commands.grammar import MOST, Address, read
from bot.commands.shelf import verbs

PIECES = [
    "`", "``", "```", "```sh\n", "~~~", "> ", ">", "- ", "* ", "1. ", "    ", "\t", " ", "<!--", "-->", "<details>", "</details>",
    "<summary>", "<b", "<a title=\"", "\">", ">", "</a>", "<pre>", "</pre>", "<div>", "|", "|---|", "| a |", "\\", "\n", "\n",
    "\n\n", "\r\n", "text", "*", "**", "_", "#", "# ", "===", "---", "[", "](x)", "](", "![", "&lt;", "<https://x>", "[a]: x", "'",
    "\"", "@", "\u200b", "\ufeff", "!",
]  # fmt: skip
LONE = "\n/promote why g{}\n"
pieces = st.lists(st.one_of(st.sampled_from(PIECES), st.just(LONE), st.just("/promote why g{}")), max_size=40)


def written(parts: list[str]) -> str:
    """The text, in which each command has a number of its own."""
    return "".join(part.format(place) if "{}" in part else part for place, part in enumerate(parts))


def visible(text: str) -> set[str]:
    """The beginnings of lines that stand as plain text at the edge of a top-level paragraph, by a reading of the whole text."""
    found: set[str] = set()
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "inline" and token.level == 1:
            found |= beginnings(token.children or [])
    return found


def beginnings(children: list[Token]) -> set[str]:
    """Emphasis and links around a line do not keep it from being read; code, HTML and the words of images do."""
    found, fresh = set(), True
    for child in children:
        if child.type == "text" and fresh and child.content:
            found.add(child.content)
        fresh = child.type in ("softbreak", "hardbreak") or (fresh and child.type == "text" and not child.content)
    return found


@settings(max_examples=400)
@given(pieces)
def test_nothing_fires_that_a_reader_does_not_see_at_the_beginning_of_a_line(parts: list[str]) -> None:
    text = written(parts)
    seen = visible(text)
    for call in read(text, verbs()).calls:
        number = re.match(r"why g\d+", call.text)
        if number is not None:
            line = f"/promote {number[0]}"
            assert any(one.startswith(line) for one in seen), (text, line, seen)


@settings(max_examples=200)
@given(pieces, st.booleans())
def test_reading_is_the_same_each_time_and_never_more_than_ten(parts: list[str], bare: bool) -> None:
    text = written(parts)
    address = Address(bare=bare)
    found = read(text, verbs(), address=address)
    assert found == read(text, verbs(), address=address)
    assert len(found.calls) <= MOST
    assert (found.left_out > 0) <= (len(found.calls) == MOST)
    assert len(read(text, verbs()).calls) <= len(read(text, verbs(), address=Address(bare=True)).calls)
    for call in found.calls:
        assert 1 <= call.line <= text.count("\n") + text.count("\r") + 1
