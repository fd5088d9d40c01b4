"""How instants, lists and names are written in every message."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

_TICKS = re.compile(r"`+")


def instant(at: datetime | None) -> str:
    """An instant for people, in UTC: `2026-11-20 14:05:07 UTC`; `an unknown time` when there is none."""
    return "an unknown time" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def listing(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) <= 1:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def code(text: str) -> str:
    """Text from outside inside a Markdown code span: it cannot mention, link or fire a command. Line ends and backticks are taken out."""
    clean = " ".join(text.replace("`", "ʼ").split())
    return f"`{clean}`" if clean else "``"


def plain(text: str) -> str:
    """Text from outside inside Markdown prose: signs that make links, mentions, HTML or tables are taken out of service."""
    clean = " ".join(text.split())
    for sign in "\\`*_[]<>|#~":
        clean = clean.replace(sign, f"\\{sign}" if sign != "<" else "&lt;")
    return clean.replace("@", "@\u200b")


def prose(text: str) -> str:
    """A sentence of ours with names and words from outside in it, on one line: it mentions nobody and holds no HTML.

    What stands in a code span (found as GitHub finds them) does neither, and stays as it is, so that a command in it can be copied.
    """
    line = " ".join(text.split())
    found: list[str] = []
    done = at = 0
    while (opening := _TICKS.search(line, at)) is not None:
        start = opening.start() + _escaped(line, opening.start(), done)
        at = opening.end()
        length = at - start
        closing = next((end for end in _TICKS.finditer(line, at) if len(end[0]) == length), None) if length else None
        if closing is not None:
            found += [_harmless(line[done:start]), line[start : closing.end()]]
            done = at = closing.end()
    return "".join([*found, _harmless(line[done:])])


def _escaped(line: str, place: int, since: int) -> bool:
    """Does an odd number of backslashes stand before this place?"""
    before = line[since:place]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _harmless(part: str) -> str:
    """Backticks that hold nothing together would pair with others further on."""
    return part.replace("`", "ʼ").replace("<", "&lt;").replace("@", "@\u200b")


def full(sentence: str, changer: str) -> str:
    """A sentence with who or what can change it, as two sentences; the second is left out where nobody is named."""
    first = sentence.strip()
    if first and first[-1] not in ".!?…`":
        first += "."
    return f"{first} Who or what can change it: {changer.strip().rstrip('.')}." if changer.strip() else first


def cause(reason: str) -> str:
    """A reason from outside, to stand inside of a sentence: without its full stop, and said to be missing where none was given."""
    return reason.strip().rstrip(".") or "no reason is given"
