"""The plan's invariants, over worlds that hypothesis makes up: versions, health, bans, pull requests and branches in any mixture."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.action import ClosePromotion, MergePromotion, OpenPromotion, Revert, UpdatePromotion
from bot.domain.directive import Directive, Order
from bot.domain.facts import Quarantine, StageHold
from bot.domain.order import compare
from bot.domain.promotion import PromotionState
from bot.domain.pull import PullState
from bot.domain.rollout import RolloutState
from bot.planning.gating import first_blocking, judge
from bot.planning.plan import plan
from tests.support.builders import ANA, BASE, HEAD, NOW, config, facts, health, promotion, pull, release, slot, stage, view

VERSIONS = ("0.9.0", "1.0.0", "1.1.0", "1.2.0", "0f3a9c1")
SERVICES = ("payments", "search")
OTHER = "c" * 40

versions = st.sampled_from(VERSIONS)
moments = st.integers(0, 3600).map(lambda seconds: NOW - timedelta(seconds=seconds))
freezes = st.sampled_from(
    [[], [{"gate": "freeze", "during": [{"from": "2026-11-20 00:00", "until": "2026-11-21 00:00", "reason": "sale"}]}]]
)


@st.composite
def stage_views(draw, name):
    found = stage(name, None, head=draw(st.sampled_from([BASE, OTHER])))
    services, healths = {}, {}
    for service in SERVICES:
        if draw(st.booleans()) or service == "payments":
            text = draw(versions)
            torn = draw(st.integers(0, 9)) == 0
            slots = (slot(text, service=service), *((slot("7.7.7", service=service, line=30),) if torn else ()))
            services[service] = view(*slots, service=service)
            healths[service] = health(
                text, service=service, state=draw(st.sampled_from(list(RolloutState))), since=draw(moments), taken=draw(st.booleans())
            )
    return replace(found, services=services, health=healths, cluster_problem=draw(st.sampled_from(["", "connection refused"])))


@st.composite
def records(draw):
    old, new = draw(versions), draw(versions)
    state = draw(st.sampled_from(list(PromotionState)))
    more = {"state": state, "head": draw(st.sampled_from([HEAD, OTHER]))}
    if not state.before_merge:
        more |= {"merged_at": draw(moments), "rollout_since": draw(moments)}
    if state in (PromotionState.FAILED, PromotionState.REVERTING, PromotionState.REVERTED):
        more |= {"failed_at": draw(moments), "reason": "it crashed"}
    if state is PromotionState.OPENING:
        more |= {"number": None}
    return promotion(new, old, **more)


@st.composite
def worlds(draw):
    rules = {
        "gates": [*draw(freezes), *draw(st.sampled_from([[], [{"gate": "approval", "count": 1, "users": ["ana"]}]]))],
        "merge": draw(st.sampled_from(["auto", "manual", "queue"])),
        "on_failure": draw(st.sampled_from(["revert", "revert-pr", "notify"])),
        "batch": draw(st.sampled_from(["service", "stage"])),
    }
    history = (draw(records()),) if draw(st.booleans()) else ()
    pulls = {7: pull(head=draw(st.sampled_from([HEAD, OTHER])), state=draw(st.sampled_from(list(PullState))), read_at=draw(moments))}
    orders = tuple(
        Directive(
            key=str(number), order=order, actor=ANA, at=draw(moments), stage="qa", service="payments", version=draw(versions), head=HEAD
        )
        for number, order in enumerate(draw(st.lists(st.sampled_from([Order.VETO, Order.PIN, Order.HOLD, Order.MERGE]), max_size=2)))
    )
    bans = tuple(
        Quarantine(stage="qa", service="payments", release=release(text), at=draw(moments), reason="it crashed", promotion="x")
        for text in draw(st.lists(versions, max_size=2))
    )
    holds = draw(st.sampled_from([(), (StageHold(stage="qa", at=NOW, reason="two reverts"),)]))
    seen = facts(
        draw(stage_views("dev")),
        draw(stage_views("qa")),
        promotions=history,
        pulls=pulls if draw(st.booleans()) else {},
        branches=draw(st.sampled_from([{}, {"promote/qa/payments": HEAD}, {"promote/qa/payments": OTHER}])),
        directives=orders,
        quarantines=bans,
        stage_holds=holds,
    )
    return config(qa=rules), seen


@settings(max_examples=400)
@given(worlds())
def test_the_plan_is_a_function(world):
    assert plan(*world) == plan(*world)


@settings(max_examples=400)
@given(worlds())
def test_at_most_one_thing_happens_to_a_service(world):
    touched = []
    for action in plan(*world).actions:
        if isinstance(action, OpenPromotion | UpdatePromotion | MergePromotion | Revert | ClosePromotion):
            touched += action.promotion.services
    assert len(touched) == len(set(touched))


@settings(max_examples=600)
@given(worlds())
def test_nothing_is_merged_past_a_gate_or_on_another_head_or_by_the_bot_where_people_merge(world):
    settings_, seen = world
    for action in plan(settings_, seen).actions:
        if isinstance(action, MergePromotion):
            assert first_blocking(judge(settings_, seen, action.promotion)) is None
            assert action.head == action.promotion.head == seen.branches.get(action.promotion.branch, action.promotion.head)
            assert action.base == seen.stages["qa"].head
            assert not seen.stage_holds
            frozen = any(gate.gate == "freeze" and gate.during for gate in settings_.stage("qa").gates)
            assert not frozen
            if settings_.stage("qa").merge == "manual":
                assert any(order.order is Order.MERGE for order in seen.directives)


@settings(max_examples=600)
@given(worlds())
def test_nothing_banned_older_or_unhealthy_is_opened_or_put_into_an_open_one(world):
    settings_, seen = world
    for action in plan(settings_, seen).actions:
        if not isinstance(action, OpenPromotion | UpdatePromotion):
            continue
        for move in action.promotion.moves:
            old = seen.stages["qa"].services[move.service].release
            source = seen.stages["dev"]
            assert (compare(move.new.main, old.main) or 0) >= 0
            if action.promotion.id in {known.id for known in seen.promotions}:
                continue
            assert source.health[move.service].state is RolloutState.HEALTHY
            assert source.services[move.service].release == move.new
            assert not any(ban.service == move.service and ban.release == move.new for ban in seen.quarantines)
            assert not any(
                order.order is Order.VETO and order.version == move.new.main.tag
                for order in seen.directives
                if order.service == move.service
            )
            assert not seen.stage_holds


@settings(max_examples=400)
@given(worlds())
def test_every_wait_and_refusal_has_a_sentence(world):
    for report in plan(*world).reports:
        assert report.sentence.strip()
        assert report.sentence.strip()[-1] in ".!`"


@settings(max_examples=300)
@given(worlds())
def test_nothing_is_taken_back_on_what_cannot_be_seen(world):
    settings_, seen = world
    blind = {name: replace(found, cluster_problem="connection refused", health={}) for name, found in seen.stages.items()}
    unseen = replace(seen, stages=blind)
    for action in plan(settings_, unseen).actions:
        if isinstance(action, Revert):
            assert action.promotion.state is PromotionState.FAILED
        assert not isinstance(action, OpenPromotion) or action.promotion.id in {known.id for known in seen.promotions}
