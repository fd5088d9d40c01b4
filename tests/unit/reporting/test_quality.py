"""Each kind of bad input is a row of data quality, and never a wrong number."""

import json
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.domain.carried import Carried
from bot.domain.history_file import read_history
from bot.domain.instants import parse_instant
from bot.reporting.doubts import long_silences, odd_days, renamed
from bot.reporting.live import Records, live_history
from bot.reporting.page import Page, build_page
from bot.reporting.windows import Window
from tests.support.deliveries import deploy, failure, recovery
from tests.unit.reporting.test_live import T, saved

SPRING = {"tz": "Europe/Berlin", "first": "2025-03-24", "end": "2025-04-07"}


def page(events: list[dict[str, Any]], **asked: Any) -> Page:
    window = Window(
        first=date.fromisoformat(asked.get("first", "2025-03-03")),
        end=date.fromisoformat(asked.get("end", "2025-03-10")),
        zone=ZoneInfo(asked.get("tz", "UTC")),
    )
    as_of = parse_instant(asked.get("as_of", f"{window.end}T00:00:00Z"))
    history = read_history(json.dumps({"events": events}))
    return build_page(history, window=window, as_of=as_of, stage="prod", team=asked.get("team"), service=asked.get("service"))


def rows(found: Page) -> dict[str, tuple[int, tuple[str, ...]]]:
    return {row.code: (row.count, row.names) for row in found.quality}


ONE = deploy("d1", "4 09:00", "v1", commits={"a": "4 08:00"})
CASES = [
    ("clock skew", [deploy("d1", "4 09:00", "v1", commits={"a": "4 10:00"})], {}, "lead_time_invalid", ("d1: a",)),
    ("a recovery before its failure", [ONE, failure("f", "4 10:00", "d1"), recovery("f", "4 08:00")], {}, "recovery_invalid", ("d1",)),
    ("duplicates", [ONE, ONE, ONE], {}, "doubled_events", ()),
    ("two contents under one id", [ONE, ONE | {"version": "v2"}], {}, "conflicting_ids", ("d1",)),
    ("late events", [ONE, deploy("d2", "9 09:00", "v2")], {"as_of": "2025-03-05T00:00:00Z"}, "later_events", ()),
    ("a missing source repository", [deploy("d1", "4 09:00", "v1")], {}, "without_commits", ("d1",)),
    ("months without data", [ONE], {"first": "2025-01-01", "end": "2025-04-01"}, "months_without_data", ("2025-01-01 to 2025-03-03",)),
    ("daylight saving", [ONE], SPRING, "clock_changes", ("2025-03-30 (23 hours)",)),
    ("a window that has not ended", [ONE], {"as_of": "2025-03-06T12:00:00Z"}, "window_open", ()),
    ("a window that has not begun", [ONE], {"as_of": "2025-03-01T00:00:00Z"}, "window_open", ()),
    (
        "a renamed service",
        [ONE | {"version": "1.4.2"}, deploy("n1", "6 09:00", "1.4.2", service="api-v2", baseline=True)],
        {},
        "renamed_services",
        ("api → api-v2",),
    ),
    (
        "a service that moved between teams",
        [ONE | {"team": "red"}, deploy("d2", "5 09:00", "v2", team="blue")],
        {"team": "red"},
        "moved_team",
        ("api",),
    ),
    ("a service without a team", [ONE, deploy("w", "5 09:00", "w1", service="web", team="red")], {"team": "red"}, "without_team", ("api",)),
    ("an unlinked incident", [ONE, failure("f", "5 09:00", None, service="api", stage="prod")], {}, "unlinked_incidents", ("f",)),
    ("a failure of a deploy that nobody knows", [ONE, failure("f", "5 09:00", "ghost")], {}, "unknown_deploy", ("f",)),
    ("unknown fields", [ONE | {"colour": "red"}], {}, "ignored_fields", ("colour",)),
    ("a rollout rebuilt from a commit by hand", [ONE | {"doubts": ["hand_made"]}], {}, "hand_made", ("d1",)),
    ("a service that the stage never saw", [ONE], {"service": "nope"}, "service_unknown", ("nope",)),
    ("a team without a service in the stage", [ONE | {"team": "red"}], {"team": "blue"}, "team_unknown", ("blue",)),
    ("a stage that nobody knows", [ONE | {"stage": "qa"}], {}, "stage_unknown", ("qa",)),
]


@pytest.mark.parametrize(("events", "asked", "code", "names"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_bad_input_is_a_row(events: list[dict[str, Any]], asked: dict[str, Any], code: str, names: tuple[str, ...]) -> None:
    found = rows(page(events, **asked))
    assert code in found
    count, told = found[code]
    assert count >= 1
    assert not names or names[0] in told


def test_a_good_history_has_none_of_them() -> None:
    events = [deploy(f"d{day}", f"{day} 09:00", f"v{day}", commits={f"c{day}": f"{day} 08:00"}) for day in range(3, 10)]
    found = rows(page([*events, failure("f", "4 10:00", "d4"), recovery("f", "4 11:00")]))
    assert found == {}


def test_deleted_tags_and_rewritten_history_are_told_with_their_reason() -> None:
    carried = {"p1:api:promotion:success": Carried(problem="there is no tag 1.1.0 in acme/api")}
    history = live_history(Records(deployments=[saved(1, T)], carried=carried))
    window = Window(first=T.date(), end=date.fromordinal(T.toordinal() + 1), zone=ZoneInfo("UTC"))
    found = build_page(history, window=window, as_of=T.replace(hour=23), stage="prod")
    assert rows(found)["unknown_commits"] == (1, ("p1:api:promotion:success: there is no tag 1.1.0 in acme/api",))
    assert found.report.to_json()["lead_time_s"] == {"n": 0, "median": None, "p90": None}


def test_a_version_that_several_services_had_renames_nobody() -> None:
    first, second = deploy("a", "3 09:00", "1.0", service="a"), deploy("b", "4 09:00", "1.0", service="b")
    assert "renamed_services" in rows(page([first, second]))
    assert "renamed_services" not in rows(page([first, second, deploy("c", "5 09:00", "1.0", service="c")]))
    assert "renamed_services" not in rows(page([first, second, deploy("a2", "5 09:00", "1.1", service="a")]))
    assert renamed({}) == ()


def test_silences_and_odd_days() -> None:
    window = Window(first=date(2025, 1, 1), end=date(2025, 3, 1), zone=ZoneInfo("America/New_York"))
    assert long_silences([], date(2025, 1, 28), window) == ()
    assert long_silences([], date(2025, 1, 29), window) == ("2025-01-01 to 2025-01-28",)
    assert long_silences([date(2025, 1, 20)], window.end, window) == ("2025-01-21 to 2025-02-28",)
    assert odd_days([date(2025, 11, 1), date(2025, 11, 2)], window) == ("2025-11-02 (25 hours)",)
