"""A block of the dora gate that has stood for `max_block`: the gate gives way, and the team in charge is told, once."""

from datetime import timedelta

import pytest

from bot.domain.action import MergePromotion, Notify, SaveVerdicts, Severity
from bot.domain.dora_rule import DeliveryStats, OpenFailure
from bot.domain.facts import Answer, Case
from bot.domain.promotion import Promotion
from bot.planning.plan import plan
from bot.planning.standing import Plan
from tests.support.builders import HEAD, NOW, config, facts, promotion, pull, stage

DAY = timedelta(days=1)


def planned(age: timedelta, *, service: str = "ledger", labels: frozenset[str] = frozenset(), **gate: object) -> Plan:
    """A promotion of payments into qa whose gate sees a failure of `service` that is open since `age`."""
    rules = config(qa={"gates": [{"gate": "dora", **gate}]})
    failure = OpenFailure(deploy="d1", service=service, version="2.0.0", since=NOW - age)
    stats = DeliveryStats(failed=1, changes=2, days=28, as_of=NOW, open_failures=(failure,), blocked_since=NOW - age, labels=labels)
    [made] = [gate for gate in rules.stage("qa").gates if gate.gate == "dora"]
    [question] = made.questions(Case(now=NOW, stage="qa", name="payments", moves=promotion().moves, upstreams=()))
    given = facts(
        stage("dev", "1.1.0"),
        stage("qa", "1.0.0"),
        promotions=(promotion(),),
        pulls={7: pull()},
        branches={"promote/qa/payments": HEAD},
        answers={question: Answer(value=stats, at=NOW)},
    )
    return plan(rules, given)


def alarms(found: Plan) -> list[Notify]:
    return [action for action in found.actions if isinstance(action, Notify)]


def test_when_the_block_has_lasted_the_owner_is_told_before_the_promotion_goes_on() -> None:
    found = planned(7 * DAY)
    [alarm] = alarms(found)
    assert [type(action) for action in found.actions] == [SaveVerdicts, Notify, MergePromotion]
    assert (alarm.severity, alarm.stage, alarm.service) == (Severity.CRITICAL, "qa", "ledger")
    assert alarm.text == (
        "The gate dora of qa has blocked since 2026-11-13 12:00 UTC, for 7d and longer (`max_block`). From now on it only warns, and "
        "promotions into qa go on. What stands: a failed deployment is not recovered, the oldest ledger 2.0.0 (d1) since 7d. "
        "Recover or take back ledger, or change the gate. "
        "Rows: `promotion-bot explain open_failures --stage qa --from 2026-10-23 --to 2026-11-21`."
    )
    assert alarm.fields == {"pull request": "https://github.example/acme/env-qa/pull/7"}


def test_it_is_one_matter_however_often_it_is_looked_at() -> None:
    first, [later] = alarms(planned(7 * DAY)), alarms(planned(7 * DAY, min_changes=5))
    assert first[0].key == later.key == "alarm:dora:qa:2026-11-13T12:00:00Z"
    assert alarms(planned(8 * DAY))[0].key != later.key, "a block that began at another instant is another matter"


@pytest.mark.parametrize(
    ("age", "more"),
    [
        (7 * DAY - timedelta(seconds=1), {}),
        (9 * DAY, {"max_block": "10d"}),
        (9 * DAY, {"open_failure": "warn"}),
        (9 * DAY, {"service": "payments", "own_failures": False}),
        (9 * DAY, {"labels": frozenset({"security"})}),
    ],
    ids=["not so long", "longer allowed", "it only warns", "the remedy", "exempt"],
)
def test_nobody_is_told_otherwise(age: timedelta, more: dict[str, object]) -> None:
    assert alarms(planned(age, **more)) == []


def test_the_rate_is_a_matter_of_the_stage() -> None:
    rules = config(qa={"gates": [{"gate": "dora", "change_fail_rate": "block", "open_failure": "off"}]})
    stats = DeliveryStats(failed=15, changes=20, days=28, as_of=NOW, blocked_since=NOW - 8 * DAY, rate_blocked=True)
    [made] = [gate for gate in rules.stage("qa").gates if gate.gate == "dora"]
    verdict = made.evaluate(_case(made, stats, promotion()))
    assert verdict.lets_pass
    assert verdict.alarm is not None
    assert verdict.alarm.service == ""
    assert "15 of 20 changes failed in 28 days" in verdict.alarm.text


def _case(made: object, stats: DeliveryStats, about: Promotion) -> Case:
    empty = Case(now=NOW, stage="qa", name="payments", moves=about.moves, upstreams=())
    [question] = made.questions(empty)  # type: ignore[attr-defined]
    return Case(now=NOW, stage="qa", name="payments", moves=about.moves, upstreams=(), answers={question: Answer(value=stats, at=NOW)})
