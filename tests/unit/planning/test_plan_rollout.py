"""After the merge: healthy, failed, taken back, and never passed on what cannot be seen."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.action import Notify, Revert, SaveDeployment, SavePromotion, SaveQuarantine, SaveStageHold, Show
from bot.domain.image import Version
from bot.domain.promotion import PromotionState
from bot.domain.rollout import RolloutState, WorkloadRef, WorkloadState
from bot.planning.plan import plan
from tests.support.builders import NOW, config, facts, health, promotion, stage

RULES = {"qa": {"rollout": {"timeout": "10m", "bake": "2m"}}}


def merged(**more):
    fields = {"state": PromotionState.MERGED, "merged_at": NOW - timedelta(minutes=5), "rollout_since": NOW - timedelta(minutes=5)}
    return promotion(**{**fields, **more})


def watched(state, *, since=NOW - timedelta(minutes=3), present="1.1.0", record=None, rules=RULES, **more):
    target = stage("qa", present, health={"payments": health(present, state=state, since=since, reason="the workload's own word")})
    target = replace(target, **more)
    return plan(config(**rules), facts(stage("dev", "1.1.0"), target, promotions=record or (merged(),)))


def saved(found):
    return next((action.promotion for action in found.actions if isinstance(action, SavePromotion)), None)


def test_healthy_for_the_bake_is_done_and_counted():
    found = watched(RolloutState.HEALTHY)
    assert saved(found).state is PromotionState.HEALTHY
    [row] = [action for action in found.actions if isinstance(action, SaveDeployment)]
    assert (row.status, row.kind, row.at) == ("success", "promotion", NOW - timedelta(minutes=3))


@pytest.mark.parametrize("state", [PromotionState.HEALTHY, PromotionState.REVERTED, PromotionState.STUCK, PromotionState.SUPERSEDED])
def test_an_end_that_the_pull_request_does_not_show_yet_is_shown(state):
    """The bot stopped, or GitHub did not answer, between the record and the pull request."""
    ended = merged(state=state, ended_at=NOW - timedelta(minutes=1), reason="the end")
    target = stage("qa", "1.1.0", health={"payments": health("1.1.0")})
    known = facts(stage("dev", "1.1.0"), target, promotions=(ended,))
    [shown] = [action for action in plan(config(), replace(known, unshown=frozenset({ended.id}))).actions if isinstance(action, Show)]
    assert (shown.promotion, shown.check_summary) == (ended, "the end")
    assert not any(isinstance(action, Show) for action in plan(config(), known).actions)


def test_a_superseded_one_that_never_was_merged_is_not_shown():
    ended = promotion(state=PromotionState.SUPERSEDED, ended_at=NOW - timedelta(minutes=1), reason="the end")
    known = facts(stage("dev", "1.1.0"), stage("qa", "1.1.0"), promotions=(ended,))
    assert not any(isinstance(action, Show) for action in plan(config(), replace(known, unshown=frozenset({ended.id}))).actions)


def test_a_closed_pull_request_does_not_go_on_saying_that_it_waits():
    closed = promotion(state=PromotionState.CLOSED, ended_at=NOW - timedelta(minutes=1), closed_by="ana", reason="@ana closed it.")
    known = replace(facts(stage("dev", "1.1.0"), stage("qa", "1.0.0"), promotions=(closed,)), unshown=frozenset({closed.id}))
    [shown] = [action for action in plan(config(), known).actions if isinstance(action, Show)]
    assert shown.comment.splitlines()[0].endswith("· closed")
    assert shown.comment.endswith("<sub>closed 2026-11-20 11:59:00 UTC</sub>")
    assert (shown.labels, shown.conclusion) == (("promotion", "stage:qa", "promotion:superseded"), "neutral")
    again = replace(promotion("1.2.0"), number=closed.number)
    known = replace(known, promotions=(closed, again))
    assert closed.id not in [action.promotion.id for action in plan(config(), known).actions if isinstance(action, Show)]


def test_healthy_but_not_yet_baked_waits_to_the_second():
    found = watched(RolloutState.HEALTHY, since=NOW - timedelta(minutes=1))
    assert saved(found) is None
    assert found.look_again == NOW + timedelta(minutes=1)


def test_a_healthy_state_from_before_the_merge_bakes_from_the_merge():
    found = watched(RolloutState.HEALTHY, since=NOW - timedelta(days=1), record=(merged(rollout_since=NOW - timedelta(minutes=1)),))
    assert saved(found) is None
    assert found.look_again == NOW + timedelta(minutes=1)


def test_degraded_fails_bans_tells_and_counts():
    found = watched(RolloutState.DEGRADED)
    assert saved(found).state is PromotionState.FAILED
    [ban] = [action.quarantine for action in found.actions if isinstance(action, SaveQuarantine)]
    assert ban.release.main == Version(tag="1.1.0")
    [row] = [action for action in found.actions if isinstance(action, SaveDeployment)]
    assert row.status == "failed"
    [notice] = [action for action in found.actions if isinstance(action, Notify)]
    assert "the workload's own word" in notice.text


def test_grace_is_given_before_degraded_counts():
    found = watched(RolloutState.DEGRADED, since=NOW - timedelta(seconds=10), rules={"qa": {"rollout": {"grace": "30s"}}})
    assert saved(found) is None
    assert found.look_again == NOW + timedelta(seconds=20)


@pytest.mark.parametrize("state", [RolloutState.PROGRESSING, RolloutState.SUSPENDED, RolloutState.UNKNOWN])
def test_not_healthy_by_the_time_limit_is_failed(state):
    late = (merged(rollout_since=NOW - timedelta(minutes=10)),)
    assert saved(watched(state, record=late)).state is PromotionState.FAILED
    early = (merged(rollout_since=NOW - timedelta(minutes=9)),)
    found = watched(state, record=early)
    assert saved(found) is None
    assert found.look_again == NOW + timedelta(minutes=1)


def test_a_cluster_that_cannot_be_seen_is_neither_passed_nor_reverted():
    late = (merged(rollout_since=NOW - timedelta(hours=3)),)
    found = watched(RolloutState.UNKNOWN, record=late, cluster_problem="connection refused")
    assert saved(found) is None
    assert [type(action) for action in found.actions if not type(action).__name__.startswith("SaveHealth")] == [Notify, Show]
    assert "cannot be seen" in next(action for action in found.actions if isinstance(action, Show)).comment


def face(found):
    return next((action for action in found.actions if isinstance(action, Show)), None)


def test_a_rollout_that_takes_its_time_is_shown_once_whatever_its_pods_do():
    record = (merged(merged_at=NOW - timedelta(minutes=5)),)
    found = [face(watched(state, record=record)) for state in (RolloutState.PROGRESSING, RolloutState.UNKNOWN)]
    found.append(face(watched(RolloutState.HEALTHY, since=NOW - timedelta(minutes=1), record=record)))
    assert len({(one.comment, one.check_title, one.conclusion, one.labels) for one in found}) == 1
    assert found[0].comment.splitlines()[0].endswith("merged, rolling out")
    assert "is merged and rolls out in qa. It has until 2026-11-20 12:" in found[0].comment
    assert "promotion:merged" in found[0].labels


def test_a_quick_rollout_is_not_written_of_on_its_way():
    found = watched(RolloutState.PROGRESSING, record=(merged(merged_at=NOW - timedelta(seconds=10)),))
    assert face(found) is None
    assert found.look_again == NOW + timedelta(seconds=5)


def test_one_that_goes_wrong_says_so_while_it_may_still_recover():
    rules = {"qa": {"rollout": {"grace": "30s"}}}
    record = (merged(merged_at=NOW - timedelta(minutes=5)),)
    found = watched(RolloutState.DEGRADED, since=NOW - timedelta(seconds=10), rules=rules, record=record)
    assert "Degraded: the workload's own word. It has until 2026-11-20 12:00:20 UTC to recover." in face(found).comment


def test_a_newer_change_on_the_branch_overtakes_it():
    found = watched(RolloutState.HEALTHY, present="1.2.0")
    assert saved(found).state is PromotionState.SUPERSEDED


def failed(**more):
    return merged(state=PromotionState.FAILED, failed_at=NOW, reason="it crashed", **more)


def test_failed_is_taken_back_with_the_very_edits():
    [action] = [action for action in watched(RolloutState.DEGRADED, record=(failed(),)).actions if isinstance(action, Revert)]
    assert [(edit.old, edit.new) for edit in action.edits] == [(Version(tag="1.0.0"), Version(tag="1.1.0"))]
    assert action.as_pull_request is False
    assert "Reverts-Promotion: " in action.message


def test_revert_by_pull_request_where_the_stage_says_so():
    found = watched(RolloutState.DEGRADED, record=(failed(),), rules={"qa": {"on_failure": "revert-pr"}})
    assert [action.as_pull_request for action in found.actions if isinstance(action, Revert)] == [True]


def test_tell_only_leaves_it_in_place():
    found = watched(RolloutState.DEGRADED, record=(failed(),), rules={"qa": {"on_failure": "notify"}})
    assert not any(isinstance(action, Revert) for action in found.actions)
    assert saved(found).state is PromotionState.STUCK


def test_the_second_revert_in_a_row_holds_the_stage():
    before = promotion(new="1.0.5", state=PromotionState.REVERTED, failed_at=NOW - timedelta(hours=2), ended_at=NOW - timedelta(hours=1))
    found = watched(RolloutState.DEGRADED, record=(before, failed()))
    assert any(isinstance(action, Revert) for action in found.actions)
    assert any(isinstance(action, SaveStageHold) for action in found.actions)


def test_a_healthy_rollout_between_two_reverts_starts_the_count_anew():
    before = promotion(new="1.0.5", state=PromotionState.REVERTED, failed_at=NOW - timedelta(hours=3), ended_at=NOW - timedelta(hours=2))
    healthy = promotion(new="1.0.6", state=PromotionState.HEALTHY, ended_at=NOW - timedelta(hours=1))
    found = watched(RolloutState.DEGRADED, record=(before, healthy, failed()))
    assert not any(isinstance(action, SaveStageHold) for action in found.actions)


def reverting(**more):
    return replace(failed(**more), state=PromotionState.REVERTING, revert_commit="d" * 40)


def test_recovery_ends_when_the_old_version_is_healthy_again():
    found = watched(RolloutState.HEALTHY, present="1.0.0", record=(reverting(rollout_since=NOW - timedelta(minutes=4)),))
    assert saved(found).state is PromotionState.REVERTED
    [row] = [action for action in found.actions if isinstance(action, SaveDeployment)]
    assert (row.kind, row.status, row.at) == ("rollback", "success", NOW - timedelta(minutes=3))


def test_a_revert_that_fails_too_stops_the_stage_and_calls_people():
    found = watched(RolloutState.DEGRADED, present="1.0.0", record=(reverting(rollout_since=NOW - timedelta(minutes=10)),))
    assert saved(found).state is PromotionState.STUCK
    assert any(isinstance(action, SaveStageHold) for action in found.actions)
    assert not any(isinstance(action, Revert) for action in found.actions)


def test_what_turns_bad_later_is_told_once_per_time():
    before = {"payments": health("1.1.0")}
    bad = stage("qa", "1.1.0", health={"payments": health("1.1.0", state=RolloutState.DEGRADED, since=NOW, reason="OOMKilled")})
    found = plan(config(), facts(stage("dev", "1.1.0"), bad, recorded=before))
    [notice] = [action for action in found.actions if isinstance(action, Notify)]
    assert "OOMKilled" in notice.text
    assert not any(isinstance(action, Notify) for action in plan(config(), facts(stage("dev", "1.1.0"), bad)).actions)


def seen(text, state, seconds, *, restarts=0, generation=2):
    ref = WorkloadRef(kind="Deployment", namespace="shop", name="payments", api_version="apps/v1")
    return WorkloadState(
        ref=ref,
        images=(f"ghcr.io/acme/payments:{text}",),
        state=state,
        reason="container crashed" if state is RolloutState.PROGRESSING else "fine",
        observed_at=NOW + timedelta(seconds=seconds),
        uid="u",
        generation=generation,
        restarts=restarts,
    )


def with_timeline(*states):
    """The promotion merged five minutes ago; the last of the states is the present one."""
    present = states[-1]
    found = health("1.1.0", state=present.state, since=present.observed_at, workloads=(present,), reason=present.reason)
    target = stage("qa", "1.1.0", health={"payments": found}, timelines={present.ref: states})
    return plan(config(**RULES), facts(stage("dev", "1.1.0"), target, promotions=(merged(),)))


def test_a_crash_loop_that_looks_healthy_in_between_is_failed():
    looping = with_timeline(
        seen("1.0.0", RolloutState.HEALTHY, -400, generation=1),
        seen("1.1.0", RolloutState.HEALTHY, -240),
        seen("1.1.0", RolloutState.PROGRESSING, -200, restarts=1),
        seen("1.1.0", RolloutState.HEALTHY, -190, restarts=1),
        seen("1.1.0", RolloutState.PROGRESSING, -100, restarts=2),
    )
    assert saved(looping).state is PromotionState.FAILED
    assert "broke again" in saved(looping).reason


def test_one_clean_rise_is_no_bad_news():
    rising = with_timeline(
        seen("1.0.0", RolloutState.HEALTHY, -400, generation=1),
        seen("1.1.0", RolloutState.PROGRESSING, -290),
        seen("1.1.0", RolloutState.HEALTHY, -200),
    )
    assert saved(rising).state is PromotionState.HEALTHY


def test_an_agent_that_stands_elsewhere_has_not_taken_it_however_healthy_it_looks():
    target = stage("qa", "1.1.0", health={"payments": health("1.1.0", since=NOW - timedelta(minutes=3))})
    seen_facts = facts(stage("dev", "1.1.0"), target, promotions=(merged(),), not_taken={merged().id: "f" * 40})
    waiting = plan(config(**RULES), seen_facts)
    assert saved(waiting) is None
    assert "has not taken" in waiting.reports[0].sentence
    late = replace(seen_facts, promotions=(merged(rollout_since=NOW - timedelta(minutes=10)),))
    assert saved(plan(config(**RULES), late)).state is PromotionState.FAILED
    assert "has not taken" in saved(plan(config(**RULES), late)).reason


@pytest.mark.parametrize(("hotfix", "kind"), [(True, "hotfix"), (False, "promotion")])
def test_the_history_knows_a_hotfix(hotfix, kind):
    record = (merged(hotfix=hotfix),)
    for state in (RolloutState.HEALTHY, RolloutState.DEGRADED):
        found = watched(state, record=record)
        assert [action.kind for action in found.actions if isinstance(action, SaveDeployment)] == [kind]
