"""Spans of time as people write them: `90s`, `30m`, `4h`, `2d`, `1h30m`, `1w`, or ISO 8601 (`PT1H30M`, `P2D`).

Decides how a text becomes a span and how a span is told. Months and years have no fixed length and are refused.
"""

import re
from datetime import timedelta

LONGEST = timedelta(days=3660)

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PLAIN = re.compile(r"(?:(?P<w>\d{1,6})w)?(?:(?P<d>\d{1,6})d)?(?:(?P<h>\d{1,8})h)?(?:(?P<m>\d{1,8})m)?(?:(?P<s>\d{1,10})s)?", re.ASCII)
_ISO = re.compile(
    r"P(?:(?P<w>\d{1,6})W)?(?:(?P<d>\d{1,6})D)?(?:T(?=\d)(?:(?P<h>\d{1,8})H)?(?:(?P<m>\d{1,8})M)?(?:(?P<s>\d{1,10})S)?)?", re.ASCII
)


def parse_duration(text: str) -> timedelta | None:
    """The span that `text` means; None where it is none, or longer than ten years. A bare `0` is zero."""
    stripped = text.strip()
    if stripped == "0":
        return timedelta()
    match = _ISO.fullmatch(stripped) or _PLAIN.fullmatch(stripped.lower())
    if match is None or not any(match.groups()):
        return None
    span = timedelta(seconds=sum(int(number) * _SECONDS[unit] for unit, number in match.groupdict().items() if number))
    return span if span <= LONGEST else None


def spell(span: timedelta) -> str:
    """As people write it, exact to the second, rounded up: `2d 4h`, `47m`, `1h 30m`, `0s`. The inverse reads it without the blanks."""
    left = max(0, -(-span // timedelta(seconds=1)))
    parts = []
    for unit in ("d", "h", "m", "s"):
        number, left = divmod(left, _SECONDS[unit])
        if number:
            parts.append(f"{number}{unit}")
    return " ".join(parts) or "0s"
