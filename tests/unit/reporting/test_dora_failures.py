"""Rollbacks, reverts and recoveries, each clause on a history made by hand."""

from tests.support.deliveries import deploy, failure, figures, recovery

HOUR = 3600


class TestRollbacks:
    CHAIN = (deploy("d1", "3 09:00", "v1"), deploy("d2", "4 09:00", "v2"), deploy("d3", "5 09:00", "v3"))

    def test_over_several_versions_blames_the_first_after_the_target(self) -> None:
        found = figures([*self.CHAIN, deploy("d4", "6 09:00", "v1", kind="rollback")])
        assert (found["failed_changes"], found["recovery_s"]["median"]) == (1, 48 * HOUR)

    def test_a_named_culprit_is_blamed(self) -> None:
        found = figures([*self.CHAIN, deploy("d4", "6 09:00", "v1", kind="rollback", rolls_back="d3")])
        assert (found["failed_changes"], found["recovery_s"]["median"]) == (1, 24 * HOUR)

    def test_a_culprit_that_nobody_knows_is_inferred(self) -> None:
        found = figures([*self.CHAIN, deploy("d4", "6 09:00", "v1", kind="rollback", rolls_back="ghost")])
        assert found["recovery_s"]["median"] == 48 * HOUR

    def test_counts_from_the_last_time_the_target_was_live(self) -> None:
        events = [
            deploy("d1", "3 09:00", "v1"), deploy("d2", "4 09:00", "v2"), deploy("d3", "4 10:00", "v1", kind="rollback"),
            deploy("d4", "5 09:00", "v3"), deploy("d5", "5 12:00", "v1", kind="rollback"),
        ]  # fmt: skip
        found = figures(events)
        assert (found["failed_changes"], found["rollbacks"], found["recovery_s"]) == (2, 2, {"n": 2, "median": 2 * HOUR})

    def test_answers_the_failed_rollout_before_anything_else(self) -> None:
        events = [*self.CHAIN[:2], deploy("d3", "5 09:00", "v3", status="failed"), deploy("d4", "5 10:00", "v1", kind="rollback")]
        found = figures(events)
        assert (found["changes"], found["failed_changes"], found["recovery_s"]["median"]) == (3, 1, HOUR)

    def test_closes_the_open_failures_of_everything_it_withdraws(self) -> None:
        events = [*self.CHAIN, failure("f1", "5 10:00", "d3"), deploy("d4", "6 09:00", "v1", kind="rollback")]
        found = figures(events)
        assert (found["failed_changes"], found["open_failures"]) == (2, [])
        assert (found["recovery_s"], found["time_to_restore_s"]["median"]) == ({"n": 2, "median": 36 * HOUR}, 23 * HOUR)

    def test_to_a_version_before_the_history_withdraws_everything(self) -> None:
        found = figures([*self.CHAIN[1:], deploy("d4", "6 09:00", "v0", kind="rollback")])
        assert (found["failed_changes"], found["recovery_s"]["median"]) == (1, 48 * HOUR)

    def test_a_failed_rollback_restores_nothing(self) -> None:
        events = [
            *self.CHAIN[:1],
            deploy("d2", "4 09:00", "v2", status="failed"),
            deploy("d3", "4 10:00", "v1", kind="rollback", status="failed"),
        ]
        assert figures(events)["open_failures"] == [{"deploy": "d2", "age_s": 5 * 24 * HOUR + 15 * HOUR}]

    def test_another_service_is_not_touched(self) -> None:
        events = [*self.CHAIN[:2], deploy("w1", "4 10:00", "v3", service="web"), deploy("d4", "5 09:00", "v1", kind="rollback")]
        found = figures(events)
        assert found["by_service"]["web"]["change_fail_rate"] == 0.0
        assert found["by_service"]["api"]["change_fail_rate"] == 0.5


