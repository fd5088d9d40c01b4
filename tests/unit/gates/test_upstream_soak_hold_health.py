"""The gates that look at the stages themselves."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.directive import Order
from bot.domain.facts import StageHold, Upstream
from bot.domain.rollout import RolloutState
from bot.domain.verdict import Outcome
from tests.support.builders import ANA, NOW, health, release
from tests.support.cases import case, gate, judge, move, order, upstream

UPSTREAM = gate("upstream").placed(after=("uat",))
BOTH = gate("upstream").placed(after=("eu", "us"))


@pytest.mark.parametrize(
    ("seen", "outcome", "sentence"),
    [
        (upstream(), Outcome.PASSED, "payments 1.1.0 runs healthily in uat."),
        (upstream(declares=False, release=release("1.0.9")), Outcome.FAILED, "uat declares 1.0.9, not 1.1.0."),
        (
            upstream(state=RolloutState.DEGRADED, reason="CrashLoopBackOff in web-1."),
            Outcome.FAILED,
            "payments 1.1.0 is degraded in uat: CrashLoopBackOff in web-1.",
        ),
        (upstream(state=RolloutState.TIMED_OUT), Outcome.FAILED, "payments 1.1.0 is timed out in uat."),
        (upstream(state=RolloutState.PROGRESSING), Outcome.PENDING, "payments 1.1.0 is not healthy in uat yet (progressing)."),
        (upstream(state=RolloutState.SUSPENDED), Outcome.PENDING, "payments 1.1.0 is not healthy in uat yet (suspended)."),
        (
            upstream(state=RolloutState.UNKNOWN, reason="no route"),
            Outcome.UNKNOWN,
            "Nobody can say how payments 1.1.0 is in uat: no route.",
        ),
        (upstream(state=RolloutState.UNKNOWN, declares=False, release=None), Outcome.UNKNOWN, "Nobody can say what uat runs."),
    ],
)
def test_upstream(seen: Upstream, outcome: Outcome, sentence: str) -> None:
    verdict = judge(UPSTREAM, case(upstreams=(seen,)))
    assert (verdict.outcome, verdict.sentence) == (outcome, sentence)
    assert bool(verdict.changer) is (outcome is not Outcome.PASSED)


def test_an_upstream_stage_that_was_not_seen_is_unknown() -> None:
    assert judge(UPSTREAM, case(upstreams=())).outcome is Outcome.UNKNOWN
    assert judge(BOTH, case(upstreams=(upstream("elsewhere"),))).outcome is Outcome.UNKNOWN
    assert judge(BOTH, case(upstreams=(), needs_all=False)).outcome is Outcome.UNKNOWN


def test_a_stage_that_does_not_have_the_service_is_left_out() -> None:
    assert judge(BOTH, case(upstreams=(upstream("eu"),))).outcome is Outcome.PASSED


def test_a_first_stage_has_nothing_before_it() -> None:
    assert judge(gate("upstream").placed(after=()), case(upstreams=())).outcome is Outcome.PASSED


BAD = upstream("us", state=RolloutState.DEGRADED)
LATE = upstream("us", state=RolloutState.PROGRESSING)
DARK = upstream("us", state=RolloutState.UNKNOWN)


@pytest.mark.parametrize(
    ("seen", "every", "some"),
    [
        ((upstream("eu"), BAD), Outcome.FAILED, Outcome.PASSED),
        ((upstream("eu"), DARK), Outcome.UNKNOWN, Outcome.PASSED),
        ((upstream("eu", state=RolloutState.PROGRESSING), BAD), Outcome.FAILED, Outcome.PENDING),
        ((upstream("eu", state=RolloutState.UNKNOWN), LATE), Outcome.UNKNOWN, Outcome.PENDING),
        ((upstream("eu", state=RolloutState.UNKNOWN), BAD), Outcome.FAILED, Outcome.UNKNOWN),
    ],
)
def test_all_upstreams_or_any(seen: tuple[Upstream, ...], every: Outcome, some: Outcome) -> None:
    assert judge(BOTH, case(upstreams=seen)).outcome is every
    assert judge(BOTH, case(upstreams=seen, needs_all=False)).outcome is some


def test_the_stages_of_upstream_are_the_stages_own() -> None:
    with pytest.raises(ValueError, match="those of the stage's `after`"):
        gate("upstream", stages=["qa"]).placed(after=("uat",))


def soak(**seen: Any) -> Any:
    return judge(gate("soak", **{"for": "1h"}), case(upstreams=(upstream(**seen),)))


def test_soak_ends_at_the_exact_second() -> None:
    assert soak(since=NOW - timedelta(hours=1)).outcome is Outcome.PASSED
    waiting = soak(since=NOW - timedelta(minutes=59, seconds=59))
    assert (waiting.outcome, waiting.look_again) == (Outcome.PENDING, NOW + timedelta(seconds=1))
    assert waiting.sentence == "Soaks in uat for 1h: 1s left, until 2026-11-20 12:00:01 UTC."


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        ({"state": RolloutState.DEGRADED}, Outcome.PENDING),
        ({"state": RolloutState.PROGRESSING}, Outcome.PENDING),
        ({"declares": False}, Outcome.PENDING),
        ({"since": None}, Outcome.PENDING),
        ({"state": RolloutState.UNKNOWN}, Outcome.UNKNOWN),
    ],
)
def test_the_clock_of_soak_runs_only_while_the_version_is_healthy(seen: dict[str, Any], outcome: Outcome) -> None:
    assert soak(**seen).outcome is outcome


def test_soak_takes_the_latest_of_all_and_the_earliest_of_any() -> None:
    seen = (upstream("eu", since=NOW - timedelta(hours=2)), upstream("us", since=NOW - timedelta(minutes=20)))
    made = gate("soak", **{"for": "1h"})
    assert judge(made, case(upstreams=seen)).look_again == NOW + timedelta(minutes=40)
    assert judge(made, case(upstreams=seen, needs_all=False)).outcome is Outcome.PASSED
    with_bad = (seen[0], upstream("us", state=RolloutState.DEGRADED))
    assert judge(made, case(upstreams=with_bad)).outcome is Outcome.PENDING
    assert judge(made, case(upstreams=with_bad, needs_all=False)).outcome is Outcome.PASSED


def test_a_hold_names_who_why_and_until_when() -> None:
    held = order(Order.HOLD, service="payments", reason="load test.", until=NOW + timedelta(hours=1))
    verdict = judge(gate("hold"), case(directives=(held, order(Order.HOLD, number=7, at=NOW - timedelta(hours=2), key="k"))))
    assert verdict.outcome is Outcome.PENDING
    assert verdict.sentence == (
        "@ana holds this pull request since 2026-11-20 10:00 UTC. "
        "@ana holds payments since 2026-11-20 11:00 UTC until 2026-11-20 13:00 UTC: load test."
    )
    assert verdict.look_again == NOW + timedelta(hours=1)
    assert "unhold" in verdict.changer


def test_an_ended_hold_and_one_that_was_taken_back_do_not_hold() -> None:
    ended = (order(Order.HOLD, until=NOW), order(Order.HOLD, withdrawn_at=NOW - timedelta(minutes=1)))
    assert judge(gate("hold"), case(directives=ended)).outcome is Outcome.PASSED


def test_a_hold_is_lifted_and_not_overridden() -> None:
    held = order(Order.HOLD)
    skip = order(Order.OVERRIDE, gate="hold", head=case().head, base=case().base)
    verdict = judge(gate("hold"), case(directives=(held, skip)))
    assert verdict.outcome is Outcome.PENDING
    assert "cannot be overridden" in verdict.sentence


def test_a_stage_that_the_bot_stopped_stays_stopped_until_lifted() -> None:
    stop = StageHold(stage="prod", at=NOW - timedelta(hours=1), reason="two reverts in a row")
    assert judge(gate("hold"), case(stage_holds=(stop,))).outcome is Outcome.FAILED
    lifted = StageHold(stage="prod", at=NOW - timedelta(hours=1), reason="x", lifted_at=NOW)
    elsewhere = StageHold(stage="qa", at=NOW - timedelta(hours=1), reason="x")
    assert judge(gate("hold"), case(stage_holds=(lifted, elsewhere))).outcome is Outcome.PASSED


def test_disable_holds_too() -> None:
    verdict = judge(gate("hold"), case(directives=(order(Order.DISABLE, number=7, actor=ANA),)))
    assert verdict.outcome is Outcome.PENDING
    assert "/promote enable" in verdict.changer


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (health(), Outcome.PASSED),
        (health(state=RolloutState.DEGRADED, reason="OOMKilled"), Outcome.FAILED),
        (health(state=RolloutState.TIMED_OUT), Outcome.FAILED),
        (health(state=RolloutState.PROGRESSING), Outcome.PENDING),
        (health(state=RolloutState.SUSPENDED), Outcome.PENDING),
        (health(state=RolloutState.UNKNOWN), Outcome.UNKNOWN),
        (health(taken=False, running=("ghcr.io/acme/payments:0.9",)), Outcome.FAILED),
    ],
)
def test_health_of_the_target(found: Any, outcome: Outcome) -> None:
    assert judge(gate("health"), case(target={"payments": found})).outcome is outcome


def test_health_is_unknown_where_nothing_is_known() -> None:
    assert judge(gate("health"), case(target={})).outcome is Outcome.UNKNOWN
    assert judge(gate("health", scope="stage"), case(target={})).outcome is Outcome.UNKNOWN
    dark = judge(gate("health"), case(target_problem="connection refused"))
    assert (dark.outcome, dark.sentence) == (Outcome.UNKNOWN, "Nobody can say how prod is: connection refused.")


def test_health_looks_at_its_scope_and_at_drift_when_asked() -> None:
    target = {"payments": health(), "orders": health(service="orders", state=RolloutState.DEGRADED)}
    assert judge(gate("health"), case(target=target)).outcome is Outcome.PASSED
    assert judge(gate("health", scope="stage"), case(target=target)).outcome is Outcome.FAILED
    drifted = {"payments": health(taken=False)}
    assert judge(gate("health", drift=False), case(target=drifted)).outcome is Outcome.PASSED
    assert "drifted in prod" in judge(gate("health"), case(target=drifted)).sentence
    batch = case(moves=(move(), move(service="orders")), target=target)
    assert judge(gate("health"), batch).outcome is Outcome.FAILED
