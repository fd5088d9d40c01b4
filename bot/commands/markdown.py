"""Which lines of a comment stand at column 0 of a top-level paragraph, where alone a command may stand.

Block structure is markdown-it's (its rules for inline marks, references and tables are off: on hostile input they are slow); code spans and
inline HTML that reach over several lines, and tables, are found by a linear scan of our own. What a line means is left to `grammar`.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.common.html_re import HTML_TAG_RE
from markdown_it.token import Token

LONGEST = 1 << 16
"""Signs of a comment that are looked at; GitHub takes no more."""

MOST_LINES = 10_000
"""Lines that are looked at; the paragraph in which the cut falls is not."""

_MARK = re.compile(r"`+|<")
_DETAILS = re.compile(r"<(/?)(?:details|template|script|style|pre|textarea)\b", re.IGNORECASE)


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": 20}).disable("reference")
    parser.core.ruler.disable(["inline", "text_join"])
    return parser


def paragraph_lines(text: str) -> list[tuple[int, str]]:
    """(line number from 1, line) of all lines of top-level paragraphs that are not inside code, HTML, or a folded part."""
    lines = text[:LONGEST].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cut = len(lines) > MOST_LINES
    lines = lines[:MOST_LINES]
    found: list[tuple[int, str]] = []
    folded = 0
    for token in _parser().parse("\n".join(lines)):
        if token.level:
            continue
        if token.type == "html_block":
            folded = max(0, folded + _folds(token))
        elif token.type == "paragraph_open" and not folded and token.map is not None:
            begin, end = token.map
            found += _visible(lines, begin, end) if not cut or end < MOST_LINES else []
    return found


def _folds(token: Token) -> int:
    return sum(-1 if match[1] else 1 for match in _DETAILS.finditer(token.content))


def _visible(lines: list[str], begin: int, end: int) -> list[tuple[int, str]]:
    text = "\n".join(lines[begin:end])
    hidden = _hidden(text)
    starts = [span[0] for span in hidden]
    found: list[tuple[int, str]] = []
    links = _Links(text)
    position = 0
    for number in range(begin, _table(lines, begin, end)):
        place = bisect_right(starts, position) - 1
        if (place < 0 or hidden[place][1] <= position) and not links.hide(position):
            found.append((number + 1, lines[number]))
        links.pass_by(lines[number])
        position += len(lines[number]) + 1
    return found


class _Links:
    """Whether a line begins inside of what a reader does not see: a link's address or title, an image's words, a reference's title.

    Generous: what only looks like one hides as well, as long as what would end it follows.
    """

    def __init__(self, text: str) -> None:
        self._last = {sign: text.rfind(sign) for sign in ")]\"'"}
        self._open: dict[str, bool] = dict.fromkeys(self._last, False)
        self._reference = False

    def hide(self, position: int) -> bool:
        """Does the line that begins here stand in one?"""
        return any(self._last[sign] >= position for sign, still_open in self._open.items() if still_open)

    def pass_by(self, line: str) -> None:
        """Go on behind this line."""
        for begins, ends in (("](", ")"), ("![", "]")):
            place = line.rfind(begins)
            self._open[ends] = ends not in line[place + 2 :] if place >= 0 else self._open[ends] and ends not in line
        self._reference = self._reference or (line.lstrip(" ").startswith("[") and "]:" in line)
        for quote in "\"'":
            if self._reference and line.count(quote) % 2:
                self._open[quote] = not self._open[quote]


def _table(lines: list[str], begin: int, end: int) -> int:
    """The line at which a table begins inside a paragraph, or its end: a row of dashes under a row of as many cells."""
    for number in range(begin + 1, end):
        row = lines[number].strip()
        ruled = "-" in row and ("|" in row or ":" in row) and not set(row) - set("|-: \t")
        if ruled and _cells(row) == _cells(lines[number - 1].strip()):
            return number - 1
    return end


def _cells(row: str) -> int:
    bars = row.count("|") - row.count("\\|")
    return bars + 1 - row.startswith("|") - (row.endswith("|") and not row.endswith("\\|") and len(row) > 1)


def _hidden(text: str) -> list[tuple[int, int]]:
    """Spans of code and inline HTML, from left to right, none inside another."""
    runs: dict[int, list[int]] = defaultdict(list)
    for match in _MARK.finditer(text):
        if match[0] != "<":
            runs[len(match[0])].append(match.start())
    spans: list[tuple[int, int]] = []
    end = 0
    comments_close = True
    for match in _MARK.finditer(text):
        start, mark = match.start(), match[0]
        if start < end:
            continue
        escaped = _escaped(text, start)
        if mark == "<":
            if escaped:
                continue
            if text.startswith("<!--", start):
                close = text.find("-->", start + 4) if comments_close else -1
                comments_close = close >= 0
                stop = close + 3 if close >= 0 else 0
            else:
                stop = _tag_end(text, start)
        else:
            stop = _code_end(runs, start + escaped, len(mark) - escaped)
        if stop > start:
            spans.append((start, stop))
            end = stop
    return spans


def _escaped(text: str, position: int) -> int:
    """1 when an odd number of backslashes stands before."""
    count = 0
    while position > count and text[position - count - 1] == "\\":
        count += 1
    return count % 2


def _code_end(runs: dict[int, list[int]], start: int, length: int) -> int:
    """Where the code span that begins here ends: after the next run of just as many backticks; 0 when there is none."""
    places = runs.get(length, []) if length else []
    place = bisect_right(places, start)
    return places[place] + length if place < len(places) else 0


def _tag_end(text: str, start: int) -> int:
    match = HTML_TAG_RE.match(text[start : start + 2_000])
    return start + match.end() if match else 0
