"""Until when: `30m`, `4h`, `2d`, RFC 3339, or `2026-11-21 09:00 Europe/Berlin`. Pure; `now` is handed in.

Decides which instant a text means and refuses what is past, ambiguous or farther than a year.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.domain.duration import parse_duration
from bot.domain.instants import parse_instant

FARTHEST = timedelta(days=366)
_LOCAL = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(?::\d\d)? ([A-Za-z][A-Za-z0-9_+/-]{1,60})", re.ASCII)


def until(text: str, now: datetime) -> datetime | str:
    """The instant (UTC), or the sentence why it is none."""
    found = _instant(text.strip(), now)
    if isinstance(found, str):
        return found
    if found <= now:
        return f"`{_plain(text)}` is past."
    if found - now > FARTHEST:
        return f"`{_plain(text)}` is more than a year away."
    return found


def _instant(text: str, now: datetime) -> datetime | str:
    span = parse_duration(text)
    if span is not None:
        return now + span
    local = _LOCAL.fullmatch(text)
    if local is not None:
        return _in_zone(f"{local[1]} {local[2]}", local[3])
    try:
        return parse_instant(text)
    except ValueError:
        return f'`{_plain(text)}` is no time. Write `4h`, `2d`, `2026-11-21T09:00:00Z` or "2026-11-21 09:00 Europe/Berlin".'


def _in_zone(text: str, name: str) -> datetime | str:
    try:
        zone = ZoneInfo(name)
        local = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=zone)
        at = local.astimezone(UTC)
    except (ZoneInfoNotFoundError, ValueError, OSError, OverflowError):
        return f"`{_plain(text)} {_plain(name)}` is no time that exists; the zone is an IANA name such as Europe/Berlin."
    if at.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        return f"The clocks in {_plain(name)} skip {text}. Give another minute."
    if local.replace(fold=1).utcoffset() != local.utcoffset():
        return f"{text} happens twice in {_plain(name)}, because the clocks go back. Give the time with its offset, as in RFC 3339."
    return at


def _plain(text: str) -> str:
    return "".join(sign if sign.isprintable() and sign != "`" else "·" for sign in text)[:60]
