"""What all Flux objects share: when their Ready condition is an answer, and what it says.

Decides from suspend, generations and the conditions Stalled, Reconciling and Ready. A condition counts only where it is of
the present generation (the status' own number stays behind while attempts fail). Ready False may mean wait. A failure is
retried, so a later look may say Unknown again: remembering it is left to the watch.
"""

from typing import Any

from bot.workloads import answers
from bot.workloads.answers import Answer
from bot.workloads.children import shortened
from bot.workloads.fields import Condition, condition, count, flag, kind, name, number

WAITING = frozenset(
    {"DependencyNotReady", "HealthCheckCanceled", "SourceNotReady", "Progressing", "ProgressingWithRetry", "NewRevision", "NewArtifact"}
)


def by_ready(obj: dict[str, Any]) -> Answer:
    """The object's own word on its present generation."""
    label = f'{kind(obj)} "{name(obj)}"'
    if flag(obj, "spec", "suspend"):
        return answers.suspended(f"{label} is suspended (spec.suspend)")
    stalled, ready, reconciling = (condition(obj, wanted) for wanted in ("Stalled", "Ready", "Reconciling"))
    if stalled is not None and stalled.true and fresh(obj, stalled):
        return answers.degraded(f"{label} is stalled: {words(stalled)}")
    if ready is None:
        return answers.progressing(f"{label} has not been reconciled yet")
    if not fresh(obj, ready):
        return answers.progressing(f"{label}: the newest spec is not observed yet")
    if ready.status == "False":
        return (answers.progressing if ready.reason in WAITING else answers.degraded)(f"{label}: {words(ready)}")
    if not ready.true:
        told = reconciling if reconciling is not None and reconciling.true else ready
        return answers.progressing(f"{label}: {words(told)}{attempts(obj)}")
    if reconciling is not None and reconciling.true and fresh(obj, reconciling):
        return answers.progressing(f"{label}: {words(reconciling)}")
    return answers.healthy(f"{label}: {words(ready)}")


def fresh(obj: dict[str, Any], entry: Condition) -> bool:
    """Whether the condition is of the present generation; one without a number goes by the status (-1: never ready)."""
    generation, seen = number(obj, "metadata", "generation"), number(obj, "status", "observedGeneration")
    if generation is None:
        return True
    if entry.observed_generation is not None:
        return entry.observed_generation >= generation
    return not entry.true if seen is None or seen < 0 else seen >= generation


def words(entry: Condition) -> str:
    """A condition's reason and message on one line."""
    return shortened(entry.words)


def attempts(obj: dict[str, Any]) -> str:
    """How many attempts failed before this one, where the object counts them."""
    failures = count(obj, "status", "failures")
    return f" ({failures} attempts failed before)" if failures > 0 else ""
