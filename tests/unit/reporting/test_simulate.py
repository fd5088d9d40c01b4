"""The past under other rules: what waits, for how long, what is stopped, what cannot be known."""

import json
import sys
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

from bot.config.load import check
from bot.config.schema import Config
from bot.domain.history_file import read_history
from bot.reporting.lineage import trace
from bot.reporting.simulate import simulate
from bot.reporting.simulation import Fate, Replayed, Simulation
from bot.reporting.simulation_told import told
from tests.support.deliveries import deploy, failure, recovery

HOUR = 3600
END = datetime(2025, 3, 20, tzinfo=UTC)


def config(gates: str, *, more: str = "") -> Config:
    text = f"""
version: 1
pipeline:
  stages:
    qa: {{repository: acme/qa}}
    uat: {{repository: acme/uat, after: qa{more}}}
    prod: {{repository: acme/prod, after: uat, gates: [{gates}]}}
"""
    found = check(text)
    assert found.config is not None, found.problems
    return found.config


def run(events: list[dict[str, Any]], rules: Config, since: datetime = datetime(2025, 3, 1, tzinfo=UTC)) -> Simulation:
    return simulate(read_history(json.dumps({"events": events})), rules, since=since, as_of=END)


def travel(version: str, *when: str, **last: Any) -> list[dict[str, Any]]:
    """A version through qa, uat and prod."""
    stages = ("qa", "uat", "prod")
    return [
        deploy(f"{stage}-{version}", at, version, stage=stage, **(last if stage == "prod" else {}))
        for stage, at in zip(stages, when, strict=False)
    ]


def of(found: Simulation, name: str) -> Replayed:
    return next(one for one in found.promotions if one.deploy == name)


def test_a_longer_soak_makes_a_promotion_wait_for_the_rest() -> None:
    events = travel("1.0", "3 08:00", "3 09:00", "3 10:00", commits={"a": "3 07:00"})
    found = run(events, config("{gate: soak, for: 4h}"))
    assert (of(found, "prod-1.0").waited_s, of(found, "prod-1.0").waits) == (3 * HOUR, (("soak", 3.0 * HOUR),))
    assert of(found, "prod-1.0").entered_at == datetime(2025, 3, 3, 13, tzinfo=UTC)
    assert (found.lead_before_s, found.lead_after_s) == (3 * HOUR, 6 * HOUR)
    assert [(rule.stage, rule.gate, rule.held, rule.blocked_s) for rule in found.rules] == [("prod", "soak", 1, 3 * HOUR)]


def test_each_gate_counts_for_as_long_as_it_held_and_no_longer() -> None:
    events = travel("1.0", "3 08:00", "3 09:00", "3 10:00")
    both = "{gate: soak, for: 4h}, {gate: freeze, during: [{from: 2025-03-03T12:00, until: 2025-03-03T20:00}]}"
    one = of(run(events, config(both)), "prod-1.0")
    assert (one.waited_s, dict(one.waits)) == (10 * HOUR, {"soak": 3 * HOUR, "freeze": 8 * HOUR})
    assert one.why.startswith("prod is frozen until 2025-03-03 20:00")
    night = "{gate: soak, for: 27h}, {gate: window, open: [{cron: '0 8 * * *', for: 10h}]}"
    one = of(run(events, config(night)), "prod-1.0")
    assert (one.waited_s, dict(one.waits)) == (26 * HOUR, {"soak": 26 * HOUR, "window": 14 * HOUR})
    hourly = "{gate: soak, for: 30d}, {gate: window, open: [{cron: '0 * * * *', for: 30m}]}"
    late = simulate(
        read_history(json.dumps({"events": events})), config(hourly), since=END - timedelta(days=20), as_of=END + timedelta(days=60)
    )
    assert of(late, "prod-1.0").entered_at == datetime(2025, 4, 2, 9, tzinfo=UTC)


def test_what_was_slower_than_the_rule_does_not_wait() -> None:
    found = run(travel("1.0", "3 08:00", "3 09:00", "4 10:00"), config("{gate: soak, for: 4h}"))
    assert (of(found, "prod-1.0").waited_s, found.rules) == (0, ())


def test_a_failure_that_showed_upstream_in_the_soak_is_stopped() -> None:
    events = [
        *travel("1.0", "3 08:00", "3 09:00", "3 10:00"),
        *travel("1.1", "4 08:00", "4 09:00", "4 10:00", status="failed"),
        failure("f1", "4 11:00", "uat-1.1"),
        deploy("uat-back", "4 11:30", "1.0", stage="uat", kind="rollback"),
    ]
    found = run(events, config("{gate: soak, for: 4h}"))
    assert (of(found, "prod-1.1").fate, of(found, "prod-1.1").failure_stopped) == (Fate.STOPPED, True)
    assert sum(one.failure_stopped for one in found.promotions) == 1
    assert [rule.failures_stopped for rule in found.rules if rule.gate == "soak"] == [1]


