"""Adds up what the field's three judges say about one object.

`kubectl rollout status`, kstatus and Argo CD's health each answer; they disagree in known cases (a pause, OnDelete,
a suspended Job). Decides which answer stands; what each judge says is decided by the file of each kind.
"""

from dataclasses import dataclass

from bot.domain.rollout import Assessment, RolloutState


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One judge's state and its words."""

    state: RolloutState
    message: str


def progressing(message: str) -> Answer:
    """Not there yet."""
    return Answer(state=RolloutState.PROGRESSING, message=message)


def healthy(message: str) -> Answer:
    """Complete and well."""
    return Answer(state=RolloutState.HEALTHY, message=message)


def degraded(message: str) -> Answer:
    """Failed."""
    return Answer(state=RolloutState.DEGRADED, message=message)


def suspended(message: str) -> Answer:
    """Stands still until a person lets it go on."""
    return Answer(state=RolloutState.SUSPENDED, message=message)


def unknown(message: str) -> Answer:
    """Nothing can be said; never counts as passed."""
    return Answer(state=RolloutState.UNKNOWN, message=message)


STRONGEST_FIRST = (RolloutState.SUSPENDED, RolloutState.DEGRADED, RolloutState.UNKNOWN, RolloutState.PROGRESSING)


def add_up(*answers: Answer | None) -> Assessment:
    """One assessment: suspended or degraded if any judge says so, healthy only if all of them do.

    None stands for a judge that has nothing to say about this kind or strategy. The words are those of the first judge
    whose answer stands, so the callers hand in the one with the clearest words first.
    """
    given = [answer for answer in answers if answer is not None]
    for state in STRONGEST_FIRST:
        for answer in given:
            if answer.state is state:
                return Assessment(state=state, reason=answer.message)
    if not given:
        return Assessment(state=RolloutState.UNKNOWN, reason="no rule of the field says anything about this object")
    return Assessment(state=RolloutState.HEALTHY, reason=given[0].message)
