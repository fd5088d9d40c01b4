"""CronJob: did its last run succeed?

Decides from suspend and the last times as Argo CD does. A CronJob that has never run with the newest template says
nothing about it; the Jobs that it starts are judged by the file for Jobs.
"""

from datetime import datetime
from typing import Any

from bot.domain.rollout import Assessment
from bot.workloads import answers
from bot.workloads.answers import Answer
from bot.workloads.fields import at, flag, instant, items, name

KINDS = (("batch", "CronJob"),)


def assess(obj: dict[str, Any], related: list[dict[str, Any]], now: datetime) -> Assessment:
    """The CronJob's state; nothing in `related` is needed."""
    return answers.add_up(by_argocd(obj))


def by_argocd(obj: dict[str, Any]) -> Answer:
    """As Argo CD says: only a finished run that did not succeed is a failure."""
    if flag(obj, "spec", "suspend"):
        return answers.suspended("CronJob is suspended")
    if at(obj, "status") is None:
        return answers.progressing(f'Waiting for the controller to see CronJob "{name(obj)}"')
    scheduled, succeeded = instant(obj, "status", "lastScheduleTime"), instant(obj, "status", "lastSuccessfulTime")
    if scheduled is None:
        return answers.healthy("CronJob has not been scheduled yet")
    if succeeded is None:
        return answers.healthy("CronJob has never completed successfully; its first run may not be over")
    if items(obj, "status", "active"):
        return answers.healthy("CronJob is running; its run before may not have succeeded")
    if succeeded < scheduled:
        return answers.degraded("CronJob has not completed its last run successfully")
    return answers.healthy("CronJob has completed its last run successfully")