def test_a_newer_version_takes_the_place_of_one_that_waits_and_its_commits() -> None:
    events = [
        *travel("1.0", "3 08:00", "3 09:00", "3 10:00", commits={"a": "3 07:00"}),
        *travel("1.1", "3 10:00", "3 11:00", "4 10:00", commits={"b": "3 07:00"}),
    ]
    found = run(events, config("{gate: soak, for: 4h}"))
    assert of(found, "prod-1.0").fate is Fate.SUPERSEDED
    assert (found.lead_before_s, found.lead_after_s) == (15 * HOUR, 27 * HOUR)


def test_a_delay_upstream_delays_what_comes_after() -> None:
    events = travel("1.0", "3 08:00", "3 09:00", "3 10:00")
    found = run(events, config("", more=", gates: [{gate: soak, for: 3h}]"))
    assert of(found, "uat-1.0").waited_s == 2 * HOUR
    assert (of(found, "prod-1.0").waited_s, of(found, "prod-1.0").waits) == (HOUR, (("upstream", 1.0 * HOUR),))


def test_windows_and_freezes_are_read_on_their_own_clock() -> None:
    rules = config("{gate: window, zone: Europe/Berlin, open: [{cron: '0 9 * * 1-5', for: 8h}]}")
    events = travel("1.0", "8 08:00", "8 09:00", "8 10:00")  # a Saturday
    assert of(run(events, rules), "prod-1.0").entered_at == datetime(2025, 3, 10, 8, tzinfo=UTC)


def test_an_open_failure_of_another_service_holds_until_it_is_recovered() -> None:
    events = [
        *travel("1.0", "3 08:00", "3 09:00", "3 10:00"),
        deploy("prod-web", "3 09:30", "w1", service="web"),
        failure("f1", "3 09:40", "prod-web"),
        recovery("f1", "3 15:00"),
    ]
    found = run(events, config("{gate: dora}"))
    assert of(found, "prod-1.0").waited_s == 5 * HOUR
    assert dict(of(found, "prod-1.0").waits)["dora"] == 5 * HOUR


def test_what_nobody_can_know_is_said() -> None:
    events = [*travel("1.0", "3 08:00", "3 09:00", "3 10:00"), deploy("prod-x", "5 10:00", "x", service="web")]
    found = run(events, config("{gate: approval, count: 1, users: [ann]}, {gate: soak, for: 1m}"))
    assert [one for one in found.unknown if "approval of prod needs facts that no history holds" in one]
    assert [one for one in found.unknown if "does not show live upstream; soak was not asked" in one]
    assert of(found, "prod-x").waited_s == 0


def test_before_the_beginning_everything_is_as_it_was() -> None:
    events = travel("1.0", "3 08:00", "3 09:00", "3 10:00")
    assert run(events, config("{gate: soak, for: 4h}"), since=datetime(2025, 3, 4, tzinfo=UTC)).promotions == ()


def test_twice_gives_the_same_and_the_input_s_order_does_not_matter() -> None:
    events = [event for day in range(1, 12) for event in travel(f"1.{day}", f"{day} 08:00", f"{day} 09:00", f"{day} 10:00")]
    rules = config("{gate: soak, for: 20h}, {gate: dora}")
    assert run(events, rules) == run(events[::-1], rules)


def test_it_is_told_in_words() -> None:
    found = run(travel("1.0", "3 08:00", "3 09:00", "3 10:00"), config("{gate: soak, for: 4h}"))
    for markdown in (False, True):
        words = told(found, markdown=markdown)
        assert "1 of 2 promotions since 2025-03-01 would have gone otherwise; blocked for 3h in all" in words
        assert "0 of 0 recorded failures" in words
    assert found.to_json()["blocked_hours"] == 3.0
    assert timedelta(seconds=found.promotions[-1].waited_s) == timedelta(hours=3)


def test_an_error_budget_is_in_no_history_and_is_said() -> None:
    events = travel("1.0", "3 08:00", "3 09:00", "3 10:00")
    found = run(events, config("{gate: dora, error_budget: block, budget_query: slo_budget_left}"))
    assert of(found, "prod-1.0").waited_s == 0
    assert any("the error budget of prod is in no history" in line for line in found.unknown)


def test_a_gate_on_delivery_metrics_traces_a_service_only_when_something_became_known_of_it() -> None:
    services, versions = 12, 6
    events = [
        deploy(
            f"{stage}-{service}-{number}",
            f"{3 + number} {9 + place:02d}:{service:02d}",
            f"1.{number}.0",
            stage=stage,
            service=f"s{service}",
        )
        for number in range(versions)
        for service in range(services)
        for place, stage in enumerate(("qa", "uat", "prod"))
    ]
    traced = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal traced
        traced += event == "call" and frame.f_code is trace.__code__

    sys.setprofile(count)
    try:
        found = run(events, config("{gate: dora}"))
    finally:
        sys.setprofile(None)
    assert len(found.promotions) == 2 * services * versions
    assert traced <= 3 * services * versions + services + 3  # each rollout once, not each service for each promotion
