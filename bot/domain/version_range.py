"""Ranges of semantic versions, as npm, Helm and Flux write them: `>=1.2 <2`, `^1.4.0`, `~1.4`, `1.x`, `>=1 || ^0.9`.

Decides whether a version's text is inside. A pre-release is inside only where the range itself names one of the same numbers, or where
pre-releases are asked for. https://github.com/npm/node-semver#ranges
"""

import re
from dataclasses import dataclass

from bot.domain.order import compare_tags

_TERM = re.compile(r"(>=|<=|!=|>|<|=|\^|~)?\s*[vV]?(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
_VERSION = re.compile(r"[vV]?(\d+)\.(\d+)(?:\.(\d+))?(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bound:
    sign: str
    numbers: tuple[int, ...]
    pre: str = ""

    def holds(self, version: str) -> bool:
        order = compare_tags(version, ".".join(map(str, self.numbers)) + self.pre)
        if order is None:
            return False
        return {">=": order >= 0, ">": order > 0, "<=": order <= 0, "<": order < 0, "=": order == 0, "!=": order != 0}[self.sign]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRange:
    """Alternatives, each of bounds that must all hold."""

    alternatives: tuple[tuple[_Bound, ...], ...]

    @classmethod
    def parse(cls, text: str) -> "VersionRange":
        """The range in a text. ValueError, with a sentence, when it is not one."""
        if len(text) > LONGEST:
            raise ValueError(f"this range is longer than {LONGEST} characters")
        return cls(alternatives=tuple(_bounds(part) for part in text.split("||")))

    def holds(self, tag: str, *, prereleases: bool = False) -> bool:
        """True when the tag is a semantic version inside of the range."""
        match = _VERSION.fullmatch(tag)
        if match is None:
            return False
        numbers = tuple(int(part or 0) for part in match.groups()[:3])
        plain = ".".join(map(str, numbers)) + (match[4] or "")
        for bounds in self.alternatives:
            named = prereleases or not match[4] or any(bound.pre and bound.numbers == numbers for bound in bounds)
            if named and all(bound.holds(plain) for bound in bounds):
                return True
        return False


def _bounds(text: str) -> tuple[_Bound, ...]:
    found: list[_Bound] = []
    place = 0
    text = text.strip()
    while place < len(text):
        match = _TERM.match(text, place)
        if match is None:
            raise ValueError(f"{text!r} is not a range of versions. Write for example >=1.2 <2, ^1.4 or ~1.4.2")
        found += _term(match[1] or "", match.groups()[1:4], match[5] or "")
        place = match.end()
        separator = re.compile(r"\s*,\s*|\s+|$").match(text, place)
        if separator is None:
            raise ValueError(f"{text!r} is not a range of versions. Put a space between its parts")
        place = separator.end()
    return tuple(found)


def _term(sign: str, parts: tuple[str | None, ...], pre: str) -> list[_Bound]:
    given: list[int] = []
    for part in parts:
        if part is None or not part.isdigit():
            break
        given.append(int(part))
    low = tuple(given + [0] * (3 - len(given)))
    if not given:
        return []
    if sign == "^":
        keep = next((place for place, number in enumerate(given) if number), len(given) - 1)
        return [_Bound(sign=">=", numbers=low, pre=pre), _Bound(sign="<", numbers=_up(low, keep), pre="-0")]
    if sign == "~":
        return [_Bound(sign=">=", numbers=low, pre=pre), _Bound(sign="<", numbers=_up(low, min(1, len(given) - 1)), pre="-0")]
    if len(given) == len(low):
        return [_Bound(sign=sign or "=", numbers=low, pre=pre)]
    high = _up(low, len(given) - 1)
    match sign:
        case "" | "=":
            return [_Bound(sign=">=", numbers=low), _Bound(sign="<", numbers=high, pre="-0")]
        case ">":
            return [_Bound(sign=">=", numbers=high)]
        case "<=":
            return [_Bound(sign="<", numbers=high, pre="-0")]
        case "<":
            return [_Bound(sign="<", numbers=low, pre="-0")]
        case ">=":
            return [_Bound(sign=">=", numbers=low)]
        case _:
            raise ValueError(f"{sign} needs a whole version with three numbers")


def _up(numbers: tuple[int, ...], place: int) -> tuple[int, ...]:
    return (*numbers[:place], numbers[place] + 1, *[0] * (len(numbers) - place - 1))
