"""What each verb does when its actor may: the orders that it stores and takes back, and what it refuses. Facts in, effect out."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.commands.grammar import parse
from bot.commands.model import Call, Effect, Outcome, Problem
from bot.commands.scene import Place, Scene, ServiceAt, Subject
from bot.commands.shelf import verbs
from bot.domain.directive import Directive, Order
from bot.domain.facts import Quarantine, StageHold
from bot.domain.people import Person
from tests.support.builders import ANA, NOW, release

BO = Person(id=3, login="bo")
HEAD, BASE, NEWER = "a" * 40, "b" * 40, "c" * 40
AT = NOW - timedelta(minutes=1)


def places(**services: Any) -> Mapping[str, Place]:
    """dev -> qa -> prod; payments 1.2.0, 1.1.0 (brought by a promotion, 1.0.0 before it), 1.0.0."""
    at = {"dev": "1.2.0", "qa": "1.1.0", "prod": "1.0.0"}
    chain = {"dev": ((), ("qa",)), "qa": (("dev",), ("prod",)), "prod": (("qa",), ())}
    found = {}
    for name, (after, before) in chain.items():
        one = ServiceAt(version=at[name], text=f"0={at[name]}", before="1.0.0" if name == "qa" else "", by_promotion=name == "qa")
        found[name] = Place(
            stage=name,
            after=after,
            before=before,
            services={"payments": services.get(name, one)},
            gates={"upstream": True, "hold": False, "soak": True},
        )
    return found


SUBJECT = Subject(
    number=7,
    stage="qa",
    name="payments",
    services={"payments": "1.2.0"},
    head=HEAD,
    head_since=AT - timedelta(hours=1),
    stage_head=BASE,
    base=BASE,
)


def scene(*orders: Directive, subject: Subject | None = SUBJECT, **more: Any) -> Scene:
    fields: dict[str, Any] = {"places": places(), "actor": ANA, "at": AT, "now": NOW, "key": "comment:9:1"}
    return Scene(subject=subject, directives=orders, **{**fields, **more})


def do(line: str, at: Scene | None = None) -> Effect:
    call = parse(line, verbs())
    assert isinstance(call, Call), call
    return verbs()[call.verb].carry(call, at or scene())


def order(kind: Order, **more: Any) -> Directive:
    return Directive(**{"key": f"k{kind}", "order": kind, "actor": BO, "at": AT - timedelta(hours=1), "stage": "qa", **more})


STORED = {
    "approve": (Order.APPROVE, {"stage": "qa", "number": 7, "head": HEAD}),
    "approve qa --sha aaaaaaa": (Order.APPROVE, {"head": HEAD}),
    "hold --reason x": (Order.HOLD, {"stage": "qa", "number": 7, "reason": "x", "until": None}),
    "hold prod --until 4h --reason x": (Order.HOLD, {"stage": "prod", "number": None, "until": AT + timedelta(hours=4)}),
    "hold payments prod --reason x": (Order.HOLD, {"stage": "prod", "service": "payments", "number": None}),
    "freeze prod --until 2d --reason x": (Order.FREEZE, {"stage": "prod", "service": "", "details": {"allow": "rollback"}}),
    "freeze * --until 2d --reason x --allow none": (Order.FREEZE, {"stage": "", "details": {"allow": "none"}}),
    "freeze payments --until 2d --reason x": (Order.FREEZE, {"stage": "", "service": "payments"}),
    "to prod payments": (Order.START, {"stage": "prod", "service": "payments", "version": "1.1.0"}),
    "deploy payments@1.1.0 prod": (Order.START, {"stage": "prod", "version": "1.1.0"}),
    "rollback payments qa --reason x": (
        Order.REVERT,
        {"stage": "qa", "service": "payments", "version": "", "details": {"from": "0=1.1.0", "was": "1.1.0"}},
    ),
    "rollback payments qa --from 1.1.0 --reason x": (Order.REVERT, {"stage": "qa", "version": ""}),
    "rollback payments prod --to 0.9.0 --reason x": (Order.REVERT, {"stage": "prod", "version": "0.9.0"}),
    "pin payments@1.0.0 prod --reason x": (Order.PIN, {"stage": "prod", "service": "payments", "version": "1.0.0"}),
    "veto payments@1.2.0 --reason x": (Order.VETO, {"stage": "", "service": "payments", "version": "1.2.0"}),
    "veto payments@1.2.0 prod --reason x": (Order.VETO, {"stage": "prod"}),
    "override soak --reason x --for 2h": (
        Order.OVERRIDE,
        {"number": 7, "head": HEAD, "base": BASE, "gate": "soak", "until": AT + timedelta(hours=2)},
    ),
    "retry": (Order.RETRY, {"stage": "qa", "service": "payments", "number": None}),
    "cancel --reason x": (Order.CLOSE, {"stage": "qa", "number": 7}),
    "disable": (Order.DISABLE, {"stage": "qa", "number": 7}),
}


@pytest.mark.parametrize("line", STORED)
def test_orders(line: str) -> None:
    kind, fields = STORED[line]
    effect = do(line)
    assert effect.outcome is Outcome.DONE, effect.told
    [stored] = effect.add
    assert (stored.order, stored.actor, stored.at) == (kind, ANA, AT)
    assert stored.key.startswith("comment:9:1")
    assert {name: getattr(stored, name) for name in fields} == fields
    assert effect.stages


@pytest.mark.parametrize("line", STORED)
def test_the_same_again_changes_nothing(line: str) -> None:
    first = do(line)
    again = do(line, scene(*first.add, key="comment:10:1"))
    if line == "retry":
        assert again.outcome is Outcome.DONE
    elif line.startswith(("to ", "deploy", "cancel")):
        assert [replace(one, key="") for one in again.add] == [replace(one, key="") for one in first.add]
    else:
        assert (again.outcome, again.add) == (Outcome.SAME, ()), again.told


REFUSED = {
    "approve prod": Problem.CONFLICT,
    "approve --sha bbbbbbb": Problem.CONFLICT,
    "approve --sha aaa": Problem.CONFLICT,
    "hold nowhere --reason x": Problem.NOT_FOUND,
    "hold --until yesterday --reason x": Problem.USAGE,
    "hold --until 2020-01-01T00:00:00Z --reason x": Problem.USAGE,
    'hold --until "2027-03-28 02:30 Europe/Berlin" --reason x': Problem.USAGE,
    'hold --until "2027-10-31 02:30 Europe/Berlin" --reason x': Problem.USAGE,
    "hold --until 900d --reason x": Problem.USAGE,
    "freeze nowhere --until 1h --reason x": Problem.NOT_FOUND,
    "freeze prod --until 1h --reason x --allow all": Problem.USAGE,
    "to dev payments": Problem.USAGE,
    "to prod payments@1.2.0": Problem.CONFLICT,
    "to prod ledger": Problem.NOT_FOUND,
    "next": Problem.CONFLICT,
    "rollback payments prod --reason x": Problem.CONFLICT,
    "rollback payments qa --from 9.9.9 --reason x": Problem.CONFLICT,
    "rollback ledger prod --reason x": Problem.NOT_FOUND,
    "pin payments prod --reason x": Problem.USAGE,
    "veto payments --reason x": Problem.USAGE,
    "override nothing --reason x": Problem.NOT_FOUND,
    "override hold --reason x": Problem.BLOCKED,
    "why nothing": Problem.NOT_FOUND,
    "queue payments": Problem.NOT_FOUND,
}


@pytest.mark.parametrize("line", REFUSED)
def test_refusals_store_nothing_and_say_why(line: str) -> None:
    effect = do(line)
    assert (effect.outcome, effect.problem, effect.add, effect.withdraw) == (Outcome.REFUSED, REFUSED[line], (), ())
    assert len(effect.told) > 20


@pytest.mark.parametrize(
    "line", ["approve", "merge", "override soak --reason x", "rebase", "cancel", "disable", "enable", "next", "unapprove"]
)
def test_what_is_about_a_pull_request_needs_one(line: str) -> None:
    assert "is about one promotion" in do(line, scene(subject=None)).told


@pytest.mark.parametrize("line", ["approve", "override soak --reason x"])
def test_said_before_the_head_is_not_said_of_it(line: str) -> None:
    young = replace(SUBJECT, head_since=AT + timedelta(seconds=1))
    for subject in (young, replace(SUBJECT, head_since=None)):
        effect = do(line, scene(subject=subject))
        assert (effect.outcome, effect.problem) == (Outcome.REFUSED, Problem.CONFLICT)
        assert "after this was written" in effect.told
    assert do("approve --sha aaaaaaa", scene(subject=young)).outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("line", "kind", "fields"),
    [
        ("unapprove", Order.APPROVE, {"number": 7}),
        ("unhold", Order.HOLD, {"number": 7}),
        ("unhold qa", Order.HOLD, {}),
        ("unfreeze qa", Order.FREEZE, {}),
        ("unfreeze *", Order.FREEZE, {"stage": ""}),
        ("unpin payments", Order.PIN, {"service": "payments"}),
        ("unveto payments@1.2.0", Order.VETO, {"service": "payments", "version": "1.2.0"}),
        ("override cancel soak", Order.OVERRIDE, {"number": 7, "gate": "soak"}),
        ("merge cancel", Order.MERGE, {"number": 7}),
        ("enable", Order.DISABLE, {"number": 7}),
    ],
)
def test_taking_back(line: str, kind: Order, fields: dict[str, Any]) -> None:
    given = order(kind, **fields)
    effect = do(line, scene(given))
    assert (effect.outcome, effect.withdraw, effect.mine) == (Outcome.DONE, (given.key,), False)
    mine = do(line, scene(replace(given, actor=ANA)))
    assert mine.mine is (verbs()[parse(line, verbs()).verb].spec.mine != "")  # type: ignore[union-attr]
    assert do(line).outcome is Outcome.SAME
    elsewhere = replace(given, stage="prod", number=8 if given.number else None)
    if line not in ("unveto payments@1.2.0",):
        assert do(line, scene(elsewhere)).outcome is Outcome.SAME


def test_unhold_takes_ones_own_first_and_leaves_those_of_others() -> None:
    mine, other = order(Order.HOLD, key="1", number=7, actor=ANA), order(Order.HOLD, key="2", number=7)
    effect = do("unhold", scene(mine, other))
    assert (effect.withdraw, effect.mine) == (("1",), True)


def test_unhold_of_a_stage_lifts_the_bot_s_own_stop_and_is_nobody_s_own() -> None:
    stop = StageHold(stage="qa", at=AT, reason="two reverts")
    stopped = {**places(), "qa": replace(places()["qa"], holds=(stop,))}
    effect = do("unhold qa", scene(order(Order.HOLD, actor=ANA), places=stopped))
    assert (effect.lift, effect.mine) == ((replace(stop, lifted_at=NOW),), False)


def test_next_goes_to_every_following_stage_with_exactly_what_was_merged() -> None:
    merged = replace(SUBJECT, open=False, merged=True)
    [stored] = do("next", scene(subject=merged)).add
    assert (stored.order, stored.stage, stored.service, stored.version) == (Order.START, "prod", "payments", "1.2.0")
    assert do("next", scene(subject=replace(merged, stage="prod"))).outcome is Outcome.SAME


@pytest.mark.parametrize("line", ["to prod payments", "next"])
def test_what_is_banned_is_not_started_and_the_way_out_is_named(line: str) -> None:
    merged = replace(SUBJECT, open=False, merged=True, services={"payments": "1.1.0"})
    bad = Quarantine(stage="qa", service="payments", release=release("1.1.0"), at=AT - timedelta(hours=2), reason="crash", promotion="x")
    vetoed = order(Order.VETO, service="payments", version="1.1.0", stage="")
    pinned = order(Order.PIN, service="payments", version="1.0.0", stage="prod")
    for at, way in (
        (scene(subject=merged, quarantines=(bad,)), "`retry payments qa`"),
        (scene(vetoed, subject=merged), "`unveto payments@1.1.0`"),
        (scene(pinned, subject=merged), "`unpin payments prod`"),
    ):
        effect = do(line, at)
        assert (effect.problem, way in effect.told) == (Problem.BLOCKED, True), effect.told
    again = order(Order.RETRY, service="payments")
    assert do(line, scene(again, subject=merged, quarantines=(bad,))).outcome is Outcome.DONE


def test_merge_by_order_only_where_people_merge_and_never_what_a_person_pushed() -> None:
    assert do("merge").outcome is Outcome.SAME
    manual = {**places(), "qa": replace(places()["qa"], merge="manual")}
    [stored] = do("merge", scene(places=manual)).add
    assert (stored.order, stored.head) == (Order.MERGE, HEAD)
    assert do("merge", scene(places=manual, subject=replace(SUBJECT, taken_over=True))).problem is Problem.CONFLICT


def test_rebase_where_there_is_something_to_rebase_on() -> None:
    assert do("rebase").outcome is Outcome.SAME
    [stored] = do("rebase", scene(subject=replace(SUBJECT, stage_head=NEWER))).add
    assert (stored.order, stored.head) == (Order.REBASE, HEAD)


def test_a_new_pin_takes_the_place_of_the_old_one() -> None:
    old = order(Order.PIN, service="payments", version="0.9.0", stage="prod")
    effect = do("pin payments@1.0.0 prod --reason x", scene(old))
    assert (len(effect.add), effect.withdraw) == (1, (old.key,))


@pytest.mark.parametrize(
    "line",
    [
        'approve "@acme/everyone"',
        'approve --sha "[x](http://evil) "',
        'to qa "payments@@acme/team [x](http://evil)"',
        'pin "payments@[x](http://evil)" prod --reason x',
        'veto "payments@1.0 @acme/team" --reason x',
        'rollback payments qa --to "1.0 [skip ci]" --reason x',
        'rollback payments qa --from "@acme/team" --reason x',
        'hold "@acme/team" --reason x',
        'override "@acme/team" --reason x',
        'why "@acme/team"',
        'retry "@acme/team"',
        'freeze "@acme/team" --until 2d --reason x',
        'freeze prod --until "@acme/team" --reason x',
    ],
)
def test_what_was_typed_is_refused_in_a_code_span_only(line: str) -> None:
    effect = do(line)
    assert (effect.outcome, effect.add) == (Outcome.REFUSED, ())
    outside = "".join(effect.told.split("`")[::2])
    assert not any(sign in outside for sign in "@[<")


@pytest.mark.parametrize(
    "version", ["1.9.0", "v1.0.0-rc.1+build", "sha256:" + "a" * 64, "1.0@sha256:" + "a" * 64, "feature/x", "^1.2", "~1.2"]
)
def test_versions_that_can_be_typed(version: str) -> None:
    assert do(f"veto payments@{version} --reason x").outcome is Outcome.DONE
