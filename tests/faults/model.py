"""The model test at length: many lives of a world, each as long as it takes, from seeds that are told when one breaks an invariant."""

import time
import traceback

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from bot.logs import configure
from tests.properties import test_model
from tests.properties.test_model import Model

LIFE = 40
"""Steps in one life, about: hypothesis ends some of them earlier."""
LIVES = 4
"""Lives under one seed."""
MUST_HAPPEN = ("promotes into qa", "promotes into prod", "reverts into qa", "deaths", "arrivals looked for", "checks")
LONG = 500
"""Steps after which each of these must have come about: the invariants were not put to the test without."""


def run(steps: int) -> tuple[int, int]:
    """(steps done, invariants broken), after at least so many steps. The first break of a seed ends that seed, not the others; what never
    came about in a long run counts as broken."""
    configure(form="console", level="CRITICAL")
    broken = 0
    test_model.steps_done = 0
    test_model.happened.clear()
    began = round(time.time())
    number = 0
    while test_model.steps_done < steps:
        broken += not _lives(began + number)
        number += 1
        told = ", ".join(f"{count} {what}" for what, count in sorted(test_model.happened.items()))
        print(f"model: {test_model.steps_done} steps; {told}", flush=True)
    for what in MUST_HAPPEN if test_model.steps_done >= LONG else ():
        if not test_model.happened[what]:
            print(f"BAD  model: not once in {test_model.steps_done} steps: {what}", flush=True)
            broken += 1
    return test_model.steps_done, broken


def _lives(number: int) -> bool:
    chosen = settings(
        max_examples=LIVES,
        stateful_step_count=LIFE,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    machine = seed(number)(type("Model", (Model,), {}))
    try:
        run_state_machine_as_test(machine, settings=chosen)
    except Exception:
        print(f"BAD  model, seed {number}")
        traceback.print_exc()
        return False
    return True
