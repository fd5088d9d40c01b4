"""Holidays and other calendar stops: an iCalendar text (RFC 5545) as spans of time.

Decides which events count (not cancelled, not marked as free time) and when they take place, repeats included. Where the text comes
from (a file read with the configuration, or an address that a collector asks) is left to others.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rruleset, rrulestr  # type: ignore[import-untyped]
from icalendar import Calendar as ParsedCalendar
from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.domain.facts import Answer, Case, Question
from bot.gates._calendar import HORIZON, Span, utc
from bot.gates._fields import HttpUrl

MOST_EVENTS = 5_000
MOST_REPEATS = 2_000
MOST_REPEATING = 200
MOST_SPANS = 20_000
EARLIEST_REPEAT = 1970
TOO_OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")


class Calendar(BaseModel):
    """An iCalendar: a `file` beside the configuration, an address (`url`) that is asked again and again, or its `text`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    file: str = ""
    """Path of an .ics file, counted from the configuration file. It is read when the configuration is."""
    url: HttpUrl | None = None
    """Where the calendar is published."""
    text: str = Field(default="", repr=False)
    """The calendar itself."""

    @model_validator(mode="after")
    def _one(self) -> "Calendar":
        if bool(self.url) == bool(self.file or self.text):
            raise ValueError("a calendar is either a `file`, a `url` or its `text`; write exactly one of these")
        if self.text:
            read(self.text, "UTC", date(2024, 1, 1))
        return self

    def questions(self) -> tuple[Question, ...]:
        """Only a published calendar has to be asked for."""
        return () if self.url is None else (Question(source="calendar", params=(("url", self.url),)),)

    def spans(self, zone: str, case: Case) -> tuple[tuple[Span, ...] | None, str]:
        """The events around now, in order; or None and why they are not known."""
        text: object = self.text
        if self.url is not None:
            answer = case.answers.get(self.questions()[0], Answer(at=case.now, problem="it has not been asked for yet"))
            if answer.value is None:
                return None, f"the calendar at {self.url} cannot be read: {answer.problem or 'there is no answer'}"
            text = answer.value
        if not isinstance(text, str) or not text:
            return None, f"the calendar {self.file or self.url} has not been read"
        try:
            return read(text, zone, case.now.astimezone(UTC).date()), ""
        except ValueError as error:
            return None, f"the calendar {self.file or self.url or ''} is not understood: {error}"


@lru_cache(maxsize=64)
def read(text: str, zone: str, day: date) -> tuple[Span, ...]:
    """All events from a year before `day` on, in order of their starts. ValueError when it is not a calendar we understand."""
    try:
        parsed = ParsedCalendar.from_ical(text)
        events: list[Any] = [event for event in parsed.walk("VEVENT") if _counts(event)]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"this is not an iCalendar text ({' '.join(str(error).split())[:120]})") from error
    if len(events) > MOST_EVENTS:
        raise ValueError(f"more than {MOST_EVENTS} events")
    repeating = [event for event in events if "RRULE" in event or "RDATE" in event]
    if len(repeating) > MOST_REPEATING or any(
        _wall(event["DTSTART"].dt).year < EARLIEST_REPEAT for event in repeating if "DTSTART" in event
    ):
        raise ValueError(f"more than {MOST_REPEATING} events repeat, or one has done so since before {EARLIEST_REPEAT}")
    begin = datetime.combine(day, time()) - timedelta(days=366)
    moved = {(str(event.get("UID")), _wall(event["RECURRENCE-ID"].dt)) for event in events if "RECURRENCE-ID" in event}
    found: list[Span] = []
    for event in events:
        found += _occurrences(event, ZoneInfo(zone), begin, moved)
        if len(found) > MOST_SPANS:
            raise ValueError("its events repeat too often")
    return tuple(sorted(found))


def _counts(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() != "CANCELLED" and str(event.get("TRANSP", "")).upper() != "TRANSPARENT"


def _wall(value: Any) -> datetime:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else datetime.combine(value, time())


def _occurrences(event: Any, zone: ZoneInfo, begin: datetime, moved: set[tuple[str, datetime]]) -> Iterator[Span]:
    if "DTSTART" not in event:
        raise ValueError(f"the event {str(event.get('SUMMARY', ''))[:60]!r} has no DTSTART")
    start = event["DTSTART"].dt
    length = _length(event, start)
    own = start.tzinfo if isinstance(start, datetime) else None
    for wall in _starts(event, _wall(start), begin):
        if "RECURRENCE-ID" not in event and (str(event.get("UID")), wall) in moved:
            continue
        first, last = (_instant(moment, own, zone, fold=fold) for fold, moment in enumerate((wall, wall + length)))
        if last > first:
            yield first, last


def _instant(wall: datetime, own: Any, zone: ZoneInfo, *, fold: int) -> datetime:
    if own is None or isinstance(own, ZoneInfo):
        return utc(wall, own or zone, fold=fold)
    return wall.replace(tzinfo=own).astimezone(UTC)


def _length(event: Any, start: Any) -> timedelta:
    if "DTEND" in event:
        return _wall(event["DTEND"].dt) - _wall(start)
    if "DURATION" in event:
        return timedelta(seconds=event["DURATION"].dt.total_seconds())
    return timedelta(0) if isinstance(start, datetime) else timedelta(days=1)


def _starts(event: Any, start: datetime, begin: datetime) -> list[datetime]:
    """When the event begins, repeats included, on its own wall clock."""
    if "RRULE" not in event and "RDATE" not in event:
        return [start]
    repeats = rruleset()
    repeats.rdate(start)
    for rule in _listed(event.get("RRULE")):
        text = rule.to_ical().decode()
        if any(often in text for often in TOO_OFTEN):
            raise ValueError("an event repeats more often than daily")
        repeats.rrule(rrulestr(_without_zone(text), dtstart=start))
    for dates, add in ((event.get("RDATE"), repeats.rdate), (event.get("EXDATE"), repeats.exdate)):
        for group in _listed(dates):
            for moment in group.dts:
                add(_wall(moment.dt))
    found = repeats.between(begin, begin + 3 * HORIZON, inc=True)
    if len(found) > MOST_REPEATS:
        raise ValueError("an event repeats too often")
    return list(found)


def _without_zone(rule: str) -> str:
    """UNTIL in UTC does not fit a wall clock in dateutil's eyes: take its Z away; a day more or less ends no holiday."""
    return ";".join(part.removesuffix("Z") if part.startswith("UNTIL=") else part for part in rule.split(";"))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
