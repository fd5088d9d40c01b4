"""A backfilled history beside the bot's own: its own wins, nothing is told twice, and what only git knows fills the rest."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.action import SaveDeployment
from bot.domain.history import CommitRef, Deploy, Failure, RolloutKind, RolloutStatus
from bot.domain.image import Version
from bot.domain.incident import Incident
from bot.domain.promotion import Move, Promotion, PromotionState
from bot.domain.release import Release
from bot.reporting.lineage import trace
from bot.reporting.live import HealthChange, Records, live_history

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
T = datetime(2025, 6, 2, 12, tzinfo=UTC)


def rebuilt(commit: str, version: str, at: datetime, **more: object) -> Deploy:
    """What `backfill` makes of a commit whose id is this letter forty times."""
    base: dict[str, object] = {
        "id": f"git:prod:{commit * 16}:api", "service": "api", "stage": "prod", "at": at, "version": version,
        "status": RolloutStatus.SUCCESS, "kind": RolloutKind.PROMOTION, "doubts": ("commit_time", "health_unknown"),
    }  # fmt: skip
    return Deploy(**(base | more))  # type: ignore[arg-type]


def promotion(commit: str | None, version: str, **more: object) -> Promotion:
    move = Move(service="api", old=release("0.9"), new=release(version))
    base: dict[str, object] = {
        "id": f"p-{version}", "stage": "prod", "name": "api", "moves": (move,), "branch": "b", "base": "c", "opened_at": T - 30 * DAY,
        "state": PromotionState.HEALTHY, "merge_commit": commit * 40 if commit else None,
    }  # fmt: skip
    return Promotion(**(base | more))  # type: ignore[arg-type]


def release(version: str) -> Release:
    return Release.single(Version.parse(version))


def recorded(commit: str | None, version: str, at: datetime, status: str = "success") -> SaveDeployment:
    return SaveDeployment(
        promotion=promotion(commit, version), service="api", at=at, status=status, kind="promotion", version=release(version).text
    )


def healthy(version: str, at: datetime) -> HealthChange:
    return HealthChange(stage="prod", service="api", state="healthy", version=release(version).text, at=at)


def told(records: Records) -> list[tuple[str, str]]:
    """Version and where it is known from."""
    return [(one.version, one.id.partition(":")[0]) for one in live_history(records).events if isinstance(one, Deploy)]


def test_what_was_before_the_bot_comes_from_git_and_keeps_its_marks() -> None:
    past = [rebuilt("a", "1.0", T - 9 * DAY, baseline=True), rebuilt("b", "1.1", T - 5 * DAY)]
    found = live_history(Records(rebuilt=past, deployments=[recorded("c", "1.2", T)]), teams={"api": "blue"}).events
    assert [one.id for one in found if isinstance(one, Deploy)] == [past[0].id, past[1].id, "p-1.2:api:promotion:success"]
    assert {one.team for one in found if isinstance(one, Deploy)} == {"blue"}
    assert [one.doubts for one in found if isinstance(one, Deploy)] == [past[0].doubts, past[1].doubts, ()]


def test_the_commit_that_the_bot_merged_is_its_own_rollout_even_where_the_two_disagree() -> None:
    past = [rebuilt("a", "1.0", T - 9 * DAY), rebuilt("b", "1.1", T - HOUR)]
    assert told(Records(rebuilt=past, deployments=[recorded("b", "1.1", T, "failed")])) == [("1.0", "git"), ("1.1", "p-1.1")]


def test_a_rollback_that_the_bot_made_is_not_doubled_by_its_revert_commit() -> None:
    failed = recorded("b", "1.1", T, "failed")
    back = replace(
        failed, kind="rollback", status="success", at=T + HOUR, version=release("0.9").text,
        promotion=replace(failed.promotion, revert_commit="c" * 40),
    )  # fmt: skip
    past = [
        rebuilt("b", "1.1", T - HOUR),
        rebuilt("c", "0.9", T + MINUTE, kind=RolloutKind.ROLLBACK, rolls_back=f"git:prod:{'b' * 16}:api"),
    ]
    assert told(Records(rebuilt=past, deployments=[failed, back])) == [("1.1", "p-1.1"), ("0.9", "p-1.1")]


def test_a_promotion_that_is_still_watched_or_never_ended_well_is_not_told_as_a_success() -> None:
    past = [rebuilt("a", "1.0", T - 9 * DAY), rebuilt("b", "1.1", T - HOUR)]
    watched = promotion("b", "1.1", state=PromotionState.MERGED)
    assert told(Records(rebuilt=past, in_flight=[watched], merged=frozenset({("prod", "b" * 40)}))) == [("1.0", "git")]
    assert told(Records(rebuilt=past, merged=frozenset({("qa", "b" * 40)}))) == [("1.0", "git"), ("1.1", "git")]


def test_the_first_thing_that_the_bot_saw_was_brought_by_a_commit_long_before() -> None:
    past = [rebuilt("a", "1.0", T - 9 * DAY), rebuilt("b", "1.1", T - 5 * DAY, commits=(CommitRef("s", T - 6 * DAY),))]
    found = [one for one in live_history(Records(rebuilt=past, health=[healthy("1.1", T)])).events if isinstance(one, Deploy)]
    assert [one.id for one in found] == [past[0].id, past[1].id]
    assert found[1].commits, "the rollout keeps what git knows of it"


def test_what_the_bot_saw_later_is_told_by_the_bot_and_once() -> None:
    past = [rebuilt("a", "1.0", T - 9 * DAY), rebuilt("b", "1.1", T + HOUR)]
    assert told(Records(rebuilt=past, health=[healthy("1.0", T), healthy("1.1", T + HOUR + MINUTE)])) == [("1.0", "git"), ("1.1", "seen")]


def test_git_and_cluster_may_write_the_same_version_differently() -> None:
    past = [rebuilt("a", "1.0@sha256:" + "a" * 64, T - 9 * DAY), rebuilt("b", "main@sha256:" + "b" * 64, T - HOUR)]
    seen = [healthy("1.0", T - 8 * DAY), healthy("main@sha256:" + "c" * 64, T)]
    assert [where for _, where in told(Records(rebuilt=past, health=seen))] == ["git", "git", "seen"], "another digest is another version"
    seen = [healthy("1.0", T - 8 * DAY), healthy("main@sha256:" + "b" * 64, T)]
    assert [where for _, where in told(Records(rebuilt=past, health=seen))] == ["git", "seen"]


def test_a_gap_in_which_the_bot_did_not_run_is_filled() -> None:
    past = [rebuilt("b", "1.1", T + DAY), rebuilt("c", "1.2", T + 2 * DAY), rebuilt("d", "1.3", T + 3 * DAY)]
    own = Records(rebuilt=past, deployments=[recorded("a", "1.0", T)], health=[healthy("1.0", T), healthy("1.3", T + 9 * DAY)])
    assert told(own) == [("1.0", "p-1.0"), ("1.1", "git"), ("1.2", "git"), ("1.3", "seen")]


def test_an_old_rollout_is_not_taken_for_a_new_one_of_the_same_version() -> None:
    """1.0 was there long ago, then 1.1; the bot saw 1.1, then 1.0 again, whose commit the backfill does not have."""
    past = [rebuilt("a", "1.0", T - 9 * DAY), rebuilt("b", "1.1", T - 5 * DAY)]
    seen = [healthy("1.1", T), healthy("1.0", T + DAY)]
    assert told(Records(rebuilt=past, health=seen)) == [("1.0", "git"), ("1.1", "git"), ("1.0", "seen")]


def test_a_backfill_that_begins_after_the_bot_does_not_tell_its_first_sight_as_new() -> None:
    own = [recorded("a", "1.0", T - 60 * DAY)]
    same, other = (rebuilt("b", version, T - 10 * DAY, baseline=True) for version in ("1.0", "1.1"))
    assert told(Records(rebuilt=[same], deployments=own)) == [("1.0", "p-1.0")]
    assert told(Records(rebuilt=[other], deployments=own)) == [("1.0", "p-1.0"), ("1.1", "git")]


def test_links_to_what_is_left_out_lead_to_what_tells_it() -> None:
    past = [rebuilt("a", "1.0", T - 9 * DAY), rebuilt("b", "1.1", T - HOUR)]
    past.append(rebuilt("c", "1.0", T + DAY, kind=RolloutKind.ROLLBACK, rolls_back=past[1].id))
    incident = Incident(id="i", source="api", at=T + HOUR, stage="prod", service="api", deploy=past[1].id)
    events = live_history(Records(rebuilt=past, deployments=[recorded("b", "1.1", T)], incidents=[incident])).events
    ours = "p-1.1:api:promotion:success"
    assert [one.rolls_back for one in events if isinstance(one, Deploy)] == [None, None, ours]
    assert [one.deploy for one in events if isinstance(one, Failure)] == [ours]
    (_, change) = trace(events, stage="prod", as_of=T + 2 * DAY).changes
    assert change.failed


def test_another_service_or_stage_is_not_touched() -> None:
    past = [
        rebuilt("b", "1.1", T - HOUR, service="web", id=f"git:prod:{'b' * 16}:web"),
        rebuilt("b", "1.1", T - HOUR, stage="qa", id="git:qa:x:api"),
    ]
    assert sorted(told(Records(rebuilt=past, deployments=[recorded("b", "1.1", T)]))) == [("1.1", "git"), ("1.1", "git"), ("1.1", "p-1.1")]
