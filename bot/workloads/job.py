"""Job: has it completed, failed, or is it held?

Decides from the conditions that stand (status "True", not presence: a resumed Job keeps Suspended with False).
SuccessCriteriaMet and FailureTarget only announce the end. A Job whose image cannot be pulled stays active for ever:
the watch's time limit judges it.
"""

from datetime import datetime
from typing import Any

from bot.domain.rollout import Assessment
from bot.workloads import answers, children
from bot.workloads.answers import Answer
from bot.workloads.fields import condition, count, text

KINDS = (("batch", "Job"),)


def assess(obj: dict[str, Any], related: list[dict[str, Any]], now: datetime) -> Assessment:
    """The Job's state; `related` may hold its Pods and Events, whose words are added."""
    said = answers.add_up(by_conditions(obj))
    return children.explain(said, obj, children.owned_pods(obj, related), related)


def by_conditions(obj: dict[str, Any]) -> Answer:
    """As Argo CD and kstatus say where they are right: a Job that still runs is neither healthy nor current."""
    failed, complete = condition(obj, "Failed"), condition(obj, "Complete")
    if failed is not None and failed.true:
        return answers.degraded(failed.message or f"Job failed: {failed.words}")
    if complete is not None and complete.true:
        succeeded = count(obj, "status", "succeeded")
        return answers.healthy(complete.message or f"Job completed, {succeeded} pods succeeded")
    held = condition(obj, "Suspended")
    if held is not None and held.true:
        return answers.suspended(held.message or "Job is suspended")
    if not text(obj, "status", "startTime"):
        return answers.progressing("Job not started")
    numbers = {word: count(obj, "status", word) for word in ("succeeded", "active", "failed")}
    return answers.progressing(f"Job in progress. success:{numbers['succeeded']}, active: {numbers['active']}, failed: {numbers['failed']}")
