"""A simulation's rarer fates: budgets and probes nobody recorded, versions that never leave, several upstreams, and how it is told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.config.load import check
from bot.config.schema import Config
from bot.reporting.simulation import Fate, Simulation
from bot.reporting.simulation_told import told
from tests.support.deliveries import deploy, failure, recovery
from tests.unit.reporting.test_simulate import END, HOUR, config, of, run, travel


def fans(gates: str, needs: str) -> Config:
    text = f"""
version: 1
pipeline:
  stages:
    qa: {{repository: acme/qa}}
    uat: {{repository: acme/uat, after: qa}}
    prod: {{repository: acme/prod, after: [qa, uat], needs: {needs}, gates: [{gates}]}}
"""
    found = check(text)
    assert found.config is not None, found.problems
    return found.config


NEEDS_LEDGER = "{gate: depends, on: {ledger: '>=2.3'}, services: [api]}"


def ledger(qa: str, prod: str) -> list[dict[str, Any]]:
    return [
        deploy("qa-ledger", qa, "2.3.0", service="ledger", stage="qa"),
        deploy("uat-ledger", qa, "2.3.0", service="ledger", stage="uat"),
        deploy("prod-ledger", prod, "2.3.0", service="ledger"),
    ]


def test_a_service_is_held_until_what_it_depends_on_runs() -> None:
    events = [*travel("1.0", "3 08:00", "3 09:00", "3 10:00"), *ledger("3 09:00", "3 14:00")]
    found = run(events, config(NEEDS_LEDGER))
    assert of(found, "prod-1.0").fate is Fate.ENTERED
    assert of(found, "prod-1.0").waits == (("depends", 4.0 * HOUR),)


def test_a_delay_of_what_it_depends_on_is_its_own_delay_too() -> None:
    events = [*travel("1.0", "3 08:00", "3 09:00", "3 10:00"), *ledger("3 13:00", "3 14:00")]
    found = run(events, config("{gate: soak, for: 3h}, " + NEEDS_LEDGER))
    assert of(found, "prod-ledger").entered_at == datetime(2025, 3, 3, 16, tzinfo=UTC)
    assert of(found, "prod-1.0").entered_at == datetime(2025, 3, 3, 16, tzinfo=UTC)


def test_what_never_comes_is_waited_for_and_services_that_need_each_other_wait_for_ever() -> None:
    alone = run(travel("1.0", "3 08:00", "3 09:00", "3 10:00"), config(NEEDS_LEDGER))
    assert of(alone, "prod-1.0").fate is Fate.WAITING
    assert "ledger is not known to run healthily in prod" in of(alone, "prod-1.0").why
    events = [*travel("1.0", "3 08:00", "3 09:00", "3 10:00"), *ledger("3 09:00", "3 14:00")]
    circle = run(events, config("{gate: depends, name: a, on: {ledger: '*'}}, {gate: depends, name: b, on: {api: '*'}}"))
    assert {of(circle, name).fate for name in ("prod-1.0", "prod-ledger")} == {Fate.WAITING}


def test_what_it_depends_on_stands_there_already() -> None:
    events = [
        deploy("prod-ledger", "2 14:00", "2.3.0", service="ledger"),
        *travel("1.0", "3 08:00", "3 09:00", "3 10:00"),
    ]
    found = run(events, config(NEEDS_LEDGER))
    assert (of(found, "prod-1.0").fate, of(found, "prod-1.0").waited_s) == (Fate.ENTERED, 0)


def test_a_dependency_that_is_known_to_be_bad_does_not_run() -> None:
    events = [
        deploy("prod-ledger", "2 14:00", "2.3.0", service="ledger"),
        failure("f1", "3 09:00", "prod-ledger"),
        recovery("f1", "3 16:00"),
        *travel("1.0", "3 08:00", "3 09:00", "3 10:00"),
    ]
    found = run(events, config(NEEDS_LEDGER))
    assert of(found, "prod-1.0").waited_s == 6 * HOUR


def test_an_error_budget_is_in_no_history_and_holds_nothing() -> None:
    events = travel("1.0", "3 08:00", "3 09:00", "3 10:00")
    found = run(events, config("{gate: dora, error_budget: block, budget_query: 'slo'}"))
    assert of(found, "prod-1.0").waited_s == 0
    assert any("error budget of prod is in no history" in one for one in found.unknown)


@pytest.mark.parametrize(("needs", "waited"), [("all", 2 * HOUR), ("any", 0)])
def test_with_several_upstreams_all_of_them_are_asked_or_one_as_configured(needs: str, waited: float) -> None:
    events = [
        deploy("q", "3 08:00", "1.0", stage="qa"),
        deploy("p", "3 10:00", "1.0"),
        deploy("u", "3 12:00", "1.0", stage="uat"),
    ]
    assert of(run(events, fans("", needs)), "p").waited_s == waited


def test_what_waits_at_the_end_of_the_record_waits_until_then() -> None:
    found = run(travel("1.0", "3 08:00", "3 09:00", "19 20:00"), config("{gate: soak, for: 30d}"))
    last = of(found, "prod-1.0")
    assert (last.fate, last.entered_at) == (Fate.WAITING, None)
    assert last.recorded_at + timedelta(seconds=last.waited_s) == END


def test_commits_of_what_would_still_wait_are_undelivered_and_in_no_median() -> None:
    events = travel("1.0", "3 08:00", "3 09:00", "3 10:00", commits={"a": "3 07:00", "b": "3 11:00"})
    found = run(events, config("{gate: soak, for: 30d}"))
    assert (found.undelivered_commits, found.lead_before_s, found.lead_after_s) == (1, None, None)
    assert "1 commits would still wait." in told(found, markdown=False)


def test_hotfixes_and_first_sights_and_rollbacks_are_judged_by_their_own_rules() -> None:
    events: list[dict[str, Any]] = [
        deploy("base", "2 08:00", "0.9", baseline=True),
        *travel("1.0", "3 08:00", "3 09:00", "3 10:00"),
        deploy("back", "3 12:00", "0.9", kind="rollback"),
        deploy("again", "3 12:30", "0.9"),
        deploy("fix", "3 13:00", "1.0.1", kind="hotfix"),
    ]
    found = run(events, config("{gate: soak, for: 4h}"))
    judged = {one.deploy for one in found.promotions if one.stage == "prod"}
    assert judged == {"prod-1.0", "fix"}
    assert any("does not show live upstream; upstream was not asked" in one for one in found.unknown)


def test_a_gate_that_changes_without_end_leaves_the_promotion_waiting_and_says_so() -> None:
    events = travel("1.0", "3 08:00", "3 09:00", "3 10:00")
    marks = [
        event
        for number in range(450)
        for event in (
            deploy(f"w{number}", f"2025-03-03T10:{number // 60:02d}:{number % 60:02d}Z", "w", service=f"s{number}", baseline=True),
            failure(f"f{number}", f"2025-03-03T10:{number // 60:02d}:{number % 60:02d}Z", f"w{number}"),
        )
    ]
    found = run([*events, *marks], config("{gate: dora}"))
    assert of(found, "prod-1.0").fate is Fate.WAITING
    assert any("changed more than 400 times" in one for one in found.unknown)


def test_a_long_simulation_is_cut_for_people_and_whole_in_json() -> None:
    events = [
        event
        for number in range(60)
        for event in (
            deploy(f"q{number}", "3 08:00", "1.0", stage="qa", service=f"s{number}"),
            deploy(f"u{number}", "3 09:00", "1.0", stage="uat", service=f"s{number}"),
            deploy(f"p{number}", "3 10:00", "1.0", service=f"s{number}"),
        )
    ]
    found = run(events, config("{gate: soak, for: 4h}"))
    changed = found.to_json()["changed"]
    assert isinstance(changed, list)
    assert len(changed) == 60
    text = told(found, markdown=False)
    assert "... and 10 more (--output json has all)" in text
    assert len([line for line in text.splitlines() if line.startswith("s") and "entered" in line]) == 50


def test_rules_that_change_nothing_say_so_in_both_layouts() -> None:
    found: Simulation = run(travel("1.0", "3 08:00", "3 09:00", "3 10:00"), config(""), since=datetime(2025, 3, 1, tzinfo=UTC))
    for markdown in (False, True):
        text = told(found, markdown=markdown)
        assert "No rule would have held anything." in text
        assert "0 of 2 promotions" in text
        assert "Promotions</summary>" not in text
