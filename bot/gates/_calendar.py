"""Recurring and fixed spans of time on a wall clock: is an instant inside one, and when does that change next.

Decides with a zone's own rules. A period is what the wall clock shows between its start and its end, so that 09:00 for 8 h ends
at 17:00 on every day of the year. A start or end that the clock skips in spring is the moment of the jump. An hour that the
clock shows twice in autumn: a `wide` period (a freeze) covers both, a narrow one (a window) only the first.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from croniter import CroniterError, croniter
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.domain.duration import spell
from bot.gates._fields import PositiveDuration

Span = tuple[datetime, datetime]
"""From (inclusive) to (exclusive), both UTC."""

HORIZON = timedelta(days=750)
MOST_SPANS = 3_000
SLACK = timedelta(days=2)
LONGEST_PERIOD = timedelta(days=366)
FIELDS = 5
SECOND = timedelta(seconds=1)
A_DAY = timedelta(days=1)


def _cron(value: str) -> str:
    if len(value.split()) != FIELDS:
        raise ValueError("a cron line has five fields: minute hour day month weekday, for example 0 9 * * mon-fri")
    try:
        croniter(value, datetime(2024, 1, 1), max_years_between_matches=8).get_next(datetime)  # noqa: DTZ001  wall clock
    except (CroniterError, ValueError, KeyError) as error:
        raise ValueError(f"this cron line never comes true or cannot be read ({error}). Write for example 0 9 * * mon-fri") from error
    return value


def _wall(value: Any) -> Any:
    """An instant as people write it, on the wall clock of the gate's zone or with an offset of its own."""
    if not isinstance(value, str):
        return value
    try:
        read = datetime.fromisoformat(value.strip())
    except ValueError as error:
        raise ValueError(f"there is no such date or time ({error}). Write for example 2026-12-24T18:00") from error
    if "T" not in value.upper() and " " not in value.strip():
        raise ValueError("a time is missing here: write 2026-12-24T00:00, or use `days` for whole days")
    return read


def _day(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value.strip())
    except ValueError as error:
        raise ValueError(f"there is no such day ({error}). Write for example 2026-12-24") from error


Wall = Annotated[datetime, BeforeValidator(_wall)]


class Period(BaseModel):
    """One span of time, or a recurring one: `cron` with `for`, or `from` with `until`, or whole `days`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    cron: Annotated[str, AfterValidator(_cron)] | None = None
    """When it begins, as a cron line on the wall clock: minute hour day month weekday."""
    span: PositiveDuration | None = Field(default=None, alias="for")
    """How long it lasts, on the wall clock."""
    start: Wall | None = Field(default=None, alias="from")
    """When it begins, once."""
    until: Wall | None = None
    """When it ends (this instant is outside)."""
    days: tuple[Annotated[date, BeforeValidator(_day)], ...] = ()
    """Whole days, from midnight to midnight."""
    reason: str = ""
    """Why: shown to everybody who waits."""

    @model_validator(mode="after")
    def _one_form(self) -> "Period":
        forms = (self.cron is not None or self.span is not None, self.start is not None or self.until is not None, bool(self.days))
        if sum(forms) != 1:
            raise ValueError("a period is either `cron` with `for`, or `from` with `until`, or `days`; write exactly one of these")
        if forms[0] and (self.cron is None or self.span is None):
            raise ValueError("`cron` says when a period begins and `for` how long it lasts; write both")
        if forms[1] and (self.start is None or self.until is None):
            raise ValueError("a period needs both `from` and `until`")
        if self.start is not None and self.until is not None and (self.start.tzinfo is None) != (self.until.tzinfo is None):
            raise ValueError("`from` and `until` must both have an offset, or none of them")
        if self.start is not None and self.until is not None and self.until <= self.start:
            raise ValueError("this period ends before it begins: `until` must be later than `from`")
        if self.span is not None and self.span > LONGEST_PERIOD:
            raise ValueError("a recurring period lasts a year at most")
        return self

    def told(self) -> str:
        """In a few words, for sentences."""
        if self.cron is not None and self.span is not None:
            return f"`{self.cron}` for {spell(self.span)}"
        if self.days:
            return ", ".join(str(day) for day in self.days)
        return f"{self.start:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M}"


def utc(wall: datetime, zone: ZoneInfo, *, fold: int) -> datetime:
    """The instant at which the zone's clock shows `wall`; where it skips it, the moment of the jump. `fold` 1: the second time."""
    placed = wall.replace(tzinfo=zone, fold=fold)
    instant = placed.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    before, after = (wall.replace(tzinfo=zone, fold=side).utcoffset() or timedelta() for side in (0, 1))
    low = (wall - max(before, after)).replace(tzinfo=UTC, microsecond=0)
    high = (wall - min(before, after)).replace(tzinfo=UTC, microsecond=0)
    while high - low > SECOND:
        middle = low + (high - low) // SECOND // 2 * SECOND
        if middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset():
            low = middle
        else:
            high = middle
    return high


