"""What is opened, and what is not: facts in, exactly these actions out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.action import OpenPromotion
from bot.domain.directive import Directive, Order
from bot.domain.facts import Quarantine, StageHold
from bot.domain.image import Version
from bot.domain.promotion import PromotionState
from bot.domain.rollout import RolloutState
from bot.domain.slot import SlotProblem
from bot.planning.plan import plan
from bot.planning.standing import Standing
from tests.support.builders import ANA, BASE, LONG_AGO, NOW, config, facts, health, promotion, release, slot, stage, view


def only_report(found):
    assert [report.service for report in found.reports] == ["payments"]
    return found.reports[0]


def test_a_newer_healthy_version_upstream_is_opened():
    found = plan(config(), facts(stage("dev", "1.1.0"), stage("qa", "1.0.0")))
    [action] = found.actions
    assert isinstance(action, OpenPromotion)
    assert action.title == "promote(qa): payments 1.0.0 -> 1.1.0"
    assert action.promotion.branch == "promote/qa/payments"
    assert action.promotion.state is PromotionState.OPENING
    assert action.promotion.base == BASE
    [move] = action.promotion.moves
    [edit] = move.edits
    assert (edit.path, edit.old, edit.new) == ("payments/deployment.yaml", Version(tag="1.0.0"), Version(tag="1.1.0"))
    assert action.labels[:2] == ("promotion", "stage:qa")
    assert only_report(found).standing is Standing.READY


def test_the_same_version_wants_nothing():
    found = plan(config(), facts(stage("dev"), stage("qa")))
    assert found.actions == ()
    assert only_report(found).standing is Standing.UP_TO_DATE


def test_a_service_that_the_target_lacks_is_told():
    found = plan(config(), facts(stage("dev"), stage("qa", None)))
    assert found.actions == ()
    assert only_report(found).standing is Standing.ABSENT
    assert "not in qa" in only_report(found).sentence


@pytest.mark.parametrize("state", [RolloutState.PROGRESSING, RolloutState.DEGRADED, RolloutState.UNKNOWN, RolloutState.SUSPENDED])
def test_an_upstream_that_is_not_healthy_opens_nothing(state):
    upstream = stage("dev", "1.1.0", health={"payments": health("1.1.0", state=state, reason="pods crash")})
    found = plan(config(), facts(upstream, stage("qa")))
    assert found.actions == ()
    assert only_report(found).standing is Standing.WAITING


def test_an_upstream_whose_cluster_runs_something_else_opens_nothing():
    upstream = stage("dev", "1.1.0", health={"payments": health("1.1.0", taken=False)})
    assert plan(config(), facts(upstream, stage("qa"))).actions == ()


def test_soak_is_waited_for_and_named_to_the_second():
    since = NOW - timedelta(minutes=5)
    upstream = stage("dev", "1.1.0", health={"payments": health("1.1.0", since=since)})
    found = plan(config(qa={"gates": [{"gate": "soak", "for": "10m"}]}), facts(upstream, stage("qa")))
    assert found.actions == ()
    assert found.look_again == since + timedelta(minutes=10)
    assert only_report(found).standing is Standing.WAITING


def test_a_target_that_is_ahead_is_never_downgraded():
    found = plan(config(), facts(stage("dev", "1.0.0"), stage("qa", "1.2.0")))
    assert found.actions == ()
    assert only_report(found).standing is Standing.DIVERGED
    assert "rollback" in only_report(found).sentence


@pytest.mark.parametrize("where", ["dev", "qa"])
def test_slots_that_disagree_are_ambiguous_with_their_places(where):
    torn = view(slot("1.1.0"), slot("1.2.0", path="payments/job.yaml", line=3))
    stages = {name: stage(name, "1.1.0" if name == "dev" else "1.0.0") for name in ("dev", "qa")}
    stages[where] = replace(stages[where], services={"payments": torn})
    found = plan(config(), facts(*stages.values()))
    assert found.actions == ()
    assert only_report(found).standing is Standing.AMBIGUOUS
    assert "payments/job.yaml:3" in only_report(found).sentence


def test_a_broken_file_stops_its_own_service_only():
    broken = SlotProblem(path="payments/deployment.yaml", line=4, code="ParseError", message="this is not YAML.")
    upstream = stage("dev", "1.1.0")
    both = replace(
        upstream,
        services={**upstream.services, "search": view(slot("2.1", service="search"), service="search")},
        health={**upstream.health, "search": health("2.1", service="search")},
    )
    target = stage("qa", "2.0", service="search", problems=(broken,))
    found = plan(config(), facts(both, target))
    assert [action.promotion.name for action in found.actions if isinstance(action, OpenPromotion)] == ["search"]
    payments = next(report for report in found.reports if report.service == "payments")
    assert payments.standing is Standing.UNREADABLE
    assert payments.places == ("payments/deployment.yaml:4",)


def bans():
    order = {"actor": ANA, "at": LONG_AGO, "key": "k"}
    return {
        Standing.QUARANTINED: {
            "quarantines": (
                Quarantine(stage="qa", service="payments", release=release("1.1.0"), at=LONG_AGO, reason="it crashed.", promotion="p"),
            )
        },
        Standing.VETOED: {"directives": (Directive(order=Order.VETO, service="payments", version="1.1.0", **order),)},
        Standing.PINNED: {"directives": (Directive(order=Order.PIN, service="payments", stage="qa", version="1.0.0", **order),)},
        Standing.HELD: {"stage_holds": (StageHold(stage="qa", at=LONG_AGO, reason="two reverts."),)},
        Standing.CLOSED: {"promotions": (promotion(state=PromotionState.CLOSED, closed_by="ana", ended_at=LONG_AGO),)},
    }


@pytest.mark.parametrize("standing", bans())
def test_bans_keep_a_version_out_and_say_who_lifts_them(standing):
    found = plan(config(), facts(stage("dev", "1.1.0"), stage("qa"), **bans()[standing]))
    assert not any(isinstance(action, OpenPromotion) for action in found.actions)
    assert only_report(found).standing is standing
    assert "/promote" in only_report(found).sentence


@pytest.mark.parametrize("standing", [Standing.QUARANTINED, Standing.VETOED, Standing.CLOSED])
def test_a_newer_version_is_not_banned_with_the_old_one(standing):
    found = plan(config(), facts(stage("dev", "1.1.1"), stage("qa"), **bans()[standing]))
    assert [type(action) for action in found.actions] == [OpenPromotion]


def test_a_quarantine_upstream_holds_downstream_too():
    everything = config(uat={"after": "qa"})
    ban = Quarantine(stage="qa", service="payments", release=release("1.1.0"), at=LONG_AGO, reason="it crashed.", promotion="p")
    found = plan(everything, facts(stage("qa", "1.1.0"), stage("uat"), about="uat", quarantines=(ban,)))
    assert only_report(found).standing is Standing.QUARANTINED


def test_a_retry_lifts_the_quarantine():
    retry = Directive(key="r", order=Order.RETRY, actor=ANA, at=NOW, stage="qa", service="payments")
    facts_ = facts(stage("dev", "1.1.0"), stage("qa"), directives=(retry,), **bans()[Standing.QUARANTINED])
    assert [type(action) for action in plan(config(), facts_).actions] == [OpenPromotion]


def test_two_upstreams_must_agree():
    both = config(**{"dev-eu": {}, "qa": {"after": ["dev", "dev-eu"]}})
    found = plan(both, facts(stage("dev", "1.1.0"), stage("dev-eu", "1.0.0"), stage("qa")))
    assert found.actions == ()
    assert "dev-eu has 1.0.0" in only_report(found).sentence
    agreed = plan(both, facts(stage("dev", "1.1.0"), stage("dev-eu", "1.1.0"), stage("qa")))
    assert [type(action) for action in agreed.actions] == [OpenPromotion]


def test_any_of_two_upstreams_is_enough_when_configured():
    either = config(**{"dev-eu": {}, "qa": {"after": ["dev", "dev-eu"], "needs": "any"}})
    found = plan(either, facts(stage("dev", "1.1.0"), stage("dev-eu", "1.0.0"), stage("qa")))
    assert [type(action) for action in found.actions] == [OpenPromotion]


def test_a_batch_goes_as_one():
    upstream = stage("dev", "1.1.0")
    upstream = replace(
        upstream,
        services={**upstream.services, "search": view(slot("2.1", service="search"), service="search")},
        health={**upstream.health, "search": health("2.1", service="search")},
    )
    target = stage("qa", "1.0.0")
    target = replace(target, services={**target.services, "search": view(slot("2.0", service="search"), service="search")})
    [action] = [
        action for action in plan(config(qa={"batch": "stage"}), facts(upstream, target)).actions if isinstance(action, OpenPromotion)
    ]
    assert action.promotion.services == ("payments", "search")
    assert action.promotion.branch == "promote/qa/all"


def test_a_service_goes_after_the_one_it_needs():
    ordered = config(services={"payments": {"images": "ghcr.io/acme/payments", "after": ["search"]}})
    upstream = stage("dev", "1.1.0")
    upstream = replace(
        upstream,
        services={**upstream.services, "search": view(slot("2.1", service="search"), service="search")},
        health={**upstream.health, "search": health("2.1", service="search")},
    )
    target = stage("qa", "1.0.0")
    target = replace(target, services={**target.services, "search": view(slot("2.0", service="search"), service="search")})
    found = plan(ordered, facts(upstream, target))
    assert [action.promotion.name for action in found.actions if isinstance(action, OpenPromotion)] == ["search"]
