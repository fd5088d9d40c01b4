"""The bot's own records as events: what it did, what it saw, what people and monitors told, each linked by identity."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.action import SaveDeployment
from bot.domain.carried import Carried
from bot.domain.history import CommitRef, Deploy, Failure, Recovery, RolloutKind
from bot.domain.image import Version
from bot.domain.incident import Incident
from bot.domain.promotion import Move, Promotion, PromotionState
from bot.domain.release import Release
from bot.reporting.lineage import trace
from bot.reporting.live import HealthChange, Records, live_history

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
T = datetime(2025, 6, 2, 12, tzinfo=UTC)


def release(tag: str) -> Release:
    return Release.single(Version.parse(tag))


def promotion(number: int, new: str = "1.1.0", old: str = "1.0.0", **more: object) -> Promotion:
    move = Move(service="api", old=release(old), new=release(new))
    base = {"id": f"p{number}", "stage": "prod", "name": "api", "moves": (move,), "branch": "b", "base": "c", "opened_at": T - DAY}
    return Promotion(**({"state": PromotionState.HEALTHY} | base | more))  # type: ignore[arg-type]


def saved(
    number: int, at: datetime, status: str = "success", kind: str = "promotion", new: str = "1.1.0", old: str = "1.0.0"
) -> SaveDeployment:
    version = release(old if kind == "rollback" else new).text
    return SaveDeployment(promotion=promotion(number, new, old), service="api", at=at, status=status, kind=kind, version=version)


def health(state: str, tag: str, at: datetime, stage: str = "prod") -> HealthChange:
    return HealthChange(stage=stage, service="api", state=state, version=release(tag).text, at=at, reason="crash loop")


def deploys(records: Records) -> list[Deploy]:
    return [event for event in live_history(records).events if isinstance(event, Deploy)]


def test_a_rollback_takes_back_the_failed_rollout_of_its_promotion() -> None:
    rows = [saved(1, T, "failed"), saved(1, T + HOUR, kind="rollback")]
    failed, back = deploys(Records(deployments=rows))
    assert (back.kind, back.rolls_back, back.version) == (RolloutKind.ROLLBACK, failed.id, "1.0.0")
    (change,) = trace([failed, back], stage="prod", as_of=T + DAY).changes
    assert change.failed
    assert change.recovery_s == 3600


def test_a_rollback_of_a_healthy_promotion_takes_back_that() -> None:
    good, back = deploys(Records(deployments=[saved(1, T), saved(1, T + HOUR, kind="rollback")]))
    assert back.rolls_back == good.id


def test_a_hotfix_is_rework_and_a_rollback_takes_back_that() -> None:
    rows = [saved(1, T, "failed", kind="hotfix"), saved(1, T + HOUR, kind="rollback")]
    fixing = [replace(row, promotion=replace(row.promotion, hotfix=True)) for row in rows]
    failed, back = deploys(Records(deployments=fixing))
    assert (failed.kind, failed.id, back.rolls_back) == (RolloutKind.HOTFIX, "p1:api:hotfix:failed", failed.id)


def test_a_promotion_to_an_older_version_is_a_rollback() -> None:
    (one,) = deploys(Records(deployments=[saved(1, T, new="1.0.0", old="1.1.0")]))
    assert one.kind is RolloutKind.ROLLBACK


def test_what_the_bot_rolled_out_is_not_told_a_second_time_from_what_it_saw() -> None:
    seen = [health("healthy", "1.0.0", T - DAY), health("progressing", "1.1.0", T - HOUR), health("healthy", "1.1.0", T)]
    first, ours = deploys(Records(deployments=[saved(1, T)], health=seen))
    assert (first.version, first.baseline, first.kind) == ("1.0.0", True, None)
    assert (ours.version, ours.id) == ("1.1.0", "p1:api:promotion:success")


def test_what_people_rolled_out_by_hand_is_a_deployment_too() -> None:
    seen = [health("healthy", "1.0.0", T - DAY), health("healthy", "1.2.0", T)]
    assert [(one.version, one.baseline) for one in deploys(Records(health=seen))] == [("1.0.0", True), ("1.2.0", False)]


def test_a_version_that_never_ran_healthily_was_not_deployed() -> None:
    seen = [health("healthy", "1.0.0", T - DAY), health("degraded", "1.2.0", T), health("healthy", "1.0.0", T + HOUR)]
    assert {one.version for one in deploys(Records(health=seen))} == {"1.0.0"}


def test_a_promotion_that_is_being_watched_is_not_told_before_its_end() -> None:
    seen = [health("healthy", "1.0.0", T - DAY), health("healthy", "1.1.0", T)]
    watched = promotion(1, state=PromotionState.MERGED, merged_at=T - HOUR)
    assert [one.version for one in deploys(Records(health=seen, in_flight=[watched]))] == ["1.0.0"]


def test_a_later_degradation_is_a_failure_of_the_rollout_that_brought_the_version() -> None:
    seen = [health("healthy", "1.1.0", T), health("degraded", "1.1.0", T + DAY), health("healthy", "1.1.0", T + DAY + HOUR)]
    events = live_history(Records(deployments=[saved(1, T)], health=seen)).events
    (failure,) = [event for event in events if isinstance(event, Failure)]
    (recovery,) = [event for event in events if isinstance(event, Recovery)]
    assert (failure.deploy, failure.at, failure.cause) == ("p1:api:promotion:success", T + DAY, "crash loop")
    assert (recovery.failure, recovery.at) == (failure.id, T + DAY + HOUR)


def test_a_degradation_within_the_stages_grace_is_no_failure() -> None:
    seen = [health("healthy", "1.1.0", T), health("degraded", "1.1.0", T + DAY), health("healthy", "1.1.0", T + DAY + timedelta(minutes=1))]
    records = Records(deployments=[saved(1, T)], health=seen)
    patient = live_history(records, grace={"prod": timedelta(minutes=2)})
    assert not [event for event in patient.events if isinstance(event, Failure)]


def test_an_open_degradation_stays_open() -> None:
    seen = [health("healthy", "1.1.0", T), health("degraded", "1.1.0", T + DAY)]
    events = live_history(Records(deployments=[saved(1, T)], health=seen)).events
    (change,) = trace(events, stage="prod", as_of=T + 3 * DAY).open_changes
    assert change.marks[0].at == T + DAY


def test_an_incident_is_linked_by_the_version_it_names_and_never_by_time() -> None:
    named = Incident(id="api:1", source="api", at=T + HOUR, stage="prod", service="api", version="1.1.0", recovered_at=T + 2 * HOUR)
    bare = Incident(id="api:2", source="api", at=T + HOUR, stage="prod", service="api")
    events = live_history(Records(deployments=[saved(1, T)], incidents=[named, bare])).events
    links = {event.id: event.deploy for event in events if isinstance(event, Failure)}
    assert links == {"api:1": "p1:api:promotion:success", "api:2": None}
    assert [event for event in events if isinstance(event, Recovery)] == [Recovery(failure="api:1", at=T + 2 * HOUR)]


def test_commits_come_with_the_rollout_that_carried_them() -> None:
    carried = {"p1:api:promotion:success": Carried(commits=(CommitRef(sha="a", at=T - DAY),))}
    events = live_history(Records(deployments=[saved(1, T)], carried=carried), teams={"api": "blue"}).events
    (lead,) = trace(events, stage="prod", as_of=T + DAY).leads
    assert (lead.sha, lead.seconds, lead.deploy.team) == ("a", 86_400, "blue")