class TestRecovery:
    BAD = (deploy("d1", "3 09:00", "v1"), deploy("d2", "4 09:00", "v2", prs=[7]), failure("f1", "4 09:30", "d2"))

    def test_by_a_fix(self) -> None:
        found = figures([*self.BAD, deploy("d3", "4 11:00", "v3", kind="hotfix", fixes=["d2"])])
        assert (found["recovery_s"]["median"], found["time_to_restore_s"]["median"]) == (2 * HOUR, 5400)
        assert found["rework_rate"] == 0.333333

    def test_a_fix_alone_does_not_make_a_failure(self) -> None:
        found = figures([*self.BAD[:2], deploy("d3", "4 11:00", "v3", kind="hotfix", fixes=["d2"])])
        assert found["failed_changes"] == 0

    def test_by_a_revert_which_is_itself_a_failure_mark(self) -> None:
        found = figures([*self.BAD[:2], deploy("d3", "4 12:00", "v3", kind="revert", reverts_prs=[7])])
        assert (found["failed_changes"], found["recovery_s"]["median"], found["rework_rate"]) == (1, 3 * HOUR, 0.333333)

    def test_a_revert_in_the_same_batch_is_no_failure(self) -> None:
        found = figures([deploy("d1", "3 09:00", "v1", prs=[7, 8], reverts_prs=[7])])
        assert found["failed_changes"] == 0

    def test_a_revert_blames_the_first_carrier_only(self) -> None:
        events = [
            deploy("d1", "3 09:00", "v1", prs=[7]),
            deploy("d2", "4 09:00", "v2", prs=[7, 8]),
            deploy("d3", "5 09:00", "v3", reverts_prs=[7]),
        ]
        found = figures(events)
        assert (found["failed_changes"], found["daily"]["change_fail_rate"][0]) == (1, 1.0)

    def test_a_next_promotion_does_not_recover_a_marked_deployment(self) -> None:
        assert len(figures([*self.BAD, deploy("d3", "5 09:00", "v3")])["open_failures"]) == 1

    def test_a_next_success_of_any_kind_recovers_a_failed_rollout(self) -> None:
        bad = deploy("d2", "4 09:00", "v2", status="failed")
        for after in (deploy("d3", "4 10:00", "v3"), deploy("d3", "4 10:00", "v1"), deploy("d3", "4 10:00", "v2")):
            assert figures([self.BAD[0], bad, after])["recovery_s"] == {"n": 1, "median": HOUR}

    def test_an_explicit_recovery_of_a_failed_rollout_counts_instead(self) -> None:
        bad = [deploy("d2", "4 09:00", "v2", status="failed"), failure("f1", "4 09:05", "d2"), recovery("f1", "4 12:00")]
        assert figures([self.BAD[0], *bad, deploy("d3", "4 10:00", "v3")])["recovery_s"]["median"] == 3 * HOUR

    def test_the_earliest_end_counts(self) -> None:
        events = [*self.BAD, deploy("d3", "4 10:00", "v1", kind="rollback"), recovery("f1", "4 12:00")]
        assert figures(events)["recovery_s"]["median"] == HOUR

    def test_a_retry_that_succeeded_can_fail_again(self) -> None:
        events = [deploy("d1", "4 09:00", "v1", status="failed"), deploy("d2", "4 10:00", "v1"), failure("f1", "4 12:00", "d2")]
        assert figures(events)["open_failures"] == [{"deploy": "d1", "age_s": 5 * 24 * HOUR + 15 * HOUR}]
        assert figures([*events, recovery("f1", "4 13:00")])["recovery_s"]["median"] == 4 * HOUR

    def test_open_failures_from_before_the_window_count_and_later_ones_do_not(self) -> None:
        old = [deploy("d1", "1 00:00", "v1"), failure("f1", "1 01:00", "d1")]
        new = [deploy("d9", "10 00:00", "v9"), failure("f9", "10 01:00", "d9")]
        found = figures([*old, *new], as_of="11 00:00")
        assert found["open_failures"] == [{"deploy": "d1", "age_s": 10 * 24 * HOUR}]

    def test_a_recovery_before_the_failure_is_dropped(self) -> None:
        events = [*self.BAD, recovery("f1", "4 08:00")]
        assert (figures(events)["recovery_s"]["n"], figures(events)["open_failures"]) == (0, [])
