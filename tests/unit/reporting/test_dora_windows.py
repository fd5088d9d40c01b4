"""Windows, days, weeks, lead times and selections, each clause on a history made by hand."""

from typing import Any

import pytest

from tests.support.deliveries import deploy, failure, figures

HOUR = 3600


class TestWindow:
    EDGES = (deploy("d1", "3 00:00", "v1"), deploy("d2", "10 00:00", "v2"))

    def test_is_half_open(self) -> None:
        assert figures(self.EDGES)["deployments"] == 1
        assert figures(self.EDGES, first="2025-03-10", end="2025-03-11", as_of="11 00:00")["deployments"] == 1

    def test_days_are_local(self) -> None:
        late = [deploy("d1", "2025-03-05T23:30:00Z", "v1"), deploy("d2", "2025-03-06T00:30:00+01:00", "v2")]
        assert figures(late)["deploy_days"] == 1
        assert figures(late, tz="Europe/Berlin")["daily"]["deployments"] == [0, 0, 0, 2, 0, 0, 0]
        assert figures(late, tz="America/New_York")["daily"]["deployments"] == [0, 0, 2, 0, 0, 0, 0]

    @pytest.mark.parametrize(
        ("first", "end", "tz", "days"),
        [
            ("2025-03-24", "2025-03-31", "Europe/Berlin", 7),  # 23 hours on the 30th
            ("2025-10-20", "2025-10-27", "Europe/Berlin", 7),  # 25 hours on the 26th
            ("2018-11-04", "2018-11-05", "America/Sao_Paulo", 1),  # has no midnight
            ("2011-12-29", "2012-01-01", "Pacific/Apia", 2),  # the 30th never was
        ],
    )
    def test_a_day_is_a_calendar_day(self, first: str, end: str, tz: str, days: int) -> None:
        assert figures([], first=first, end=end, tz=tz, as_of="2026-01-01T00:00:00Z")["window_days"] == days

    def test_a_day_without_midnight_begins_with_its_first_instant(self) -> None:
        events = [deploy("d1", "2018-11-04T03:00:00Z", "v1"), deploy("d0", "2018-11-04T02:59:59Z", "v0")]
        assert (
            figures(events, first="2018-11-04", end="2018-11-05", tz="America/Sao_Paulo", as_of="2019-01-01T00:00:00Z")["deployments"] == 1
        )

    @pytest.mark.parametrize(
        ("as_of", "days"),
        [("2 23:59", 0), ("3 00:00", 0), ("2025-03-03T00:00:01Z", 1), ("5 00:00", 2), ("5 00:01", 3), ("10 00:00", 7), ("20 00:00", 7)],
    )
    def test_only_days_that_have_begun_count(self, as_of: str, days: int) -> None:
        found = figures([], as_of=as_of)
        assert found["window_days"] == days == len(found["daily"]["deployments"])
        assert found["deployments_per_day"] == (0.0 if days else None)

    def test_an_event_at_the_instant_exists_and_one_after_it_does_not(self) -> None:
        events = [deploy("d1", "4 10:00", "v1"), deploy("d2", "2025-03-04T10:00:00.000001Z", "v2")]
        assert figures(events, as_of="4 10:00")["deployments"] == 1

    def test_only_full_weeks_that_are_over(self) -> None:
        events = [deploy(f"d{day}", f"{day} 12:00", f"v{day}") for day in (2, 3, 3 + 7, 4 + 7, 20)]
        asked: dict[str, Any] = {"first": "2025-03-02", "end": "2025-03-23"}
        found = figures(events, as_of="31 00:00", **asked)
        assert [(week["week"], week["deployments"], week["deploy_days"]) for week in found["weekly"]] == [
            ("2025-W10", 1, 1),
            ("2025-W11", 2, 2),
        ]
        assert found["deploy_days_per_week_median"] == 1.5
        assert [week["week"] for week in figures(events, as_of="16 23:59", **asked)["weekly"]] == ["2025-W10"]
        assert figures(events, first="2025-03-04", end="2025-03-10")["deploy_days_per_week_median"] is None

    def test_weeks_are_named_by_iso_years(self) -> None:
        asked = {"first": "2024-12-30", "end": "2025-01-06", "as_of": "2025-02-01T00:00:00Z"}
        assert [week["week"] for week in figures([], **asked)["weekly"]] == ["2025-W01"]


