"""Which delivery reports are due: whole ISO weeks and months, in the report's zone, each under one key however often it is asked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.config.schema import Config
from bot.reporting.schedule import due, stage_of

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)


def config(*, teams: tuple[str, ...] = (), **reports: Any) -> Config:
    stages = {"dev": {"repository": "acme/env-dev"}, "prod": {"repository": "acme/env-prod", "after": "dev"}}
    services = {f"s{number}": {"images": [f"ghcr.io/acme/s{number}"], "team": team} for number, team in enumerate(teams)}
    top = {"version": 1, "pipeline": {"stages": stages}, "services": services, "teams": {team: {} for team in teams}}
    return Config.model_validate(top | {"reports": {"periods": ["weekly"], **reports}})


def windows(rules: Config, now: datetime) -> list[tuple[str, str, str]]:
    return [(one.period, str(one.window.first), str(one.window.end)) for one in due(rules, now)]


def test_without_periods_nothing_is_ever_due() -> None:
    assert due(config(periods=[]), MONDAY) == ()


@pytest.mark.parametrize(
    ("now", "found"),
    [
        pytest.param(MONDAY - SECOND, [], id="a second before its time"),
        pytest.param(MONDAY, [("weekly", "2026-11-09", "2026-11-16")], id="on the instant"),
        pytest.param(MONDAY + 2 * DAY - SECOND, [("weekly", "2026-11-09", "2026-11-16")], id="late, but not too late"),
        pytest.param(MONDAY + 2 * DAY, [], id="two days late: the next report tells"),
    ],
)
def test_a_weekly_report_is_due_on_monday_at_nine_and_for_two_days(now: datetime, found: list[tuple[str, str, str]]) -> None:
    assert windows(config(), now) == found


def test_on_another_day_the_week_that_ended_before_it_is_reported() -> None:
    thursday = MONDAY + 3 * DAY
    assert windows(config(day="thu"), thursday) == [("weekly", "2026-11-09", "2026-11-16")]
    assert windows(config(day="thu"), thursday - SECOND) == []
    assert windows(config(day="sun"), MONDAY + 6 * DAY) == [("weekly", "2026-11-09", "2026-11-16")]


@pytest.mark.parametrize(
    ("now", "first", "end"),
    [
        (datetime(2027, 1, 1, 9, tzinfo=UTC), "2026-12-01", "2027-01-01"),
        (datetime(2028, 3, 2, 23, tzinfo=UTC), "2028-02-01", "2028-03-01"),
    ],
)
def test_a_monthly_report_is_of_the_whole_month_before_over_the_turn_of_the_year_too(now: datetime, first: str, end: str) -> None:
    assert windows(config(periods=["monthly"]), now) == [("monthly", first, end)]
    assert windows(config(periods=["monthly"]), datetime(2026, 11, 30, 9, tzinfo=UTC)) == []


@pytest.mark.parametrize(
    ("zone", "instant"),
    [
        ("Europe/Berlin", datetime(2026, 11, 16, 8, tzinfo=UTC)),
        ("Asia/Tokyo", datetime(2026, 11, 16, 0, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 11, 15, 20, tzinfo=UTC)),
        ("America/Los_Angeles", datetime(2026, 11, 16, 17, tzinfo=UTC)),
    ],
)
def test_the_day_and_its_nine_o_clock_are_the_zone_s_own(zone: str, instant: datetime) -> None:
    rules = config(zone=zone)
    assert due(rules, instant - SECOND) == ()
    (one,) = due(rules, instant)
    assert one.at == instant
    assert one.at.utcoffset() == timedelta()
    assert (str(one.window.first), str(one.window.end), one.window.zone.key) == ("2026-11-09", "2026-11-16", zone)


def test_nine_o_clock_stays_nine_o_clock_over_summer_time() -> None:
    rules = config(zone="Europe/Berlin")
    instants = [due(rules, datetime(2026, 3, day, 12, tzinfo=UTC))[0].at for day in (23, 30)]
    assert instants == [datetime(2026, 3, 23, 8, tzinfo=UTC), datetime(2026, 3, 30, 7, tzinfo=UTC)]


def test_each_team_gets_its_own_report_under_its_own_key_and_everybody_where_there_are_no_teams() -> None:
    found = due(config(teams=("red", "blue", "red")), MONDAY)
    assert [one.key("prod") for one in found] == ["weekly:blue:prod:2026-11-09", "weekly:red:prod:2026-11-09"]
    assert [one.series("prod") for one in found] == ["weekly:blue:prod", "weekly:red:prod"]
    (one,) = due(config(), MONDAY)
    assert (one.team, one.key("prod")) == (None, "weekly:*:prod:2026-11-09")


def test_every_attempt_at_one_report_has_the_same_key_and_the_next_week_another_in_the_same_row() -> None:
    first, again, following = (due(config(), now)[0] for now in (MONDAY, MONDAY + DAY, MONDAY + 7 * DAY))
    assert first.key("prod") == again.key("prod") != following.key("prod")
    assert first.series("prod") == following.series("prod") != first.series("dev")


def test_both_periods_come_when_a_month_begins_on_the_day() -> None:
    rules = config(periods=["monthly", "weekly"])
    assert windows(rules, datetime(2027, 2, 1, 9, tzinfo=UTC)) == [
        ("monthly", "2027-01-01", "2027-02-01"),
        ("weekly", "2027-01-25", "2027-02-01"),
    ]


def test_the_last_stage_is_reported_unless_another_is_named() -> None:
    assert stage_of(config()) == "prod"
    assert stage_of(config(stage="dev")) == "dev"
