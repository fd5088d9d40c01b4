"""Settings and answers that are rarer: what a configuration may not say, words about many names, infinite metrics, calendars' corners."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.directive import Order
from bot.domain.facts import Case, Question
from bot.domain.verdict import Outcome, Verdict
from bot.gates import Gate
from bot.gates._calendar import SECOND, Period, utc, without
from bot.gates._holidays import MOST_EVENTS, read
from bot.gates._shelf import shelf, with_always
from bot.gates._words import instant, several
from tests.support.builders import NOW
from tests.support.cases import approval, case, gate, judge, order

HOUR = timedelta(hours=1)


def calendar(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:1", *lines, "END:VEVENT", "END:VCALENDAR", ""])


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("freeze", {"during": [{"from": "2026-12-24", "until": "2026-12-25"}]}, "a time is missing here"),
    ("freeze", {"during": [{"from": "2026-13-24T00:00", "until": "2026-12-25T00:00"}]}, "no such date or time"),
    ("freeze", {"during": [{"from": "2026-12-24T00:00", "until": "2026-12-25T00:00Z"}]}, "both have an offset"),
    ("freeze", {"during": [{"from": "2026-12-25T00:00", "until": "2026-12-24T00:00"}]}, "ends before it begins"),
    ("freeze", {"during": [{"days": ["2026-02-30"]}]}, "no such day"),
    ("freeze", {"during": [{"cron": "0 9 * * *", "for": "400d"}]}, "a year at most"),
    ("soak", {"for": 5}, "not a length of time"),
    ("soak", {"for": None}, "not a length of time"),
    ("soak", {"for": True}, "not a length of time"),
    ("image", {"signature": {"key": "k", "identity": "me", "issuer": "https://i.example"}}, "by `key`, or by `identity`"),
    ("image", {"signature": {"identity": "me"}}, "by `key`, or by `identity`"),
    ("policy", {}, "exactly one of these"),
    ("policy", {"expression": "true", "rule": "a/b"}, "exactly one of these"),
    ("policy", {"expression": "1 +"}, "cannot be compiled"),
    ("policy", {"expression": "'text'"}, "must be true or false"),
    ("dora", {"error_budget": "block"}, "Write `budget_query`"),
    ("depends", {"on": {"ledger": "newest"}}, "cannot be put in order"),
    ("depends", {"on": {"ledger": ">="}}, "not a range of versions"),
]


@pytest.mark.parametrize(("kind", "settings", "why"), WRONG)
def test_what_a_configuration_may_not_say(kind: str, settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        gate(kind, **settings)


def test_no_time_at_all_is_no_soak_and_lengths_that_code_gives_are_lengths() -> None:
    with pytest.raises(ValidationError, match="longer than zero"):
        gate("soak", **{"for": 0})
    assert gate("soak", **{"for": HOUR}) == gate("soak", **{"for": "1h"})


def test_gates_fit_the_stage_and_answer_to_one_name_each() -> None:
    with pytest.raises(ValueError, match="Take `stages` away"):
        with_always([gate("upstream", stages=["dev"])], after=("qa",))
    with pytest.raises(ValueError, match="two gates of this stage are called 'soak'"):
        with_always([gate("soak", **{"for": "1h"}), gate("soak", **{"for": "2h"})])
    named = with_always([gate("soak", **{"for": "1h"}), gate("soak", name="long", **{"for": "2h"})])
    assert [one.label for one in named][-2:] == ["soak", "long"]


def test_every_gate_of_ours_is_on_the_shelf_once_and_by_name() -> None:
    kinds = [str(one.model_fields["gate"].default) for one in shelf()]
    assert kinds == sorted(set(kinds))
    assert {"upstream", "soak", "health", "checks", "approval", "window", "freeze", "http", "metric", "image", "dora"} <= set(kinds)
    assert {"policy", "webhook", "depends", "hold"} <= set(kinds)


def test_a_gate_that_says_nothing_of_reverts_lets_them_pass() -> None:
    class Moon(Gate):
        """Never passes."""

        gate: str = "moon"

        def evaluate(self, case: Case) -> Verdict:
            return self.pending("No full moon.", "The moon")

    made = Moon()
    assert judge(made, case()).outcome is Outcome.PENDING
    assert made.on_revert(case()).outcome is Outcome.PASSED
    none: tuple[Question, ...] = ()
    assert made.questions(case()) == none


def test_names_are_counted_from_the_fourth_on() -> None:
    told = [several(["a", "b", "c", "d", "e"][:count]) for count in range(6)]
    assert told == ["", "a", "a and b", "a, b and c", "a, b, c and 1 more", "a, b, c and 2 more"]
    assert instant(datetime(2026, 11, 20, 8, tzinfo=UTC), "Europe/Berlin") == "2026-11-20 09:00 Europe/Berlin"
    assert instant(datetime(2026, 11, 20, 8, 0, 7, tzinfo=UTC)) == "2026-11-20 08:00:07 UTC"


PAIRS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), max_size=6)


@given(PAIRS, PAIRS)
def test_an_instant_is_left_where_it_was_inside_and_in_no_hole(inside: list[tuple[int, int]], holes: list[tuple[int, int]]) -> None:
    def apart(pairs: list[tuple[int, int]]) -> list[tuple[datetime, datetime]]:
        found: list[tuple[datetime, datetime]] = []
        for begin, length in sorted(pairs):
            if not found or NOW + begin * HOUR > found[-1][1]:
                found.append((NOW + begin * HOUR, NOW + (begin + length) * HOUR))
        return found

    first, second = apart(inside), apart(holes)
    left = without(first, second)
    for half in range(130):
        at = NOW + half * HOUR / 2
        expected = any(begin <= at < end for begin, end in first) and not any(begin <= at < end for begin, end in second)
        assert any(begin <= at < end for begin, end in left) is expected


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/St_Johns"])
def test_a_wall_clock_that_is_skipped_is_the_moment_of_the_jump(zone: str) -> None:
    place, day = ZoneInfo(zone), datetime(2026, 1, 1)
    while (day := day + 24 * HOUR).year == 2026:
        if day.replace(tzinfo=place).utcoffset() == (day + 24 * HOUR).replace(tzinfo=place).utcoffset():
            continue
        for minute in range(5, 24 * 60, 30):
            wall = day + timedelta(minutes=minute)
            at = utc(wall, place, fold=0)
            if at.astimezone(place).replace(tzinfo=None) != wall:
                before, after = (at - SECOND).astimezone(place).utcoffset(), at.astimezone(place).utcoffset()
                assert before != after
                assert at.astimezone(place).replace(tzinfo=None) > wall > (at - SECOND).astimezone(place).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("SUMMARY:no start", "DTEND:20261224T100000"), "'no start' has no DTSTART"),
        (("DTSTART:20261224T100000", "RRULE:FREQ=SECONDLY"), "more often than daily"),
    ],
)
def test_a_calendar_that_is_not_understood_is_refused(lines: tuple[str, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(calendar(*lines), "UTC", date(2026, 12, 1))


def test_a_calendar_is_a_file_an_address_or_its_text() -> None:
    with pytest.raises(ValidationError, match="exactly one of these"):
        gate("freeze", calendar={})


@pytest.mark.parametrize(
    ("lines", "spans"),
    [
        (("DTSTART;VALUE=DATE:20261224",), [(24, 0, 25, 0)]),
        (("DTSTART:20261224T100000Z", "DURATION:PT2H"), [(24, 10, 24, 12)]),
        (("DTSTART:20261224T100000Z",), []),
        (("DTSTART:20261224T100000Z", "DTEND:20261224T090000Z"), []),
        (("DTSTART:20261224T100000Z", "DURATION:PT1H", "STATUS:CANCELLED"), []),
        (("DTSTART:20261224T100000Z", "DURATION:PT1H", "TRANSP:TRANSPARENT"), []),
        (("DTSTART:20261224T100000Z", "DURATION:PT1H", "RDATE:20261226T100000Z"), [(24, 10, 24, 11), (26, 10, 26, 11)]),
        (
            ("DTSTART:20261224T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20261226T100000Z", "EXDATE:20261225T100000Z"),
            [(24, 10, 24, 11), (26, 10, 26, 11)],
        ),
    ],
)
def test_events_of_a_calendar_are_spans(lines: tuple[str, ...], spans: list[tuple[int, int, int, int]]) -> None:
    found = read(calendar(*lines), "UTC", date(2026, 12, 1))
    assert [(begin.day, begin.hour, end.day, end.hour) for begin, end in found] == spans


def test_a_calendar_may_not_hold_more_than_can_be_read_in_time() -> None:
    event = "BEGIN:VEVENT\r\nUID:{}\r\nDTSTART:20261224T100000Z\r\nDURATION:PT1H\r\nEND:VEVENT\r\n"
    many = "BEGIN:VCALENDAR\r\n" + "".join(event.format(number) for number in range(MOST_EVENTS + 1)) + "END:VCALENDAR\r\n"
    with pytest.raises(ValueError, match=f"more than {MOST_EVENTS} events"):
        read(many, "UTC", date(2026, 12, 1))
    daily = calendar("DTSTART:20261201T000000Z", "DURATION:PT1M", "RRULE:FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11;BYMINUTE=0,10,20,30")
    with pytest.raises(ValueError, match="repeats too often"):
        read(daily, "UTC", date(2026, 12, 1))


def test_a_calendar_s_own_clock_is_kept() -> None:
    rule = "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0530\r\nTZOFFSETTO:+0530\r\nEND:STANDARD"
    zone = f"BEGIN:VTIMEZONE\r\nTZID:Odd\r\n{rule}\r\nEND:VTIMEZONE"
    text = calendar("DTSTART;TZID=Odd:20261224T100000", "DURATION:PT1H").replace("BEGIN:VEVENT", f"{zone}\r\nBEGIN:VEVENT", 1)
    assert [begin for begin, _ in read(text, "UTC", date(2026, 12, 1))] == [datetime(2026, 12, 24, 4, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("period", "told"),
    [
        ({"cron": "0 9 * * *", "for": "8h"}, "`0 9 * * *` for 8h"),
        ({"days": ["2026-12-24", "2026-12-25"]}, "2026-12-24, 2026-12-25"),
        ({"from": "2026-12-24T18:00", "until": "2026-12-27T08:00"}, "2026-12-24 18:00 to 2026-12-27 08:00"),
    ],
)
def test_a_period_is_told_in_a_few_words(period: dict[str, Any], told: str) -> None:
    assert Period.model_validate(period).told() == told
    with pytest.raises(ValidationError):
        Period.model_validate({"from": 7, "until": [], "days": [7.5]})


GATE = """
from typing import Literal
from bot.gates import Gate

