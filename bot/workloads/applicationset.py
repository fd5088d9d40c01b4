"""Argo CD ApplicationSet: could it make its Applications, and is its stepwise rollout over?

Decides from its conditions as Argo CD does. How the Applications themselves stand is judged by their own file.
"""

from datetime import datetime
from typing import Any

from bot.domain.rollout import Assessment
from bot.workloads import answers
from bot.workloads.answers import Answer
from bot.workloads.fields import condition, name

KINDS = (("argoproj.io", "ApplicationSet"),)


def assess(obj: dict[str, Any], related: list[dict[str, Any]], now: datetime) -> Assessment:
    """The ApplicationSet's state; nothing in `related` is needed."""
    return answers.add_up(by_conditions(obj))


def by_conditions(obj: dict[str, Any]) -> Answer:
    """An error is a failure, also where the older Applications still run."""
    label = f'ApplicationSet "{name(obj)}"'
    error, current, rolling = (condition(obj, wanted) for wanted in ("ErrorOccurred", "ResourcesUpToDate", "RolloutProgressing"))
    if error is not None and error.true:
        return answers.degraded(f"{label}: {error.message or error.words}")
    if current is not None and current.status == "False":
        return answers.degraded(f"{label}: {current.message or current.words}")
    if rolling is not None and rolling.true:
        return answers.progressing(f"{label}: {rolling.message or rolling.words}")
    if current is not None and current.true:
        return answers.healthy(f"{label}: {current.message or 'its Applications are up to date'}")
    return answers.progressing(f"{label}: waiting for its status to be reported")
