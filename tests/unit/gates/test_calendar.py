"""Windows and freezes on wall clocks: both changes of the clock, overlaps, holidays, exact edges."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.directive import Order
from bot.domain.verdict import Outcome
from bot.gates import evaluate_revert
from tests.support.builders import NOW
from tests.support.cases import answered, case, gate, judge, order

BERLIN = "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def frozen(now: str | datetime, *during: dict[str, Any], zone: str = BERLIN, **more: Any) -> tuple[bool, datetime | None]:
    at = utc(now) if isinstance(now, str) else now
    verdict = judge(gate("freeze", zone=zone, during=list(during), **more), case(now=at))
    return not verdict.lets_pass, verdict.look_again


def allowed(now: str, *periods: dict[str, Any], zone: str = BERLIN, **more: Any) -> tuple[bool, datetime | None]:
    verdict = judge(gate("window", zone=zone, open=list(periods), **more), case(now=utc(now)))
    return verdict.lets_pass, verdict.look_again


OFFICE = {"cron": "0 9 * * mon-fri", "for": "8h"}


def test_a_window_opens_and_closes_on_the_minute_and_wakes_at_the_edge() -> None:
    # 2026-11-20 is a Friday; Berlin is UTC+1
    assert allowed("2026-11-20T07:59:59", OFFICE) == (False, utc("2026-11-20T08:00:00"))
    assert allowed("2026-11-20T08:00:00", OFFICE) == (True, utc("2026-11-20T16:00:00"))
    assert allowed("2026-11-20T15:59:59", OFFICE) == (True, utc("2026-11-20T16:00:00"))
    assert allowed("2026-11-20T16:00:00", OFFICE) == (False, utc("2026-11-23T08:00:00"))


def test_the_same_wall_clock_in_summer_and_winter() -> None:
    assert allowed("2026-07-01T06:59:00", OFFICE)[0] is False
    assert allowed("2026-07-01T07:00:00", OFFICE) == (True, utc("2026-07-01T15:00:00"))
    assert allowed("2026-07-01T13:00:00", OFFICE, zone="America/New_York") == (True, utc("2026-07-01T21:00:00"))


def test_a_weekend_over_the_change_of_the_clock_ends_on_the_wall_clock() -> None:
    weekend = {"cron": "0 17 * * fri", "for": "63h"}  # to Monday 08:00
    assert frozen("2026-03-28T12:00:00", weekend) == (True, utc("2026-03-30T06:00:00"))  # spring: UTC+2 by then
    assert frozen("2026-10-24T12:00:00", weekend) == (True, utc("2026-10-26T07:00:00"))  # autumn: UTC+1 by then


def test_a_start_that_the_clock_skips_is_the_moment_of_the_jump() -> None:
    night = {"cron": "30 2 * * *", "for": "1h"}
    # 2026-03-29 in Berlin: 02:00 becomes 03:00 at 01:00 UTC
    assert frozen("2026-03-29T00:59:59", night) == (False, utc("2026-03-29T01:00:00"))
    assert frozen("2026-03-29T01:00:00", night) == (True, utc("2026-03-29T01:30:00"))
    assert frozen("2026-03-29T01:30:00", night)[0] is False


def test_an_end_that_the_clock_skips_is_the_moment_of_the_jump() -> None:
    assert frozen("2026-03-29T00:30:00", {"cron": "0 1 * * *", "for": "90m"}) == (True, utc("2026-03-29T01:00:00"))


def test_a_period_that_the_clock_skips_altogether_does_not_happen() -> None:
    inside = {"cron": "15 2 * * *", "for": "30m"}
    for minute in range(0, 180, 5):
        at = utc("2026-03-29T00:00:00") + timedelta(minutes=minute)
        assert frozen(at, inside)[0] is False


def test_an_hour_that_comes_twice_is_frozen_twice_and_open_once() -> None:
    night = {"cron": "0 2 * * *", "for": "1h"}
    # 2026-10-25 in Berlin: 03:00 becomes 02:00 at 01:00 UTC; 02:00 is 00:00 and 01:00 UTC
    assert frozen("2026-10-24T23:59:59", night)[0] is False
    assert frozen("2026-10-25T00:00:00", night)[0] is True
    assert frozen("2026-10-25T01:30:00", night) == (True, utc("2026-10-25T02:00:00"))
    quarter = {"cron": "15 2 * * *", "for": "30m"}
    assert allowed("2026-10-25T00:15:00", quarter) == (True, utc("2026-10-25T00:45:00"))
    assert allowed("2026-10-25T01:15:00", quarter)[0] is False
    assert frozen("2026-10-25T01:00:00", quarter) == (True, utc("2026-10-25T01:45:00"))


def test_overlapping_and_touching_periods_are_one() -> None:
    a, b, c = {"cron": "0 9 * * *", "for": "2h"}, {"cron": "30 10 * * *", "for": "1h"}, {"cron": "30 11 * * *", "for": "30m"}
    assert frozen("2026-11-20T08:00:00", a, b, c) == (True, utc("2026-11-20T11:00:00"))


def test_dates_on_the_wall_clock_and_with_an_offset() -> None:
    trade = {"from": "2026-12-18T18:00", "until": "2027-01-04T08:00"}
    assert frozen("2026-12-18T16:59:59", trade) == (False, utc("2026-12-18T17:00:00"))
    assert frozen("2026-12-18T17:00:00", trade) == (True, utc("2027-01-04T07:00:00"))
    assert frozen("2027-01-04T07:00:00", trade) == (False, None)
    fixed = {"from": "2026-12-18T18:00:00Z", "until": "2026-12-18T19:00:00+00:00"}
    assert frozen("2026-12-18T18:30:00", fixed) == (True, utc("2026-12-18T19:00:00"))


def test_whole_days_follow_the_zone() -> None:
    day = {"days": ["2026-12-24", "2026-12-25"]}
    assert frozen("2026-12-23T23:00:00", day) == (True, utc("2026-12-25T23:00:00"))
    assert frozen("2026-12-23T22:59:59", day)[0] is False
    assert frozen("2026-12-24T12:00:00", day, zone="Pacific/Apia") == (
        True,
        utc("2026-12-25T11:00:00"),
    )  # the day there began at 11:00 UTC the day before


def test_the_29th_of_february_comes_every_four_years() -> None:
    leap = {"cron": "0 0 29 2 *", "for": "1d"}
    assert frozen("2028-02-29T12:00:00", leap, zone="UTC") == (True, utc("2028-03-01T00:00:00"))
    assert frozen("2027-03-01T12:00:00", leap, zone="UTC") == (False, utc("2028-02-29T00:00:00"))


def test_a_freeze_without_end_has_no_edge() -> None:
    always = {"cron": "0 0 * * *", "for": "1d"}
    assert frozen("2026-11-20T12:00:00", always) == (True, None)
    every_minute = {"cron": "* * * * *", "for": "1m"}
    assert frozen("2026-11-20T12:00:00", every_minute) == (True, None)


@pytest.mark.parametrize(
    "period",
    [
        {"cron": "0 9 * *", "for": "1h"},
        {"cron": "0 25 * * *", "for": "1h"},
        {"cron": "0 0 30 2 *", "for": "1h"},
        {"cron": "0 9 * * *"},
        {"for": "1h"},
        {"cron": "0 9 * * *", "for": "0s"},
        {"cron": "0 9 * * *", "for": "400d"},
        {"from": "2026-12-18T18:00"},
        {"from": "2027-01-04T08:00", "until": "2026-12-18T18:00"},
        {"from": "2027-02-29T08:00", "until": "2027-03-18T18:00"},
        {"from": "2026-12-18", "until": "2026-12-19"},
        {"from": "2026-12-18T18:00", "until": "2026-12-19T18:00Z"},
        {"days": ["2027-02-29"]},
        {"days": ["2026-12-24"], "cron": "0 9 * * *", "for": "1h"},
        {},
    ],
)
def test_impossible_periods_are_refused(period: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        gate("freeze", during=[period])


ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo", "UTC"]


@settings(max_examples=20)
@given(
    zone=st.sampled_from(ZONES),
    day=st.dates(datetime(2024, 1, 1).date(), datetime(2028, 12, 31).date()),
    minute=st.integers(0, 1439),
    begin=st.tuples(st.integers(0, 59), st.integers(0, 23)),
    length=st.integers(1, 3000),
)
def test_frozen_is_what_the_wall_clock_shows(zone: str, day: Any, minute: int, begin: tuple[int, int], length: int) -> None:
    """Away from the change of the clock itself: inside exactly when the wall clock is within a period that began on some day."""
    now = datetime.combine(day, datetime.min.time(), UTC) + timedelta(minutes=minute)
    rules = ZoneInfo(zone)
    if len({(now + timedelta(days=shift)).astimezone(rules).utcoffset() for shift in (-4, -3, -2, -1, 0, 1)}) > 1:
        return
    wall = now.astimezone(rules).replace(tzinfo=None)
    starts = [datetime.combine((wall - timedelta(days=back)).date(), datetime.min.time()) for back in range(4)]
    starts = [start + timedelta(hours=begin[1], minutes=begin[0]) for start in starts]
    expected = any(start <= wall < start + timedelta(minutes=length) for start in starts)
    period = {"cron": f"{begin[0]} {begin[1]} * * *", "for": f"{length}m"}
    got, edge = frozen(now, period, zone=zone)
    assert got is expected
    if edge is not None:
        assert edge > now
        assert frozen(edge, period, zone=zone)[0] is not expected
        assert frozen(edge - timedelta(seconds=1), period, zone=zone)[0] is expected


@settings(max_examples=20)
@given(
    zone=st.sampled_from(ZONES),
    hour=st.integers(0, 24 * 366 * 3),
    cron=st.sampled_from(["30 2 * * *", "0 0 * * sun", "15 1,2,3 * * *"]),
    length=st.integers(1, 300),
)
def test_edges_hold_through_every_change_of_the_clock(zone: str, hour: int, cron: str, length: int) -> None:
    now = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
    period = {"cron": cron, "for": f"{length}m"}
    inside, edge = frozen(now, period, zone=zone)
    assert edge is None or (edge > now and frozen(edge, period, zone=zone)[0] is not inside)
    if edge is not None:
        for step in (1, 2, 3):
            assert frozen(now + (edge - now) * step / 4, period, zone=zone)[0] is inside


ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//
BEGIN:VEVENT
UID:1
DTSTAMP:20250101T000000Z
SUMMARY:Christmas
DTSTART;VALUE=DATE:20251225
RRULE:FREQ=YEARLY
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTAMP:20250101T000000Z
SUMMARY:Moved stand-up
DTSTART;TZID=Europe/Berlin:20261116T090000
DTEND;TZID=Europe/Berlin:20261116T100000
RRULE:FREQ=DAILY;COUNT=10
EXDATE;TZID=Europe/Berlin:20261118T090000
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTAMP:20250101T000000Z
RECURRENCE-ID;TZID=Europe/Berlin:20261119T090000
DTSTART;TZID=Europe/Berlin:20261119T150000
DTEND;TZID=Europe/Berlin:20261119T160000
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTAMP:20250101T000000Z
STATUS:CANCELLED
DTSTART:20261120T120000Z
DTEND:20261120T130000Z
END:VEVENT
BEGIN:VEVENT
UID:4
DTSTAMP:20250101T000000Z
TRANSP:TRANSPARENT
DTSTART:20261120T120000Z
DTEND:20261120T130000Z
END:VEVENT
BEGIN:VEVENT
UID:5
DTSTAMP:20250101T000000Z
DTSTART:20261121T120000Z
DURATION:PT30M
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-12-24T23:00:00", True),  # midnight in Berlin
        ("2026-12-24T22:59:59", False),
        ("2031-12-25T12:00:00", True),
        ("2026-11-16T08:30:00", True),
        ("2026-11-18T08:30:00", False),  # taken out
        ("2026-11-19T08:30:00", False),  # moved away
        ("2026-11-19T14:30:00", True),  # to here
        ("2026-11-20T12:30:00", False),  # cancelled, and free time
        ("2026-11-21T12:29:59", True),
        ("2026-11-21T12:30:00", False),
        ("2026-11-25T08:30:00", True),  # the tenth
        ("2026-11-26T08:30:00", False),
    ],
)
def test_a_calendar_freezes(now: str, expected: bool) -> None:
    assert frozen(now, calendar={"text": ICS})[0] is expected


def test_a_holiday_closes_the_window_and_the_next_opening_is_found() -> None:
    daily = {"cron": "0 9 * * *", "for": "8h"}
    assert allowed("2026-12-25T10:00:00", daily, holidays={"text": ICS}) == (False, utc("2026-12-26T08:00:00"))
    assert allowed("2026-12-24T12:00:00", daily, holidays={"text": ICS}) == (True, utc("2026-12-24T16:00:00"))
    yearly = {"cron": "0 9 25 12 *", "for": "8h"}
    closed = judge(gate("window", zone=BERLIN, open=[yearly], holidays={"text": ICS}), case(now=utc("2026-12-25T10:00:00")))
    assert (closed.outcome, closed.look_again) == (Outcome.PENDING, utc("2026-12-26T10:00:00"))


def test_a_published_calendar_is_asked_for_and_unknown_without_an_answer() -> None:
    made = gate("freeze", calendar={"url": "https://a.example/x.ics"})
    assert [(question.source, dict(question.params)) for question in made.questions(case())] == [
        ("calendar", {"url": "https://a.example/x.ics"})
    ]
    assert judge(made, case()).outcome is Outcome.UNKNOWN
    assert judge(made, answered(made, case(), problem="404")).sentence == (
        "Nobody can say whether prod is frozen: the calendar at https://a.example/x.ics cannot be read: 404."
    )
    assert judge(made, answered(made, case(), "not a calendar")).outcome is Outcome.UNKNOWN
    assert judge(made, answered(made, case(), ICS)).outcome is Outcome.PASSED
    assert judge(made, answered(made, case(now=utc("2026-11-21T12:10:00")), ICS)).outcome is Outcome.PENDING


def test_a_known_freeze_freezes_even_while_the_calendar_is_unknown() -> None:
    made = gate("freeze", during=[{"cron": "0 0 * * *", "for": "23h"}], calendar={"url": "https://a.example/x.ics"})
    assert judge(made, case()).outcome is Outcome.PENDING


def test_a_file_that_nobody_read_is_unknown() -> None:
    assert judge(gate("freeze", calendar={"file": "x.ics"}), case()).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        ICS.replace("FREQ=DAILY;COUNT=10", "FREQ=SECONDLY"),
        ICS.replace("20251225", "00010101"),
        "BEGIN:VCALENDAR\r\n"
        + "BEGIN:VEVENT\r\nDTSTART:20260101T000000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\n" * 100
        + "END:VCALENDAR\r\n",
        ICS.replace("DTSTART;VALUE=DATE:20251225", "DTSTART:yesterday"),
    ],
)
def test_a_calendar_that_cannot_be_understood_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        gate("freeze", calendar={"text": text})


def test_a_person_freezes_a_service_a_stage_or_everything() -> None:
    for about in ({"stage": "prod"}, {"service": "payments"}, {}, {"stage": "*"}):
        verdict = judge(gate("freeze"), case(directives=(order(Order.FREEZE, until=NOW + timedelta(hours=2), reason="outage", **about),)))
        assert (verdict.outcome, verdict.look_again) == (Outcome.PENDING, NOW + timedelta(hours=2))
        assert "outage" in verdict.sentence
        assert "/promote unfreeze" in verdict.changer
    assert judge(gate("freeze"), case(directives=(order(Order.FREEZE, stage="qa"),))).lets_pass


def reverts(made: Any, **more: Any) -> bool:
    (verdict,) = evaluate_revert([made], case(**more))
    return verdict.lets_pass


def test_a_revert_passes_a_freeze_unless_it_says_otherwise() -> None:
    always = [{"cron": "0 0 * * *", "for": "1d"}]
    assert reverts(gate("freeze", during=always))
    assert not reverts(gate("freeze", during=always, reverts=False))
    assert reverts(gate("freeze"), directives=(order(Order.FREEZE),))
    assert reverts(gate("freeze"), directives=(order(Order.FREEZE, details={"allow": "rollback"}),))
    assert not reverts(gate("freeze"), directives=(order(Order.FREEZE, details={"allow": "nothing"}),))


def test_a_hard_freeze_cannot_be_overridden() -> None:
    made = gate("freeze", hard=True, during=[{"cron": "0 0 * * *", "for": "1d"}])
    about = case()
    skip = order(Order.OVERRIDE, gate="freeze", head=about.head, base=about.base)
    assert judge(made, case(directives=(skip,))).outcome is Outcome.PENDING
    assert judge(gate("freeze", during=[{"cron": "0 0 * * *", "for": "1d"}]), case(directives=(skip,))).lets_pass
