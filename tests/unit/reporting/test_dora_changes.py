"""Roles and changes, each clause on a history made by hand; expected values worked out from the clause."""

import pytest

from tests.support.deliveries import deploy, failure, figures, recovery

HOUR = 3600


class TestRoles:
    def test_the_same_version_again_is_a_redeploy(self) -> None:
        found = figures([deploy("d1", "3 09:00", "v1"), deploy("d2", "4 09:00", "v1", commits={"x": "3 09:00"})])
        assert (found["deployments"], found["redeploys"], found["changes"], found["lead_time_s"]["n"]) == (1, 1, 1, 0)

    def test_a_commit_of_a_redeploy_is_delivered_later(self) -> None:
        events = [deploy("d1", "3 09:00", "v1"), deploy("d2", "4 09:00", "v1", commits={"x": "3 09:00"})]
        assert figures([*events, deploy("d3", "5 09:00", "v2", commits={"x": "5 08:00"})])["lead_time_s"]["median"] == HOUR

    @pytest.mark.parametrize(("order", "rollbacks"), [(None, 1), (["v1", "v2"], 1), (["v2", "v1"], 0)])
    def test_a_return_to_an_older_version_is_a_rollback(self, order: list[str] | None, rollbacks: int) -> None:
        events = [deploy("d1", "3 09:00", "v1"), deploy("d2", "4 09:00", "v2"), deploy("d3", "5 09:00", "v1", kind=None)]
        found = figures(events, order=order)
        assert (found["rollbacks"], found["deployments"], found["failed_changes"]) == (rollbacks, 3 - rollbacks, rollbacks)

    def test_a_promotion_after_a_rollback_is_a_deployment_again(self) -> None:
        events = [
            deploy("d1", "3 09:00", "v1", kind=None, commits={"a": "3 08:00"}),
            deploy("d2", "4 09:00", "v2", kind=None, commits={"b": "4 08:00"}),
            deploy("d3", "5 09:00", "v1", kind=None, commits={"a": "3 08:00"}),
            deploy("d4", "6 09:00", "v2", kind=None, commits={"b": "4 08:00"}),
        ]
        found = figures(events)
        assert (found["deployments"], found["rollbacks"], found["changes"], found["failed_changes"]) == (3, 1, 3, 1)
        assert found["lead_time_s"] == {"n": 2, "median": HOUR, "p90": HOUR}

    def test_an_older_version_that_was_never_live_is_a_promotion(self) -> None:
        events = [deploy("d2", "4 09:00", "v2", kind=None), deploy("d3", "5 09:00", "v1", kind=None)]
        assert figures(events, order=["v1", "v2"])["rollbacks"] == 0

    def test_versions_are_ordered_by_first_appearance_on_any_stage(self) -> None:
        dev = [deploy("e1", "3 01:00", "v1", stage="dev"), deploy("e2", "3 02:00", "v2", stage="dev")]
        prod = [
            deploy("d1", "3 09:00", "v2", kind=None),
            deploy("d2", "4 09:00", "v1", kind=None),
            deploy("d3", "5 09:00", "v2", kind=None),
        ]
        assert figures([*dev, *prod])["rollbacks"] == 0

    def test_links_name_the_kind_where_none_is_given(self) -> None:
        events = [
            deploy("d1", "3 09:00", "v1", kind=None, prs=[1]),
            deploy("d2", "4 09:00", "v2", kind=None, fixes=["d1"]),
            deploy("d3", "5 09:00", "v3", kind=None, reverts_prs=[1]),
        ]
        assert figures(events)["rework_rate"] == 0.666667

    def test_failed_rollouts_of_any_kind_are_counted_but_only_attempts_make_changes(self) -> None:
        events = [
            deploy("d1", "3 09:00", "v1"),
            deploy("d2", "4 09:00", "v2"),
            deploy("d3", "5 09:00", "v1", kind="rollback", status="failed"),
        ]
        found = figures(events)
        assert (found["failed_rollouts"], found["rollbacks"], found["changes"], found["failed_changes"]) == (1, 0, 2, 0)

    def test_equal_instants_are_ordered_by_id(self) -> None:
        events = [deploy("b", "3 09:00", "v1"), deploy("a", "3 10:00", "v2"), deploy("c", "3 09:00", "v1")]
        assert figures(events)["redeploys"] == 1
        swapped = [deploy("b", "3 09:00", "v1", commits={"x": "3 08:00"}), deploy("a", "3 09:00", "v1")]
        assert figures(swapped)["lead_time_s"]["n"] == 0


