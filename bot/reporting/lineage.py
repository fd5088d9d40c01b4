"""The history of one stage put in order: each event once, each rollout's role, each change with its failures and its recovery.

Works from delivery events alone, by identity, service by service. Events after `as_of` do not exist; the input's order does not matter.
`roles` names the rollouts, `blame` the changes; windows, figures and words are left to `dora` and its neighbours.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import TypeVar, assert_never

from bot.domain.history import Deploy, Event, Failure, Recovery, RolloutStatus
from bot.reporting.blame import Change, Links, changes_of
from bot.reporting.doubts import renamed
from bot.reporting.roles import Delivery, Lead, Rollout, VersionOrder, deliveries_of, roles_of

Kept = TypeVar("Kept", Deploy, Failure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was set aside while the history was put in order: each is a row of the report's data quality.

    `later` events lie after `as_of`; `doubled` ones repeat another; the texts are ids, or say which link leads nowhere.
    """

    events: int
    later: int
    doubled: int
    conflicting: tuple[str, ...]
    dangling_failures: tuple[str, ...]
    failures_of_no_change: tuple[str, ...]
    dangling_recoveries: tuple[str, ...]
    lost_links: tuple[str, ...]
    renamed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Everything known about one stage at `as_of` (UTC), by time, then id.

    `open_changes` failed and are not recovered; `unlinked` are failure marks of no known deploy; `services` are those that the stage
    has seen, each with the teams it was seen with.
    """

    stage: str
    as_of: datetime
    rollouts: tuple[Rollout, ...]
    changes: tuple[Change, ...]
    open_changes: tuple[Change, ...]
    deliveries: tuple[Delivery, ...]
    unlinked: tuple[Failure, ...]
    services: tuple[tuple[str, frozenset[str | None]], ...]
    stages: tuple[str, ...]
    tally: Tally

    @property
    def leads(self) -> Iterator[Lead]:
        """Each commit that was delivered, in the order of the deliveries."""
        return (lead for delivery in self.deliveries for lead in delivery.leads)


@dataclass(slots=True, kw_only=True)
class _Once:
    """Each event once. `doubled` counts repeats, `conflicting` names ids under which different events came."""

    deploys: list[Deploy]
    failures: list[Failure]
    recoveries: list[Recovery]
    doubled: int
    conflicting: set[str]


def trace(events: Iterable[Event], *, stage: str, as_of: datetime, version_order: Sequence[str] | None = None) -> Lineage:
    """The lineage of a stage. `version_order` is oldest first; without it versions are ordered by their first appearance."""
    every = list(events)
    known = [event for event in every if event.at <= as_of]
    once = _once(known)
    order = VersionOrder(once.deploys, version_order)
    deploys = {deploy.id: deploy for deploy in once.deploys}
    series: dict[str, list[Deploy]] = defaultdict(list)
    for deploy in once.deploys:
        if deploy.stage == stage:
            series[deploy.service].append(deploy)
    links = _links(once, stage)
    rollouts: list[Rollout] = []
    changes: list[Change] = []
    deliveries: list[Delivery] = []
    lost = [f"{fix.id}: fixes {name}" for name, fixes in links.fixed_by.items() if name not in deploys for fix in fixes]
    for service in sorted(series):
        own = roles_of(series[service], order)
        found, lost_here = changes_of(own, links)
        rollouts += own
        changes += found
        deliveries += deliveries_of(own)
        lost += lost_here
    place = {deploy.id: number for number, deploy in enumerate(once.deploys)}  # in the order of the history
    changes.sort(key=lambda change: place[change.attempts[0].deploy.id])
    attempts = {attempt.deploy.id for change in changes for attempt in change.attempts}
    known_failures = {failure.id for failure in once.failures}
    return Lineage(
        stage=stage,
        as_of=as_of,
        rollouts=tuple(sorted(rollouts, key=lambda rollout: place[rollout.deploy.id])),
        changes=tuple(changes),
        open_changes=tuple(change for change in changes if change.failed and change.recovered is None),
        deliveries=tuple(sorted(deliveries, key=lambda delivery: place[delivery.deploy.id])),
        unlinked=tuple(failure for failure in once.failures if failure.deploy not in deploys and failure.stage in (None, stage)),
        services=tuple((service, frozenset(deploy.team for deploy in series[service])) for service in sorted(series)),
        stages=tuple(sorted({deploy.stage for deploy in once.deploys})),
        tally=Tally(
            events=len(every),
            later=len(every) - len(known),
            doubled=once.doubled,
            conflicting=tuple(sorted(once.conflicting)),
            dangling_failures=tuple(f.id for f in once.failures if f.deploy is not None and f.deploy not in deploys),
            failures_of_no_change=tuple(
                f.id for f in once.failures if f.deploy in deploys and deploys[f.deploy].stage == stage and f.deploy not in attempts
            ),
            dangling_recoveries=tuple(sorted({r.failure for r in once.recoveries} - known_failures)),
            lost_links=tuple(sorted(lost)),
            renamed=renamed(series),
        ),
    )


def _links(once: _Once, stage: str) -> Links:
    marks: dict[str, list[Failure]] = defaultdict(list)
    for failure in once.failures:
        if failure.deploy is not None:
            marks[failure.deploy].append(failure)
    fixed_by: dict[str, list[Deploy]] = defaultdict(list)
    for deploy in once.deploys:
        if deploy.fixes and deploy.stage == stage and deploy.status is RolloutStatus.SUCCESS:
            for name in deploy.fixes:
                fixed_by[name].append(deploy)
    closed: dict[str, datetime] = {}
    for recovery in once.recoveries:
        closed[recovery.failure] = max(recovery.at, closed.get(recovery.failure, recovery.at))
    return Links(marks=dict(marks), closed=closed, fixed_by=dict(fixed_by))


def _once(events: Sequence[Event]) -> _Once:
    """Each event once, by id (a recovery by its failure and time), in the order of the history: by time, then id.

    Of two different events under one id the earlier stays, then the smaller in writing: the choice must not hang on the input's order.
    """
    deploys: dict[str, Deploy] = {}
    failures: dict[str, Failure] = {}
    recoveries: dict[tuple[str, datetime], Recovery] = {}
    conflicting: set[str] = set()
    for event in events:
        match event:
            case Deploy():
                _keep(deploys, event, conflicting)
            case Failure():
                _keep(failures, event, conflicting)
            case Recovery():
                recoveries.setdefault((event.failure, event.at), event)
            case _:
                assert_never(event)
    return _Once(
        deploys=sorted(deploys.values(), key=attrgetter("at", "id")),
        failures=sorted(failures.values(), key=lambda failure: (failure.at, failure.id)),
        recoveries=sorted(recoveries.values(), key=lambda recovery: (recovery.at, recovery.failure)),
        doubled=len(events) - len(deploys) - len(failures) - len(recoveries),
        conflicting=conflicting,
    )


def _keep(kept: dict[str, Kept], event: Kept, conflicting: set[str]) -> None:
    held = kept.setdefault(event.id, event)
    if held is event or held == event:
        return
    conflicting.add(event.id)
    kept[event.id] = min(held, event, key=lambda one: (one.at, repr(one)))
