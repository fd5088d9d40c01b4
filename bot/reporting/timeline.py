"""The story of one rollout or incident, in the order of time: commits, merges, the version's way through the stages, failures, recoveries.

Decides which events belong to it, by identity: the same service and version, marks on those rollouts, and what ended the failures.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.history import Deploy, Event, Failure, Recovery, RolloutStatus
from bot.domain.instants import format_instant
from bot.reporting.lineage import Lineage, trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of the story: when (UTC), in which stage (empty: before any), what happened, and the event's id or the commit's."""

    at: datetime
    stage: str
    what: str
    id: str

    def to_json(self) -> dict[str, str]:
        """The line as a JSON object."""
        return {"at": format_instant(self.at), "stage": self.stage, "what": self.what, "id": self.id}


def timeline(events: Sequence[Event], name: str, *, as_of: datetime, version_order: Sequence[str] | None = None) -> tuple[Moment, ...]:
    """The story around the rollout or the failure with this id, oldest first; empty where nothing known at `as_of` has the id."""
    known = [event for event in events if event.at <= as_of]
    failures = {event.id: event for event in known if isinstance(event, Failure)}
    deploys = {event.id: event for event in known if isinstance(event, Deploy)}
    mark = failures.get(name) if name not in deploys else None
    centre = deploys.get(name) or (deploys.get(mark.deploy) if mark is not None and mark.deploy is not None else None)
    marks = [mark] if mark is not None else []
    found: set[Moment] = set()
    if centre is not None:
        own = {one.id: one for one in deploys.values() if (one.service, one.version) == (centre.service, centre.version)}
        marks += [failure for failure in failures.values() if failure.deploy in own]
        for stage in {one.stage for one in own.values()}:
            found |= _of_stage(trace(known, stage=stage, as_of=as_of, version_order=version_order), own.keys())
        for one in own.values():
            found |= {Moment(at=commit.at, stage="", what="a commit was written", id=commit.sha) for commit in one.commits}
            found |= {
                Moment(at=pull.merged_at, stage="", what=f"pull request #{pull.number} was merged", id=f"#{pull.number}")
                for pull in one.prs
                if pull.merged_at is not None
            }
    for failure in marks:
        stage = deploys[failure.deploy].stage if failure.deploy in deploys else failure.stage or ""
        told = f"a failure began ({failure.source or 'no source'}): {failure.cause or 'no cause is told'}"
        found.add(Moment(at=failure.at, stage=stage, what=told, id=failure.id))
        found |= {
            Moment(at=event.at, stage=stage, what="the failure was over", id=failure.id)
            for event in known
            if isinstance(event, Recovery) and event.failure == failure.id
        }
    return tuple(sorted(found, key=lambda moment: (moment.at, moment.stage, moment.id, moment.what)))


def _of_stage(lineage: Lineage, ids: Collection[str]) -> set[Moment]:
    """The version's rollouts in one stage, and what ended the failures of its changes there."""
    found = set()
    for rollout in lineage.rollouts:
        if rollout.deploy.id in ids:
            ended = "became healthy" if rollout.deploy.status is RolloutStatus.SUCCESS else "failed"
            what = f"{rollout.kind.value} of {rollout.deploy.service} {rollout.deploy.version} {ended} ({rollout.role.value})"
            found.add(Moment(at=rollout.deploy.at, stage=lineage.stage, what=what, id=rollout.deploy.id))
    for change in lineage.changes:
        if change.first.id in ids and change.recovered is not None:
            what = f"{change.first.service} had recovered from the failure of {change.first.version}"
            found.add(Moment(at=change.recovered.at, stage=lineage.stage, what=what, id=change.recovered.by))
    return found