class TestLeadTime:
    def test_each_commit_once_at_its_first_forward_deployment(self) -> None:
        events = [
            deploy("d1", "3 09:00", "v1", commits={"a": "3 08:00"}),
            deploy("d2", "4 09:00", "v2", commits={"a": "3 08:00", "b": "4 07:00"}),
            deploy("w1", "5 09:00", "w", service="web", commits={"a": "5 06:00"}),
            deploy("q1", "5 09:00", "v9", stage="qa", commits={"c": "5 06:00"}),
        ]
        assert figures(events)["lead_time_s"] == {"n": 3, "median": 2 * HOUR, "p90": 2.8 * HOUR}

    def test_a_failed_rollout_and_a_rollback_deliver_nothing(self) -> None:
        events = [
            deploy("d1", "3 09:00", "v1"), deploy("d2", "4 09:00", "v2", status="failed", commits={"a": "4 08:00"}),
            deploy("d3", "4 09:30", "v1", kind="rollback", commits={"b": "4 08:00"}),
            deploy("d4", "5 08:00", "v3", commits={"a": "4 08:00"}),
        ]  # fmt: skip
        assert figures(events)["lead_time_s"] == {"n": 1, "median": 24 * HOUR, "p90": 24 * HOUR}

    def test_a_baseline_is_a_deployment_without_lead_times(self) -> None:
        events = [
            deploy("d1", "3 09:00", "v1", baseline=True, commits={"a": "1 08:00"}),
            deploy("d2", "4 09:00", "v2", commits={"a": "1 08:00"}),
        ]
        assert (figures(events)["deployments"], figures(events)["lead_time_s"]["n"]) == (2, 0)

    def test_negative_values_are_dropped_and_counted(self) -> None:
        found = figures([deploy("d1", "3 09:00", "v1", commits={"a": "3 08:00", "b": "3 09:01", "c": "3 09:00"})])
        assert (found["lead_time_invalid"], found["lead_time_s"]) == (1, {"n": 2, "median": 1800, "p90": 3240})

    def test_seconds_are_elapsed_ones(self) -> None:
        event = deploy("d1", "2025-03-30T12:00:00+02:00", "v1", commits={"a": "2025-03-29T12:00:00+01:00"})
        found = figures([event], first="2025-03-24", end="2025-03-31", tz="Europe/Berlin", as_of="31 12:00")
        assert found["lead_time_s"]["median"] == 23 * HOUR


class TestSelection:
    EVENTS = (
        deploy("d1", "3 09:00", "v1", team="pay"), deploy("d2", "4 09:00", "v2", team="core"), failure("f1", "4 10:00", "d2"),
        deploy("w1", "5 09:00", "v1", service="web", team="pay"), deploy("n1", "6 09:00", "v1", service="new"),
        deploy("q1", "6 09:00", "v3", stage="qa", team="pay"),
    )  # fmt: skip

    def test_by_stage(self) -> None:
        assert figures(self.EVENTS, stage="qa")["deployments"] == 1

    def test_by_service_with_its_whole_history(self) -> None:
        found = figures(self.EVENTS, service="api")
        assert (found["deployments"], found["change_fail_rate"], list(found["by_service"])) == (2, 0.5, ["api"])

    def test_by_the_team_that_the_event_carries(self) -> None:
        assert (figures(self.EVENTS, team="pay")["deployments"], figures(self.EVENTS, team="core")["change_fail_rate"]) == (2, 1.0)

    def test_by_the_owner_where_the_event_carries_no_team(self) -> None:
        assert figures(self.EVENTS, team="pay", owners={"new": "pay"})["deployments"] == 3

    def test_live_versions_are_known_across_teams(self) -> None:
        events = [deploy("d1", "3 09:00", "v1", team="pay"), deploy("d2", "4 09:00", "v1", team="core")]
        assert (figures(events, team="core")["redeploys"], figures(events, team="core")["deployments"]) == (1, 0)