def spans(period: Period, zone: ZoneInfo, *, wide: bool, after: datetime) -> Iterator[Span]:
    """The period's spans that end after this instant, in order; for a recurring one without end."""
    for start, end in _walls(period, zone, after):
        first = start.astimezone(UTC) if start.tzinfo else utc(start, zone, fold=0)
        last = end.astimezone(UTC) if end.tzinfo else utc(end, zone, fold=1 if wide else 0)
        if last > after and last > first:
            yield first, last


def _walls(period: Period, zone: ZoneInfo, after: datetime) -> Iterator[tuple[datetime, datetime]]:
    if period.cron is not None and period.span is not None:
        begin = after.astimezone(zone).replace(tzinfo=None) - period.span - SLACK
        starts = croniter(period.cron, begin, max_years_between_matches=8)
        while True:
            start = starts.get_next(datetime)
            yield start, start + period.span
    elif period.days:
        for day in sorted(period.days):
            midnight = datetime.combine(day, time())
            yield midnight, midnight + timedelta(days=1)
    elif period.start is not None and period.until is not None:
        yield period.start, period.until


def look(merged: Sequence[Span], now: datetime) -> tuple[bool, datetime | None]:
    """Is `now` inside one of these spans (in order, apart from each other), and when does that end or the next begin.

    None: not within about two years.
    """
    limit = now + HORIZON
    for start, end in merged:
        if now < start:
            return False, start if start <= limit else None
        if now < end:
            return True, end if end <= limit else None
    return False, None


def merge(sources: Iterable[Iterable[Span]], begin: datetime, *, reach: timedelta = A_DAY) -> tuple[Span, ...]:
    """The union of sources that each yield their spans in order: overlapping and touching ones are one.

    As many as are needed to judge every instant of `reach` after `begin`, and one beyond; one without a foreseeable end ends far away.
    """
    merged: list[Span] = []
    for number, (start, end) in enumerate(heapq.merge(*sources)):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            if merged and merged[-1][0] > begin + reach:
                break
            merged.append((start, end))
        if number > MOST_SPANS:
            merged[-1] = (merged[-1][0], begin + 3 * HORIZON)
        if merged[-1][1] > begin + 2 * HORIZON:
            break
    return tuple(merged)


def without(spans_in: Sequence[Span], holes: Sequence[Span]) -> tuple[Span, ...]:
    """The first spans with the second cut out; both in order and apart."""
    left: list[Span] = []
    for start, end in spans_in:
        begin = start
        for hole_start, hole_end in holes:
            if hole_end <= begin or hole_start >= end:
                continue
            if begin < hole_start:
                left.append((begin, hole_start))
            begin = hole_end
        if begin < end:
            left.append((begin, end))
    return tuple(left)


@lru_cache(maxsize=512)
def _outlook(periods: tuple[Period, ...], zone: str, wide: bool, day: date, reach: timedelta) -> tuple[Span, ...]:
    rules = ZoneInfo(zone)
    begin = datetime.combine(day, time(), UTC)
    return merge((spans(period, rules, wide=wide, after=begin) for period in periods), begin, reach=reach)


def midnight(now: datetime) -> datetime:
    """The beginning of the day (UTC) that `now` falls on."""
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC)


def periods_at(periods: tuple[Period, ...], zone: str, now: datetime, *, wide: bool, reach: timedelta = A_DAY) -> tuple[Span, ...]:
    """The merged spans of the periods that matter from `now` on, in order; kept in memory per day, since thousands ask the same."""
    return _outlook(periods, zone, wide, midnight(now).date(), reach)
