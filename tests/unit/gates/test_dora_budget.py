"""The `dora` gate's error budget, and the rows that its sentence leads to."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from bot.domain.dora_rule import DeliveryStats, OpenFailure
from bot.domain.facts import Answer, Case
from bot.domain.verdict import Outcome, Verdict
from bot.gates import evaluate_all
from tests.support.builders import NOW
from tests.support.cases import case, gate, judge

PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN
QUERY = 'slo:budget_remaining:ratio{stage="${stage}"}'
BUDGET = {"error_budget": "block", "budget_query": QUERY}
FINE = DeliveryStats(failed=0, changes=20, days=28, as_of=NOW)


def samples(*values: float, every: timedelta = timedelta(hours=1)) -> dict[str, Any]:
    """A series whose newest sample is of now."""
    last = len(values) - 1
    return {"labels": {}, "samples": [[(NOW - (last - place) * every).timestamp(), value] for place, value in enumerate(values)]}


def asked(made: Any, *series: dict[str, Any], stats: DeliveryStats = FINE, problem: str = "", about: Case | None = None) -> Verdict:
    figures, budget = made.questions(about or case())
    given = {figures: Answer(value=stats, at=NOW), budget: Answer(value=None if problem else list(series), problem=problem, at=NOW)}
    return judge(made, case(answers=given) if about is None else case(answers=given, hotfix=about.hotfix))


def test_the_budget_is_asked_for_the_stage_over_the_longest_block() -> None:
    _, question = gate("dora", **BUDGET).questions(case())
    params = dict(question.params)
    assert question.source == "metric"
    assert params == {"query": 'slo:budget_remaining:ratio{stage="prod"}', "over": str(7 * 86400), "step": "3600"}
    assert len(gate("dora").questions(case())) == 1


@pytest.mark.parametrize(
    ("mode", "series", "outcome", "told"),
    [
        ("block", [samples(0.4)], PASSED, "error budget left 40 %, floor 0 %"),
        ("block", [samples(0.0)], PASSED, "error budget left 0 %"),
        ("block", [samples(0.4, -0.1)], FAILED, "error budget left -10 %, floor 0 %: blocked"),
        ("warn", [samples(0.4, -0.1)], PASSED, "error budget left -10 %, floor 0 %: allowed, watch"),
        ("block", [samples(0.4), samples(-0.2)], FAILED, "error budget left -20 %"),  # the series where it is least
        ("block", [], PASSED, "the error budget is not known"),  # no data allows, and says so
        ("block", [samples(float("nan"))], PASSED, "the error budget is not known"),
    ],
)
def test_what_is_left_of_the_budget(mode: str, series: list[dict[str, Any]], outcome: Outcome, told: str) -> None:
    made = gate("dora", change_fail_rate="off", recovery="off", open_failure="off", **{**BUDGET, "error_budget": mode})
    verdict = asked(made, *series)
    assert verdict.outcome is outcome
    assert told in verdict.sentence or told[0].upper() + told[1:] in verdict.sentence


def test_a_floor_above_zero() -> None:
    made = gate("dora", budget_floor=0.1, **BUDGET)
    assert asked(made, samples(0.1)).outcome is PASSED
    assert asked(made, samples(0.09)).outcome is FAILED


def test_old_samples_tell_nothing_of_now() -> None:
    old = {"labels": {}, "samples": [[(NOW - timedelta(hours=3)).timestamp(), -1.0]]}
    assert asked(gate("dora", **BUDGET), old).outcome is PASSED


def test_a_prometheus_that_does_not_answer_blocks_only_where_it_may() -> None:
    verdict = asked(gate("dora", **BUDGET), problem="connection refused")
    assert (verdict.outcome, verdict.sentence) == (UNKNOWN, "The error budget of prod is not known: connection refused.")
    assert asked(gate("dora", error_budget="warn", budget_query=QUERY), problem="connection refused").outcome is PASSED
    failure = OpenFailure(deploy="d1", service="orders", version="1.0.0", since=NOW - timedelta(hours=1))
    bad = DeliveryStats(failed=0, changes=20, days=28, as_of=NOW, open_failures=(failure,))
    assert asked(gate("dora", **BUDGET), problem="connection refused", stats=bad).outcome is FAILED


def test_the_remedy_is_never_held_by_the_budget() -> None:
    made = gate("dora", **BUDGET)
    assert asked(made, samples(-1.0), about=case(hotfix=True)).outcome is PASSED
    assert asked(made, problem="connection refused", about=case(hotfix=True)).outcome is PASSED


def test_after_the_longest_block_it_only_warns() -> None:
    made = gate("dora", **BUDGET)
    whole = [-0.5] * (7 * 24 + 1)
    verdict = asked(made, samples(*whole))
    assert verdict.outcome is PASSED
    assert "longer than 7d: only a warning now" in verdict.sentence
    assert asked(made, samples(0.1, *whole[2:])).outcome is FAILED  # a block that began an hour later


@pytest.mark.parametrize("value", [[1], [{"samples": []}], [{"samples": [["x", 1]]}], {}, "yes"])
def test_no_garbage_passes(value: Any) -> None:
    made = gate("dora", **BUDGET)
    figures, budget = made.questions(case())
    about = case(answers={figures: Answer(value=FINE, at=NOW), budget: Answer(value=value, at=NOW)})
    (verdict,) = evaluate_all([made], about)
    assert verdict.outcome is (PASSED if value == [{"samples": []}] else UNKNOWN)


@pytest.mark.parametrize(
    "settings", [{"error_budget": "block"}, {"budget_query": "${nope}"}, {"error_budget": "warn", "budget_query": 'x{s="${service}"}'}]
)
def test_settings_that_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        gate("dora", **settings)


def test_the_sentence_leads_to_its_rows() -> None:
    made = gate("dora", change_fail_rate="block")
    (figures,) = made.questions(case())
    bad = DeliveryStats(failed=15, changes=20, days=28, as_of=NOW)
    sentence = judge(made, case(answers={figures: Answer(value=bad, at=NOW)})).sentence
    assert "15 of 20 changes failed in 28 days; lower bound" in sentence
    begin, end = (NOW - timedelta(days=28)).date(), (NOW + timedelta(days=1)).date()
    assert f"Rows: `promotion-bot explain change_fail_rate --stage prod --from {begin} --to {end}`." in sentence
