"""What the engine counts, for `/metrics`. Labels are bounded: outcomes, never names of repositories or services."""

from prometheus_client import Counter, Histogram

RUNS = Counter("promotion_bot_runs_total", "Runs of a stage, by how they ended.", ["outcome"])
RUN_SECONDS = Histogram(
    "promotion_bot_run_seconds", "How long a run of a stage took.", buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
)
TAKEN_OVER = Counter("promotion_bot_replicas_taken_over_total", "Dead replicas whose runs this process resumed.")
DUTIES = Counter("promotion_bot_duties_total", "Housekeeping duties, by name and outcome.", ["duty", "outcome"])
COMMANDS = Counter("promotion_bot_commands_total", "Commands that people gave, by what became of them.", ["verb", "surface", "result"])
