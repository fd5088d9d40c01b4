"""Instants as people and machines write them: RFC 3339 in, UTC out.

Decides whether a text is an instant and which one. Zones, windows and calendars are left to the reports.
"""

import re
from datetime import UTC, datetime, timedelta

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_instant(text: object) -> datetime:
    """The instant that an RFC 3339 text with an offset names, in UTC, to the microsecond (finer digits are cut off).

    A leap second (`:60`) is the first instant of the next minute. Raises ValueError with a sentence for anything else.
    """
    if isinstance(text, str) and len(text) == 20 and text[4::3] == "--T::Z":
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # told below, in full
    if not isinstance(text, str) or not _RFC3339.fullmatch(text):
        raise ValueError(f"{text!r} is not an instant in RFC 3339 with an offset, such as 2025-03-05T14:00:00Z")
    leap = text[17:19] == "60"
    written = (text[:17] + "59" + text[19:] if leap else text).upper()
    try:
        found = datetime.fromisoformat(written).astimezone(UTC)
        return found.replace(microsecond=0) + timedelta(seconds=1) if leap else found
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not an instant that exists: {error}") from None


def format_instant(instant: datetime) -> str:
    """RFC 3339 in UTC with `Z`; fractions of a second only where there are some."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