class Moon(Gate):
    '''Passes at full moon.'''
    gate: Literal["moon"] = "moon"
    def evaluate(self, case):
        return self.passed("Full moon.")

class Soak(Moon):
    gate: Literal["soak"] = "soak"

NOTHING = 3
"""


@pytest.mark.parametrize(
    ("entry", "why"), [("Moon", ""), ("NOTHING", "is not a gate: it must be a subclass"), ("Soak", "two gates are called 'soak'")]
)
def test_a_stranger_s_gate_joins_the_shelf_or_is_refused(entry: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = f"moonlight_{entry.lower()}"
    (tmp_path / f"{module}.py").write_text(GATE)
    info = tmp_path / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[promotion_bot.gates]\nmoon = {module}:{entry}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    shelf.cache_clear()
    try:
        if why:
            with pytest.raises(TypeError, match=why):
                shelf()
        else:
            assert "moon" in [str(one.model_fields["gate"].default) for one in shelf()]
    finally:
        monkeypatch.undo()
        shelf.cache_clear()
    assert "moon" not in [str(one.model_fields["gate"].default) for one in shelf()]


def test_a_hotfix_skips_a_stage_only_with_an_approval_of_its_own_head() -> None:
    made, override = gate("upstream"), order(Order.OVERRIDE, gate="upstream")
    assert made.refuses_override(case(), override) == ""
    assert "an approval of prod for this head" in made.refuses_override(case(hotfix=True), override)
    approved = case(hotfix=True, approvals=(replace(approval(), may=True),))
    assert made.refuses_override(approved, override) == ""
    elsewhere = case(hotfix=True, approvals=(replace(approval(), may=True, head="c" * 40),))
    assert made.refuses_override(elsewhere, override) != ""
    assert "hard gate" in gate("upstream", hard=True).refuses_override(approved, override)
