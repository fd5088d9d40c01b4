"""All gates together: overrides, broken gates, what is always on."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest

from bot.domain.directive import Order
from bot.domain.facts import Case, Question
from bot.domain.people import Person
from bot.domain.rollout import RolloutState
from bot.domain.verdict import Outcome, Verdict
from bot.gates import Gate, evaluate_all, evaluate_revert, questions_of, shelf, with_always
from tests.support.builders import BASE, HEAD, NOW
from tests.support.cases import KINDS, approval, case, gate, judge, order, upstream

SOAKING = case(upstreams=(upstream(since=NOW - timedelta(minutes=10)),))
SOAK = gate("soak", **{"for": "1h"})


def override(**more: Any) -> Any:
    return order(Order.OVERRIDE, **{"gate": "soak", "head": HEAD, "base": BASE, "reason": "incident 12", **more})


class Broken(Gate):
    gate: Literal["broken"] = "broken"

    def questions(self, case: Case) -> tuple[Question, ...]:
        raise KeyError("ghp_" + "a" * 36)

    def evaluate(self, case: Case) -> Verdict:
        raise ValueError("token ghp_" + "a" * 36)


class Rogue(Gate):
    gate: Literal["rogue"] = "rogue"
    answer: Any = None

    def evaluate(self, case: Case) -> Verdict:
        return self.answer  # type: ignore[no-any-return]


def test_the_shelf_holds_every_gate_of_the_rules() -> None:
    wanted = "upstream soak health checks approval hold window freeze http metric image dora policy webhook depends order"
    assert sorted(KINDS) == sorted(wanted.split())
    assert [made.model_fields["gate"].default for made in shelf()] == sorted(KINDS)


def test_what_is_always_on_stands_first_and_once() -> None:
    assert [made.gate for made in with_always([SOAK])] == ["upstream", "hold", "freeze", "soak"]
    listed = with_always([gate("freeze", name="year-end"), SOAK, gate("upstream", hard=True)])
    assert [made.label for made in listed] == ["hold", "year-end", "soak", "upstream"]


def test_two_gates_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two gates of this stage are called 'soak'"):
        with_always([SOAK, SOAK])
    assert len(with_always([SOAK, gate("soak", name="long", **{"for": "2h"})])) == 5


def test_an_override_turns_a_soft_gate_and_says_so() -> None:
    verdict = judge(SOAK, replace(SOAKING, directives=(override(until=NOW + timedelta(hours=2)),)))
    assert verdict.outcome is Outcome.PASSED
    assert verdict.overridden_by == "ana"
    assert verdict.sentence.startswith("Overridden by @ana (incident 12). Without that: Soaks in uat for 1h")
    assert verdict.look_again == NOW + timedelta(hours=2)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"head": "c" * 40}, "the head moved from ccccccc to aaaaaaa"),
        ({"base": "d" * 40}, "the base moved from ddddddd to bbbbbbb"),
        ({"gate": "health"}, ""),
        ({"stage": "qa"}, ""),
        ({"service": "orders"}, ""),
        ({"number": 8}, ""),
        ({"until": NOW}, ""),
        ({"withdrawn_at": NOW}, ""),
        ({"at": NOW + timedelta(seconds=1)}, ""),
        ({"order": Order.APPROVE}, ""),
    ],
)
def test_an_override_counts_for_its_gate_head_and_base_only(changed: dict[str, Any], told: str) -> None:
    verdict = judge(SOAK, replace(SOAKING, directives=(replace(override(), **changed),)))
    assert verdict.outcome is Outcome.PENDING
    assert verdict.overridden_by is None
    assert told in verdict.sentence


def test_without_a_head_nothing_can_be_overridden() -> None:
    assert judge(SOAK, replace(SOAKING, head="", base="", directives=(override(head="", base=""),))).outcome is Outcome.PENDING


def test_a_hard_gate_cannot_be_overridden_by_anyone() -> None:
    verdict = judge(gate("soak", hard=True, **{"for": "1h"}), replace(SOAKING, directives=(override(),)))
    assert (verdict.outcome, verdict.hard) == (Outcome.PENDING, True)
    assert "@ana asked to override it: soak is a hard gate and cannot be overridden." in verdict.sentence


def test_an_override_of_a_passed_gate_changes_nothing() -> None:
    verdict = judge(SOAK, case(directives=(override(),)))
    assert (verdict.outcome, verdict.overridden_by) == (Outcome.PASSED, None)


def test_a_broken_gate_is_unknown_and_stops_no_other() -> None:
    verdicts = evaluate_all([Broken(), SOAK], case())
    assert [verdict.outcome for verdict in verdicts] == [Outcome.UNKNOWN, Outcome.PASSED]
    assert verdicts[0].sentence.startswith("Internal error in gate broken: ValueError at test_judge.py:")
    assert "ghp_" not in verdicts[0].sentence
    assert questions_of([Broken(), gate("webhook", url="https://a.example")], case())


@pytest.mark.parametrize("answer", [None, True, "passed", Outcome.PASSED])
def test_what_is_no_verdict_is_unknown(answer: Any) -> None:
    (verdict,) = evaluate_all([Rogue(answer=answer)], case())
    assert verdict.outcome is Outcome.UNKNOWN


def test_a_gate_cannot_speak_in_the_name_of_another() -> None:
    lie = Verdict(gate="approval", outcome=Outcome.PASSED, sentence="ok", hard=False)
    (verdict,) = evaluate_all([Rogue(answer=lie, hard=True)], case())
    assert (verdict.gate, verdict.hard) == ("rogue", True)


def test_a_hotfix_skips_its_upstream_only_with_override_and_approval() -> None:
    made = gate("upstream").placed(after=("uat",))
    missing = upstream(declares=False, since=None, state=RolloutState.HEALTHY)
    skip = override(gate="upstream")
    assert judge(made, case(hotfix=True, upstreams=(missing,))).outcome is Outcome.FAILED
    alone = judge(made, case(hotfix=True, upstreams=(missing,), directives=(skip,)))
    assert alone.outcome is Outcome.FAILED
    assert "only with an approval of prod for this head" in alone.sentence
    for wrong in (approval(head="c" * 40), approval(may=False)):
        assert judge(made, case(hotfix=True, upstreams=(missing,), directives=(skip,), approvals=(wrong,))).outcome is Outcome.FAILED
    both = judge(made, case(hotfix=True, upstreams=(missing,), directives=(skip,), approvals=(approval(),)))
    assert (both.outcome, both.overridden_by) == (Outcome.PASSED, "ana")


def test_only_freezes_speak_about_reverts() -> None:
    gates = with_always([gate("approval"), SOAK])
    assert [verdict.gate for verdict in evaluate_revert(gates, case())] == ["freeze"]
    assert all(verdict.lets_pass for verdict in evaluate_revert(gates, case()))


def test_questions_are_asked_once() -> None:
    hooks = [gate("webhook", url="https://a.example"), gate("webhook", name="two", url="https://a.example")]
    assert len(questions_of(hooks, case())) == 1


def test_every_gate_that_does_not_pass_says_what_why_and_who() -> None:
    """With nothing known at all, no gate passes that needs to know something, and each says who can change it."""
    nothing = Case(now=NOW, stage="prod", name="payments", moves=case().moves, upstreams=(), checks=None, head=HEAD, base=BASE)
    gates = [
        gate("upstream").placed(after=("uat",)),
        gate("health"),
        gate("checks", required="ci"),
        gate("approval"),
        gate("http", url="https://a.example"),
        gate("metric", query="up", max=1),
        gate("image"),
        gate("dora"),
        gate("policy", rule="a/b"),
        gate("webhook", url="https://a.example"),
        gate("depends", on={"ledger": "*"}),
        gate("window", open=[{"cron": "0 9 * * *", "for": "8h"}], holidays={"url": "https://a.example/x.ics"}),
        gate("freeze", calendar={"url": "https://a.example/x.ics"}),
    ]
    for verdict in evaluate_all(gates, nothing):
        assert not verdict.lets_pass, verdict
        assert verdict.sentence.endswith("."), verdict
        assert verdict.changer, verdict
        assert "Internal error" not in verdict.sentence


def test_people_are_told_apart_by_stage_and_service() -> None:
    somebody = Person(id=9, login="bo")
    for directive, held in [
        (order(Order.HOLD, actor=somebody, stage="prod"), True),
        (order(Order.HOLD, actor=somebody, stage="*"), True),
        (order(Order.HOLD, actor=somebody), True),
        (order(Order.HOLD, actor=somebody, stage="qa"), False),
        (order(Order.HOLD, actor=somebody, service="payments"), True),
        (order(Order.HOLD, actor=somebody, service="orders"), False),
        (order(Order.HOLD, actor=somebody, number=7), True),
        (order(Order.HOLD, actor=somebody, number=8), False),
        (order(Order.HOLD, actor=somebody, service="payments", version="1.1.0"), True),
        (order(Order.HOLD, actor=somebody, service="payments", version="1.0.0"), False),
    ]:
        assert (not judge(gate("hold"), case(directives=(directive,))).lets_pass) is held, directive


def test_a_look_is_never_overdue() -> None:
    late = Verdict(gate="rogue", outcome=Outcome.PENDING, sentence="x", look_again=NOW - timedelta(hours=1))
    (verdict,) = evaluate_all([Rogue(answer=late)], case())
    assert verdict.look_again == NOW + timedelta(seconds=5)
