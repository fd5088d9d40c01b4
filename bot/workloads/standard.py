"""Any other object: what kstatus' standard conditions say about it.

Decides from generation and the conditions Reconciling, Stalled and Ready. An object with none of them is not judged:
it may well be fine, but nothing says so, and unknown is never passed.
"""

from collections.abc import Mapping
from typing import Any

from bot.domain.rollout import Assessment, RolloutState
from bot.workloads import answers
from bot.workloads.answers import Answer
from bot.workloads.fields import condition, kind, number, text


def by_conditions(obj: Mapping[str, Any]) -> Answer | None:
    """The answer, or None where the object has none of the standard conditions."""
    generation, seen = number(obj, "metadata", "generation"), number(obj, "status", "observedGeneration")
    if generation is not None and seen is not None and generation != seen:
        return answers.progressing(f"{kind(obj)} generation is {generation}, but latest observed generation is {seen}")
    reconciling, stalled, ready = (condition(obj, wanted) for wanted in ("Reconciling", "Stalled", "Ready"))
    if reconciling is not None and reconciling.true:
        return answers.progressing(reconciling.message or reconciling.words)
    if stalled is not None and stalled.true:
        return answers.degraded(stalled.message or stalled.words)
    if ready is None:
        return None
    return (answers.healthy if ready.true else answers.progressing)(ready.message or ready.words)


def not_known(obj: Mapping[str, Any]) -> Assessment:
    """For a kind without a rule and an object without a standard condition."""
    label = " ".join(part for part in (text(obj, "apiVersion"), kind(obj)) if part) or "an object without a kind"
    return Assessment(state=RolloutState.UNKNOWN, reason=f"no rule says when {label} is healthy, and it has no standard condition")