class TestChanges:
    def test_retries_up_to_the_first_success_are_one_change(self) -> None:
        events = [
            deploy("d1", "3 10:00", "v1", status="failed", commits={"a": "3 09:00"}),
            deploy("d2", "3 10:30", "v1", status="failed", commits={"a": "3 09:00"}),
            deploy("d3", "3 11:00", "v1", commits={"a": "3 09:00"}),
        ]
        found = figures(events)
        assert (found["changes"], found["failed_changes"], found["failed_rollouts"], found["deployments"]) == (1, 1, 2, 1)
        assert (found["recovery_s"], found["lead_time_s"]["median"]) == ({"n": 1, "median": HOUR}, 2 * HOUR)

    def test_a_rollback_between_two_attempts_makes_two_changes(self) -> None:
        events = [
            deploy("d1", "3 09:00", "v1"), deploy("d2", "4 10:00", "v2", status="failed"),
            deploy("d3", "4 10:15", "v1", kind="rollback"), deploy("d4", "5 09:00", "v2"),
        ]  # fmt: skip
        found = figures(events)
        assert (found["changes"], found["failed_changes"], found["recovery_s"]["median"]) == (3, 1, 900)

    def test_a_change_is_dated_at_its_first_attempt(self) -> None:
        events = [deploy("d1", "9 23:50", "v1", status="failed"), deploy("d2", "10 00:10", "v1")]
        first, second = figures(events, as_of="20 00:00"), figures(events, first="2025-03-10", end="2025-03-17", as_of="20 00:00")
        assert (first["changes"], first["deployments"], first["recovery_s"]["median"]) == (1, 0, 1200)
        assert (second["changes"], second["deployments"], second["change_fail_rate"]) == (0, 1, None)

    def test_several_marks_make_one_failed_change_and_the_last_recovery_counts(self) -> None:
        events = [
            deploy("d1", "3 10:00", "v1"), failure("f1", "3 10:10", "d1"), failure("f2", "3 10:20", "d1"),
            recovery("f1", "3 12:00"), recovery("f2", "3 11:00"),
        ]  # fmt: skip
        found = figures(events)
        assert (found["failed_changes"], found["recovery_s"]["median"]) == (1, 2 * HOUR)
        assert found["time_to_restore_s"] == {"n": 1, "median": 6600}

    def test_a_change_stays_open_until_all_its_marks_are_closed(self) -> None:
        events = [deploy("d1", "3 10:00", "v1"), failure("f1", "3 10:10", "d1"), failure("f2", "3 10:20", "d1"), recovery("f1", "3 12:00")]
        found = figures(events)
        assert found["recovery_s"]["n"] == 0
        assert found["open_failures"] == [{"deploy": "d1", "age_s": 6 * 24 * HOUR + 14 * HOUR}]

    def test_an_unlinked_incident_blames_nobody(self) -> None:
        events = [
            deploy("d1", "3 10:00", "v1"), failure("f1", "3 10:10", None, service="api", stage="prod"),
            failure("f2", "3 10:20", None, service="api", stage="qa"), failure("f3", "12 10:20", None, service="api", stage="prod"),
        ]  # fmt: skip
        found = figures(events)
        assert (found["unlinked_incidents"], found["failed_changes"]) == (1, 0)
        assert figures(events, service="web")["unlinked_incidents"] == 0

    def test_a_mark_on_a_redeploy_blames_no_change(self) -> None:
        events = [deploy("d1", "3 10:00", "v1"), deploy("d2", "4 10:00", "v1"), failure("f1", "4 10:10", "d2")]
        assert (figures(events)["failed_changes"], figures(events)["unlinked_incidents"]) == (0, 0)

    def test_a_failed_rollout_of_the_live_version_is_a_failed_change(self) -> None:
        events = [deploy("d1", "3 10:00", "v1"), deploy("d2", "4 10:00", "v1", status="failed"), deploy("d3", "4 11:00", "v1")]
        found = figures(events)
        assert (found["changes"], found["failed_changes"], found["redeploys"], found["recovery_s"]["median"]) == (2, 1, 1, HOUR)
