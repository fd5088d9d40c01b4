"""The gauges of gates follow the last plan: what is no longer said becomes 0."""

from prometheus_client import REGISTRY

from bot.domain.verdict import Outcome, Verdict
from bot.reconcile.metrics import count_gates


def value(outcome: Outcome) -> float | None:
    labels = {"stage": "gauge-test", "gate": "soak", "outcome": outcome.value}
    return REGISTRY.get_sample_value("promotion_bot_gates", labels)


def says(outcome: Outcome) -> Verdict:
    return Verdict(gate="soak", outcome=outcome, sentence="x")


def test_gates_are_counted_by_what_they_say() -> None:
    count_gates("gauge-test", [says(Outcome.PENDING), says(Outcome.PENDING), says(Outcome.PASSED)])
    assert (value(Outcome.PENDING), value(Outcome.PASSED), value(Outcome.FAILED)) == (2, 1, None)
    count_gates("gauge-test", [says(Outcome.FAILED)])
    assert (value(Outcome.PENDING), value(Outcome.PASSED), value(Outcome.FAILED)) == (0, 0, 1)
