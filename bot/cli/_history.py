"""Reads what the reporting commands have in common from the command line: the history file, the window, the instant.

Decides whether the words typed mean something, and refuses in one sentence if not. What is counted is left to `reporting`.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.cli._refusal import refuse
from bot.domain.history import History
from bot.domain.history_file import read_history
from bot.domain.history_json import HistoryError
from bot.domain.instants import parse_instant
from bot.reporting.windows import Window, midnight

if TYPE_CHECKING:
    from bot.config.schema import Config

USUAL_DAYS = 28
"""Four whole weeks: the window of the `dora` gate and of the alert rules too."""
EXAMPLE = '{"events": [{"t": "deploy", "id": "d1", ...}], "version_order": ["v1", "v2"]}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A window, and the instant it is to be seen at."""

    window: Window
    as_of: datetime


def asked(first: str | None, end: str | None, tz: str, as_of: str | None, *, as_json: bool) -> Asked:
    """The window and the instant that the options name; refuses with exit 2 what cannot be read.

    Without an end it ends with the instant's own day, without a first day it is `USUAL_DAYS` long.
    """
    zone = read_zone(tz, as_json=as_json)
    instant = read_instant(as_of, zone, as_json=as_json)
    today = instant.astimezone(zone).date().isoformat()
    day_after = _day(end, "--to", as_json) if end is not None else _day(today, "--as-of", as_json) + timedelta(days=1)
    begin = _day(first, "--from", as_json) if first is not None else day_after - timedelta(days=USUAL_DAYS)
    try:
        window = Window(first=begin, end=day_after, zone=zone)
    except ValueError as error:
        refuse(str(error), why="a window is half-open, from --from up to, but not with, --to", fix="give a later --to", as_json=as_json)
    return Asked(window=window, as_of=instant)


def read_events(name: str, *, as_json: bool) -> History:
    """The history in a file, `-` for standard input."""
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        refuse(f"{name} cannot be read", why=error.strerror or str(error), fix="name a history file, or - for stdin", as_json=as_json)
    try:
        text = raw.decode("utf-8")
        del raw  # a year of a large company is 50 MB: one copy is enough
        with without_pauses():
            return read_history(text)
    except UnicodeDecodeError as error:
        refuse(f"{name} is not UTF-8", why=f"byte {error.start}: {error.reason}", fix="save the file as UTF-8", as_json=as_json)
    except HistoryError as error:
        place = f"{name}: event {error.event}" if error.event is not None else name
        refuse(
            f"{place}, field {error.field}" if error.field else place,
            why=error.why,
            fix=f"mend it there (events count from 0); a history looks like {EXAMPLE}",
            as_json=as_json,
        )


@contextmanager
def without_pauses() -> Iterator[None]:
    """Keeps the garbage collector at rest: nothing of a history can be garbage, and looking for it takes a third of the time.

    What was made meanwhile is kept to the end of the command, and never looked at again.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if running:
            gc.enable()


def read_config(file: Path, *, as_json: bool) -> "Config":
    """The configuration; refuses with its first error's place."""
    from bot.config.load import check_file

    checked = check_file(file)
    if checked.config is None:
        first = checked.errors[0]
        refuse(f"{first.file}:{first.line}:{first.column}", why=first.what, fix=first.fix or "mend the configuration", as_json=as_json)
    return checked.config


def read_zone(name: str, *, as_json: bool) -> ZoneInfo:
    """The IANA zone of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        refuse(f"--tz {name!r} is not a time zone", why="zones are IANA names", fix="say UTC or Europe/Berlin", as_json=as_json)


def read_instant(text: str | None, zone: ZoneInfo, *, as_json: bool, option: str = "--as-of") -> datetime:
    """The instant of an option: RFC 3339, or a date for its local midnight; now where nothing is said."""
    if text is None:
        return datetime.now(UTC)
    try:
        return midnight(date.fromisoformat(text), zone) if len(text) == len("2025-01-31") else parse_instant(text)
    except ValueError as error:
        refuse(f"{option} {text!r} is not an instant", why=str(error), fix="write 2025-03-10T00:00:00Z", as_json=as_json)


def _day(text: str, option: str, as_json: bool) -> date:
    try:
        if len(text) != len("2025-01-31"):
            raise ValueError("dates are written year-month-day")
        found = date.fromisoformat(text)
        if not date(1971, 1, 1) <= found <= date(9000, 1, 1):
            raise ValueError("dates from 1971 to 9000 can be asked for")
        return found
    except ValueError as error:
        refuse(f"{option} {text!r} is not a date", why=str(error), fix="write it as 2025-01-31", as_json=as_json)
