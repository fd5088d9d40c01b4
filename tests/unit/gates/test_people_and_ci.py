"""The gates that listen to people and to CI."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.people import Person
from bot.domain.pull import CheckState
from bot.domain.verdict import Outcome
from tests.support.builders import ANA, NOW
from tests.support.cases import answered, approval, case, check, gate, judge, move

BO = Person(id=3, login="bo")
EVE = Person(id=4, login="Eve")
OLD = "c" * 40


def checks(*found: Any, **settings: Any) -> Any:
    return judge(gate("checks", **settings), case(checks=found))


def test_green_and_required() -> None:
    verdict = checks(check("ci"), required="ci")
    assert (verdict.outcome, verdict.sentence) == (Outcome.PASSED, "ci green on aaaaaaa.")


@pytest.mark.parametrize(
    ("state", "settings", "outcome"),
    [
        (CheckState.SUCCESS, {}, Outcome.PASSED),
        (CheckState.PENDING, {}, Outcome.PENDING),
        (CheckState.FAILURE, {}, Outcome.FAILED),
        (CheckState.NEUTRAL, {}, Outcome.PASSED),
        (CheckState.NEUTRAL, {"neutral": "fail"}, Outcome.FAILED),
        (CheckState.SKIPPED, {}, Outcome.PASSED),
        (CheckState.SKIPPED, {"skipped": "fail"}, Outcome.FAILED),
    ],
)
def test_states(state: CheckState, settings: dict[str, Any], outcome: Outcome) -> None:
    assert checks(check("ci", state), required="ci", **settings).outcome is outcome
    assert checks(check("ci", state, required=True), **settings).outcome is outcome
    assert checks(check("ci", state), every=True, **settings).outcome is outcome


def test_a_required_check_that_has_not_reported_is_waited_for() -> None:
    verdict = checks(check("other"), required=["ci", "lint"])
    assert (verdict.outcome, verdict.sentence) == (Outcome.PENDING, "ci and lint not reported on aaaaaaa yet.")


def test_what_an_older_commit_said_does_not_count() -> None:
    verdict = checks(check("ci", commit=OLD), required="ci")
    assert verdict.outcome is Outcome.PENDING
    assert "what ci said of an older commit does not count" in verdict.sentence
    assert checks(check("ci"), check("ci", CheckState.FAILURE, commit=OLD), required="ci").outcome is Outcome.PASSED


def test_of_several_runs_the_newest_counts_and_of_several_sources_the_worst() -> None:
    before, after = NOW - timedelta(hours=1), NOW
    rerun = [check("ci", CheckState.FAILURE, at=before, source="actions"), check("ci", at=after, source="actions")]
    assert checks(*rerun, required="ci").outcome is Outcome.PASSED
    assert checks(*reversed(rerun), required="ci").outcome is Outcome.PASSED
    assert checks(check("ci", CheckState.FAILURE, source="jenkins"), check("ci", source="actions"), required="ci").outcome is Outcome.FAILED
    running = [check("ci", at=before, source="actions"), check("ci", CheckState.PENDING, at=after, source="actions")]
    assert checks(*running, required="ci").outcome is Outcome.PENDING


def test_nothing_required_passes_and_every_needs_at_least_one() -> None:
    assert checks().outcome is Outcome.PASSED
    assert checks(check("ci", CheckState.FAILURE)).outcome is Outcome.PASSED
    assert checks(every=True).outcome is Outcome.PENDING


def test_our_own_check_and_ignored_ones_never_count() -> None:
    own = check("promotion/prod", CheckState.PENDING, required=True)
    assert checks(own).outcome is Outcome.PASSED
    assert checks(own, every=True).outcome is Outcome.PENDING
    assert checks(check("ci"), check("flaky/x", CheckState.FAILURE, required=True), every=True, ignore="flaky/*").outcome is Outcome.PASSED


def test_a_failure_names_the_check_and_its_page() -> None:
    verdict = checks(check("ci", CheckState.FAILURE, url="https://ci.example/1"), required="ci")
    assert verdict.sentence == "ci failed on aaaaaaa."
    assert "https://ci.example/1" in verdict.changer


def test_checks_that_cannot_be_read_are_unknown_and_without_a_head_there_is_nothing_to_check() -> None:
    assert judge(gate("checks"), case(checks=None)).outcome is Outcome.UNKNOWN
    assert judge(gate("checks"), case(head="")).outcome is Outcome.PENDING


def test_required_names_can_come_from_the_rules_of_the_branch() -> None:
    made = gate("checks", from_rules=True)
    about = case(checks=(check("ci"),))
    assert judge(made, about).outcome is Outcome.UNKNOWN
    assert judge(made, answered(made, about, problem="403")).outcome is Outcome.UNKNOWN
    assert judge(made, answered(made, about, ["ci"])).outcome is Outcome.PASSED
    assert judge(made, answered(made, about, ["ci", "lint"])).outcome is Outcome.PENDING
    assert judge(made, answered(made, about, [])).outcome is Outcome.PASSED


def approve(*given: Any, settings: dict[str, Any] | None = None, **more: Any) -> Any:
    return judge(gate("approval", **(settings or {})), case(approvals=given, **more))


def test_one_approval_of_this_head() -> None:
    verdict = approve(approval())
    assert (verdict.outcome, verdict.sentence) == (Outcome.PASSED, "@ana approved aaaaaaa.")
    nobody = approve()
    assert nobody.sentence == "aaaaaaa needs the approval of 1 of the approvers of prod (has 0)."
    assert nobody.changer == "The approvers of prod, with an approving review or `/promote approve prod`"


def test_an_approval_of_an_older_head_has_fallen_and_says_so() -> None:
    verdict = approve(approval(head=OLD))
    assert verdict.outcome is Outcome.PENDING
    assert "@ana's does not count: it was for ccccccc, and the head is aaaaaaa now." in verdict.sentence


@pytest.mark.parametrize(
    ("given", "more", "why"),
    [
        ({"may": False, "why_not": "they left acme/leads"}, {}, "they left acme/leads"),
        ({"may": False}, {}, "they may not approve for prod"),
        ({}, {"starter": "ANA"}, "they started this promotion"),
        ({}, {"pushers": (Person(id=2, login="renamed"),)}, "they pushed to this branch"),
    ],
)
def test_whose_approval_does_not_count(given: dict[str, Any], more: dict[str, Any], why: str) -> None:
    verdict = approve(approval(**given), **more)
    assert verdict.outcome is Outcome.PENDING
    assert f"does not count: {why}." in verdict.sentence


def test_four_eyes_can_be_switched_off() -> None:
    assert approve(approval(), settings={"four_eyes": False}, starter="ana", pushers=(ANA,)).outcome is Outcome.PASSED


def test_one_person_counts_once() -> None:
    twice = (approval(), approval(source="command", at=NOW))
    assert approve(*twice, settings={"count": 2}).outcome is Outcome.PENDING
    renamed = (approval(), approval(Person(id=2, login="ana-new")))
    assert approve(*renamed, settings={"count": 2}).outcome is Outcome.PENDING
    assert approve(approval(), approval(BO), settings={"count": 2}).outcome is Outcome.PASSED


def test_teams_and_users_by_login_or_id() -> None:
    leads = {"teams": ["acme/leads"]}
    assert approve(approval(teams=frozenset({"Acme/Leads"})), settings=leads).outcome is Outcome.PASSED
    assert approve(approval(), settings=leads).outcome is Outcome.PENDING
    assert approve(approval(EVE), settings={"users": "eve"}).outcome is Outcome.PASSED
    assert approve(approval(Person(id=4, login="taken-over")), settings={"users": [4]}).outcome is Outcome.PASSED
    assert approve(approval(Person(id=99, login="4")), settings={"users": [4]}).outcome is Outcome.PENDING


def test_so_many_of_each_group() -> None:
    each = {"count": 2, "each": [{"teams": ["acme/leads"]}, {"users": ["bo"]}]}
    lead = approval(teams=frozenset({"acme/leads"}))
    assert approve(lead, approval(BO), settings=each).outcome is Outcome.PASSED
    verdict = approve(lead, approval(EVE), settings=each)
    assert verdict.sentence.startswith("aaaaaaa needs the approval of 1 of @bo (has 0).")


def test_an_approval_expires_at_the_second_and_the_gate_wakes_then() -> None:
    settings = {"expires": "1h"}
    fresh = approve(approval(at=NOW - timedelta(minutes=59)), settings=settings)
    assert (fresh.outcome, fresh.look_again) == (Outcome.PASSED, NOW + timedelta(minutes=1))
    old = approve(approval(at=NOW - timedelta(hours=1)), settings=settings)
    assert old.outcome is Outcome.PENDING
    assert "it is older than 1h" in old.sentence


def test_only_the_listed_ways_count() -> None:
    verdict = approve(approval(source="label"), settings={"sources": ["review", "command"]})
    assert "an approval by label is not taken here" in verdict.sentence


def test_owners_of_every_changed_file() -> None:
    made = gate("approval", codeowners=True)
    about = case(moves=(move(path="a.yaml"), move(service="orders", path="b.yaml")), approvals=(approval(),))
    assert dict(made.questions(about)[0].params)["paths"] == "a.yaml\nb.yaml"
    assert judge(made, about).outcome is Outcome.UNKNOWN
    assert judge(made, answered(made, about, {"a.yaml": ["@ana"]})).outcome is Outcome.UNKNOWN
    assert judge(made, answered(made, about, {"a.yaml": ["@ana"], "b.yaml": []})).outcome is Outcome.PASSED
    assert judge(made, answered(made, about, {"a.yaml": ["@ana"], "b.yaml": ["@bo", "@acme/leads"]})).outcome is Outcome.PENDING


def test_without_a_pull_request_there_is_nothing_to_approve() -> None:
    assert judge(gate("approval"), case(head="", approvals=(approval(head=""),))).outcome is Outcome.PENDING
