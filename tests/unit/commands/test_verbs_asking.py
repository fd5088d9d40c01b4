"""Verbs that only ask: what each asks for, of which stage; nothing is stored. And what each says where it cannot know what is meant."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.commands.grammar import read
from bot.commands.model import Outcome, Problem
from bot.commands.shelf import verbs
from bot.domain.directive import Order
from bot.domain.facts import Quarantine
from tests.support.builders import ANA, NOW, release
from tests.unit.commands.test_verbs import AT, BASE, HEAD, SUBJECT, do, order, places, scene

NOBODY = scene(subject=None)


@pytest.mark.parametrize(
    ("line", "query", "subject", "gate", "stages"),
    [
        ("help", "help", "", "", ()),
        ("help Approve", "help", "approve", "", ()),
        ("link", "link", "", "", ()),
        ("ping", "ping", "", "", ()),
        ("whoami", "whoami", "", "", ()),
        ("status", "status", "", "", ("qa",)),
        ("info payments prod", "status", "payments", "", ("prod",)),
        ("queue", "queue", "", "", ("qa",)),
        ("queue prod", "queue", "", "", ("prod",)),
        ("why", "why", "", "", ("qa",)),
        ("explain soak", "why", "", "soak", ("qa",)),
        ("why soaks", "why", "", "soak", ("qa",)),
        ("why payments prod", "why", "payments", "", ("prod",)),
        ("retry SOAK", "recheck", "", "soak", ("qa",)),
    ],
)
def test_what_only_asks_stores_nothing(line: str, query: str, subject: str, gate: str, stages: tuple[str, ...]) -> None:
    effect = do(line)
    assert (effect.outcome, effect.add, effect.withdraw, effect.lift) == (Outcome.ASKED, (), (), ())
    assert (effect.query, effect.subject, effect.gate, effect.stages) == (query, subject, gate, stages)


def test_elsewhere_than_on_a_pull_request_status_is_of_every_stage() -> None:
    assert do("status", NOBODY).stages == ()


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("queue", "`queue <stage>`"),
        ("why payments", "`why <service> <stage>`"),
        ("why", "is about one promotion"),
        ("retry payments", "`retry <service> <stage>`"),
        ("retry", "`retry <service> <stage>`"),
        ("retry prod", "`retry <service> <stage>`"),
        ("hold payments --reason x", "`hold <stage> <service> --reason TEXT`"),
        ("hold --reason x", "is about one promotion"),
        ("unhold", "is about one promotion"),
        ("pin payments@1.0.0 --reason x", "`pin <service>@<version> <stage> --reason TEXT`"),
        ("unpin payments", "`unpin <service> <stage>`"),
        ("to prod qa", "`to <stage> <service>[@version]`"),
        ("to payments payments", "is no stage and no service"),
        ("rollback payments payments --reason x", "is no stage and no service"),
        ("rollback prod qa --reason x", "`rollback <service> <stage> [--to VERSION] --reason TEXT`"),
        ("unveto payments", "`unveto <service>@<version> [stage]`"),
    ],
)
def test_what_is_missing_is_named_as_it_is_typed(line: str, hint: str) -> None:
    effect = do(line, NOBODY)
    assert effect.outcome is Outcome.REFUSED
    assert hint in effect.told


@pytest.mark.parametrize(
    "line",
    [
        "status nowhere",
        "queue nowhere",
        "retry nowhere",
        "to nowhere payments",
        "rollback nowhere prod --reason x",
        "pin nowhere@1 prod --reason x",
        "unpin nowhere prod",
        "unhold nowhere",
        "unfreeze nowhere",
        "veto nowhere@1 --reason x",
        "unveto nowhere@1",
    ],
)
def test_a_word_that_names_nothing_is_answered_with_what_there_is(line: str) -> None:
    effect = do(line)
    assert (effect.outcome, effect.problem, effect.add, effect.withdraw) == (Outcome.REFUSED, Problem.NOT_FOUND, (), ())
    assert "Stages: dev, qa, prod. Services: payments." in effect.told
    assert "`nowhere" in effect.told


@pytest.mark.parametrize("line", ["approve", "merge", "rebase", "override soak --reason x", "hold --reason x"])
def test_a_closed_pull_request_takes_no_order(line: str) -> None:
    effect = do(line, scene(subject=replace(SUBJECT, open=False)))
    assert (effect.outcome, effect.problem, effect.add) == (Outcome.REFUSED, Problem.CONFLICT, ())


def test_cancelling_what_is_closed_changes_nothing() -> None:
    assert do("cancel", scene(subject=replace(SUBJECT, open=False))).outcome is Outcome.SAME


def test_a_head_that_is_not_known_cannot_be_approved() -> None:
    effect = do("approve", scene(subject=replace(SUBJECT, head="")))
    assert (effect.outcome, effect.problem) == (Outcome.REFUSED, Problem.CONFLICT)
    assert "not known yet" in effect.told


@pytest.mark.parametrize("moved", [{"head": ""}, {"stage_head": ""}])
def test_without_a_head_and_a_base_nothing_is_overridden(moved: dict[str, str]) -> None:
    assert do("override soak --reason x", scene(subject=replace(SUBJECT, **moved))).problem is Problem.CONFLICT


@pytest.mark.parametrize(
    "line",
    [
        "override soak --reason x --for never",
        "pin payments@1.0.0 prod --reason x --until never",
        "freeze prod --reason x --until never",
        "hold --reason x --until 2026-11-21T09:00:00",
        'hold --reason x --until "2026-11-21 09:00 Europe/Nowhere"',
        'hold --reason x --until "2026-02-30 09:00 Europe/Berlin"',
    ],
)
def test_a_time_that_is_none_stops_nothing_for_ever(line: str) -> None:
    effect = do(line)
    assert (effect.outcome, effect.problem, effect.add) == (Outcome.REFUSED, Problem.USAGE, ())
    assert "is no time" in effect.told


def test_a_time_may_be_given_on_a_local_clock() -> None:
    (stored,) = do('hold --reason x --until "2026-11-21 09:00 Europe/Berlin"').add
    assert stored.until is not None
    assert stored.until.isoformat() == "2026-11-21T08:00:00+00:00"


def test_merge_by_order_stands_under_the_rules_of_every_order_about_a_head() -> None:
    manual = {name: replace(place, merge="manual") for name, place in places().items()}
    late = do("merge", scene(subject=replace(SUBJECT, head_since=AT + timedelta(seconds=1)), places=manual))
    assert (late.outcome, late.problem) == (Outcome.REFUSED, Problem.CONFLICT)
    assert "after this was written" in late.told
    given = do("merge", scene(places=manual)).add
    assert [one.order for one in given] == [Order.MERGE]
    assert do("merge", scene(*given, places=manual)).outcome is Outcome.SAME
    moved = scene(*given, places=manual, subject=replace(SUBJECT, head="d" * 40))
    assert [one.head for one in do("merge", moved).add] == ["d" * 40]


def test_next_from_the_last_stage_leads_nowhere() -> None:
    effect = do("next", scene(subject=replace(SUBJECT, stage="prod", merged=True)))
    assert (effect.outcome, effect.add) == (Outcome.SAME, ())


def test_next_to_a_stage_that_has_the_version_or_is_getting_it_changes_nothing() -> None:
    merged, prod = replace(SUBJECT, merged=True), places()["prod"]
    for there in ({"version": "1.2.0"}, {"into": "1.2.0", "number": 12}):
        services = {"payments": replace(prod.services["payments"], **there)}
        effect = do("next", scene(subject=merged, places={**places(), "prod": replace(prod, services=services)}))
        assert (effect.outcome, effect.add) == (Outcome.SAME, ())


def test_next_names_what_bans_the_version_there() -> None:
    merged = replace(SUBJECT, merged=True)
    effect = do("next", scene(order(Order.VETO, stage="prod", service="payments", version="1.2.0"), subject=merged))
    assert (effect.outcome, effect.problem) == (Outcome.REFUSED, Problem.BLOCKED)
    assert "`unveto payments@1.2.0`" in effect.told


def test_a_person_s_push_stops_rebase() -> None:
    effect = do("rebase", scene(subject=replace(SUBJECT, taken_over=True, stage_head="c" * 40)))
    assert (effect.outcome, effect.problem) == (Outcome.REFUSED, Problem.CONFLICT)


def test_a_stage_may_be_rolled_back_only_from_what_is_known_to_stand_there() -> None:
    unknown = {**places(), "qa": replace(places()["qa"], services={})}
    effect = do("rollback payments qa --reason x", scene(places=unknown))
    assert (effect.outcome, effect.problem) == (Outcome.REFUSED, Problem.NOT_FOUND)
    assert do("rollback payments qa --to 1.1.0 --reason x").outcome is Outcome.SAME


def test_the_same_rollback_twice_is_one_and_another_version_is_another() -> None:
    first = do("rollback payments qa --to 0.9.0 --reason x").add
    assert do("rollback payments qa --to 0.9.0 --reason y", scene(*first)).outcome is Outcome.SAME
    assert do("rollback payments qa --to 0.8.0 --reason y", scene(*first)).outcome is Outcome.DONE


def test_what_stands_or_is_on_its_way_is_not_ordered_twice() -> None:
    stage = places()["prod"]
    there = {**places(), "prod": replace(stage, services={"payments": replace(stage.services["payments"], version="1.1.0")})}
    assert do("to prod payments", scene(places=there)).outcome is Outcome.SAME
    coming = replace(stage.services["payments"], number=12, into="1.1.0")
    effect = do("to prod payments", scene(places={**places(), "prod": replace(stage, services={"payments": coming})}))
    assert (effect.outcome, "#12" in effect.told) == (Outcome.SAME, True)


def test_what_nobody_upstream_has_cannot_enter() -> None:
    nothing = {**places(), "qa": replace(places()["qa"], services={})}
    effect = do("to prod payments", scene(places=nothing))
    assert (effect.outcome, effect.problem) == (Outcome.REFUSED, Problem.CONFLICT)
    assert "nothing is known of it upstream" in effect.told


def test_a_freeze_that_ends_later_covers_a_shorter_one_of_the_same_kind_only() -> None:
    long = do("freeze prod --until 3d --reason x").add
    assert do("freeze prod --until 2d --reason y", scene(*long)).outcome is Outcome.SAME
    for line in ("freeze prod --until 4d --reason y", "freeze qa --until 2d --reason y", "freeze prod --until 2d --reason y --allow none"):
        assert len(do(line, scene(*long)).add) == 1, line


@pytest.mark.parametrize("line", ["hold --reason y", "hold --reason x --until 4h", "hold prod --reason x", "hold qa payments --reason x"])
def test_a_hold_for_another_reason_time_or_place_is_another_hold(line: str) -> None:
    mine = do("hold --reason x").add
    assert do("hold --reason x", scene(*mine)).outcome is Outcome.SAME
    assert len(do(line, scene(*mine)).add) == 1
    of_another = replace(mine[0], actor=order(Order.HOLD).actor)
    assert len(do("hold --reason x", scene(of_another)).add) == 1


def test_a_veto_of_one_stage_does_not_cover_the_others() -> None:
    one = do("veto payments@1.2.0 prod --reason x").add
    assert len(do("veto payments@1.2.0 --reason x", scene(*one)).add) == 1
    assert len(do("veto payments@1.3.0 prod --reason x", scene(*one)).add) == 1
    assert do("veto payments@1.2.0 prod --reason y", scene(*one)).outcome is Outcome.SAME


def failed(text: str, where: str, **more: Any) -> Quarantine:
    return Quarantine(
        stage=where, service="payments", release=release(text), at=NOW - timedelta(hours=2), reason="x", promotion="p", **more
    )  # type: ignore[arg-type]


def test_only_what_failed_here_or_before_here_and_was_not_lifted_is_banned() -> None:
    start = "to prod payments"
    assert do(start, scene(quarantines=(failed("1.1.0", "qa"),))).problem is Problem.BLOCKED
    for allowed in (failed("1.0.0", "qa"), failed("1.1.0", "qa", lifted_at=NOW)):
        assert do(start, scene(quarantines=(allowed,))).outcome is Outcome.DONE
    retried = order(Order.RETRY, service="payments", at=NOW - timedelta(hours=1))
    assert do(start, scene(retried, quarantines=(failed("1.1.0", "qa"),))).outcome is Outcome.DONE
    before_it_failed = replace(retried, at=NOW - timedelta(hours=3))
    assert do(start, scene(before_it_failed, quarantines=(failed("1.1.0", "qa"),))).problem is Problem.BLOCKED
    after_here = {"places": places(), "quarantines": (failed("1.2.0", "prod"),)}
    assert do("to qa payments", scene(**after_here)).outcome is Outcome.DONE


def test_a_pin_at_this_version_lets_it_in_and_a_veto_of_another_is_none() -> None:
    assert do("to prod payments", scene(order(Order.PIN, stage="prod", service="payments", version="1.1.0"))).outcome is Outcome.DONE
    assert do("to prod payments", scene(order(Order.VETO, stage="", service="payments", version="1.0.0"))).outcome is Outcome.DONE
    pinned = do("to prod payments", scene(order(Order.PIN, stage="prod", service="payments", version="1.0.0")))
    assert (pinned.problem, "`unpin payments prod` lifts that" in pinned.told) == (Problem.BLOCKED, True)


def test_a_diamond_of_stages_is_walked_once() -> None:
    """qa and uat stand both after dev, prod after both: what failed in dev is banned in prod, however it would come there."""
    chain = places()
    uat = replace(chain["qa"], stage="uat")
    world = {**chain, "uat": uat, "prod": replace(chain["prod"], after=("qa", "uat", "gone"))}
    world["gone"] = replace(chain["dev"], stage="gone", after=("nowhere",), services={})
    effect = do("to prod payments@1.1.0", scene(places=world, quarantines=(failed("1.1.0", "dev"),)))
    assert effect.problem is Problem.BLOCKED


def test_an_approval_says_what_it_was_given_for() -> None:
    (stored,) = do('approve --comment "looks good"').add
    assert (stored.reason, stored.head, stored.base, stored.details) == ("looks good", HEAD, BASE, {"content": "payments 1.2.0"})
    assert stored.actor == ANA


def test_what_only_begins_like_a_comment_hides_no_command() -> None:
    assert len(read("\\<!-- no comment\n/promote help\n", verbs()).calls) == 1
    assert read("x <!-- a comment\n/promote help\n-->\n", verbs()).calls == ()
