"""What the engine counts, for `/metrics`. Labels are bounded: outcomes, never names of repositories or services."""

from collections import Counter as Counted
from collections.abc import Iterable, Mapping

from prometheus_client import Counter, Gauge, Histogram

from bot.domain.verdict import Verdict

RUNS = Counter("promotion_bot_runs_total", "Runs of a stage, by how they ended.", ["outcome"])
RUN_SECONDS = Histogram(
    "promotion_bot_run_seconds", "How long a run of a stage took.", buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
)
TAKEN_OVER = Counter("promotion_bot_replicas_taken_over_total", "Dead replicas whose runs this process resumed.")
DUTIES = Counter("promotion_bot_duties_total", "Housekeeping duties, by name and outcome.", ["duty", "outcome"])
COMMANDS = Counter("promotion_bot_commands_total", "Commands that people gave, by what became of them.", ["verb", "surface", "result"])
GATES = Gauge("promotion_bot_gates", "Open promotions by stage, gate and what the gate says of them.", ["stage", "gate", "outcome"])
_told: dict[str, set[tuple[str, str]]] = {}


def count_gates(stage: str, verdicts: Iterable[Verdict]) -> None:
    """How the gates of the stage stand; what no gate says any more becomes 0."""
    counts = Counted((verdict.gate, verdict.outcome.value) for verdict in verdicts)
    known = _told.setdefault(stage, set())
    known.update(counts)
    for gate, outcome in known:
        GATES.labels(stage=stage, gate=gate, outcome=outcome).set(counts[gate, outcome])


def tell_gates(verdicts: Mapping[str, Iterable[Verdict]]) -> None:
    """How the gates of all stages stand, whichever process judged them last."""
    for stage in {*verdicts, *_told}:
        count_gates(stage, verdicts.get(stage, ()))
