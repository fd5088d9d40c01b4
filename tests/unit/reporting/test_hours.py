"""When things happened: local weekdays and hours, and the spans of failures on the page."""

from datetime import datetime

from bot.reporting.charts_time import heat_map, spans
from bot.reporting.formats import find_formats
from bot.reporting.hours import by_weekday_and_hour, failure_spans
from tests.support.deliveries import deploy, failure, recovery, report
from tests.unit.reporting.test_pages import page

HISTORY = [
    deploy("d1", "3 09:30", "v1"),  # Monday
    deploy("d2", "4 23:30", "v2"),  # Tuesday in UTC, Wednesday in Berlin
    deploy("d3", "6 10:00", "v3", status="failed"),
    deploy("d4", "6 11:00", "v2", kind="rollback"),
    failure("f1", "5 01:00", "d2"),
]


def test_hours_are_local() -> None:
    utc = by_weekday_and_hour(report(HISTORY))
    assert {(day, hour): count for day, row in enumerate(utc) for hour, count in enumerate(row) if count} == {
        (0, 9): 1,
        (1, 23): 1,
        (3, 10): 1,
        (3, 11): 1,
    }
    berlin = by_weekday_and_hour(report(HISTORY, tz="Europe/Berlin"))
    assert (berlin[0][10], berlin[2][0], berlin[1][23]) == (1, 1, 0)


def test_both_hours_of_the_night_in_which_the_clock_goes_back_are_the_same_row() -> None:
    events = [deploy("a", "2025-10-26T00:30:00Z", "v1"), deploy("b", "2025-10-26T01:30:00Z", "v2")]
    found = by_weekday_and_hour(report(events, first="2025-10-20", end="2025-10-27", tz="Europe/Berlin", as_of="2025-10-27T00:00:00Z"))
    assert found[6][2] == 2


def test_every_rollout_of_the_window_is_in_one_cell() -> None:
    found = report(HISTORY)
    counted = len(found.deployments) + len(found.rollbacks) + len(found.failed_rollouts)
    assert sum(map(sum, by_weekday_and_hour(found))) == counted == 4


def test_spans_of_failed_changes() -> None:
    marked, failed = failure_spans(report(HISTORY))
    assert (marked.change.first.id, marked.end) == ("d2", None)
    assert failed.end == datetime.fromisoformat("2025-03-06T11:00:00+00:00")
    (wrong,) = failure_spans(report([*HISTORY[:2], HISTORY[4], recovery("f1", "5 02:00")]))
    assert wrong.end == datetime.fromisoformat("2025-03-05T02:00:00+00:00")
    assert failure_spans(report([*HISTORY[:2], HISTORY[4], recovery("f1", "2 02:00")])) == ()


def test_the_page_shows_both_and_tells_them_in_words() -> None:
    text = find_formats()["html"](page(HISTORY))
    assert "Rollouts by weekday and hour (UTC)" in text
    assert "<title>Tue 23: 1</title>" in text
    assert "d2: open for" in text
    assert "d3: recovered after 1h" in text
    quiet = find_formats()["html"](page([]))
    assert "weekday and hour" not in quiet
    assert "their recovery" not in quiet


def test_names_are_escaped() -> None:
    assert "<b>" not in heat_map([("<b>", [1])], ["<b>"], "<b>")
    assert "<b>" not in spans([("<b>", 0.1, None, "<b>")], "<b>")
