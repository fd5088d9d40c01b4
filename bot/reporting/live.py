"""The delivery history of the running bot: its recorded rollouts, what it saw running, incidents and regressions, as events.

Decides which observed changes of health are rollouts that the bot did not make (people's commits, the first stage), which later
degradations are failures and of which rollout, and which rollout an incident is linked to. Counting is left to `lineage` and `dora`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby

from bot.domain.action import SaveDeployment
from bot.domain.carried import Carried
from bot.domain.history import Deploy, Event, Failure, History, Recovery, RolloutStatus
from bot.domain.incident import Incident
from bot.domain.promotion import Promotion
from bot.reporting.rebuilt import CLOSE, ids_by_commit, joined
from bot.reporting.recorded import events_of, plain

HEALTHY, DEGRADED = "healthy", "degraded"
Series = Mapping[tuple[str, str], Sequence[Deploy]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChange:
    """From `at` on (UTC) a service was in this state at this version (a release's text)."""

    stage: str
    service: str
    state: str
    version: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What the database holds about deliveries. `carried` is by the rollout's id.

    `rebuilt` came from a backfill, without teams; `merged` is (stage, commit) of what the bot itself merged or reverted, read with it;
    `notes` are stage, code and count of what a backfill could not tell about a branch.
    """

    deployments: Sequence[SaveDeployment] = ()
    health: Sequence[HealthChange] = ()
    incidents: Sequence[Incident] = ()
    carried: Mapping[str, Carried] = field(default_factory=dict)
    in_flight: Sequence[Promotion] = ()
    rebuilt: Sequence[Deploy] = ()
    merged: frozenset[tuple[str, str]] = frozenset()
    notes: tuple[tuple[str, str, int], ...] = ()


def live_history(records: Records, *, teams: Mapping[str, str] | None = None, grace: Mapping[str, timedelta] | None = None) -> History:
    """The events. `teams` maps services to owners; `grace` is how long a stage's service may be degraded without having failed."""
    owners, patience = teams or {}, grace or {}
    recorded = events_of(records.deployments, carried=records.carried, teams=owners)
    changes = defaultdict(list)
    for change in sorted(records.health, key=lambda one: one.at):
        changes[change.stage, change.service].append(change)
    under_way = {
        (one.stage, move.service, release.text)
        for one in records.in_flight
        if one.merged_at is not None
        for move in one.moves
        for release in (move.new, move.old)
    }
    ours: dict[tuple[str, str], list[Deploy]] = defaultdict(list)
    for deploy in recorded:
        ours[deploy.stage, deploy.service].append(deploy)
    for place, found in changes.items():
        ours[place] += [replace(one, team=owners.get(one.service)) for one in seen(found, ours[place], under_way)]
        ours[place].sort(key=lambda deploy: deploy.place)
    renamed = _with_rebuilt(ours, records, owners)
    events: list[Event] = [deploy for deploys in ours.values() for deploy in deploys]
    for place, found in changes.items():
        events += regressions(found, ours[place], patience.get(place[0], timedelta()))
    for incident in (one for one in records.incidents if not one.withdrawn):
        events += told(replace(incident, deploy=renamed.get(incident.deploy or "", incident.deploy)), ours)
    unknown = tuple((name, brought.problem) for name, brought in records.carried.items() if brought.problem)
    return History(events=tuple(events), unknown=unknown, notes=records.notes)


def _with_rebuilt(ours: dict[tuple[str, str], list[Deploy]], records: Records, owners: Mapping[str, str]) -> dict[str, str]:
    """Puts what only a backfill knows among our own; the ids of what it tells a second time, with those of ours."""
    past: dict[tuple[str, str], list[Deploy]] = defaultdict(list)
    for deploy in records.rebuilt:
        past[deploy.stage, deploy.service].append(replace(deploy, team=owners.get(deploy.service)))
    known, renamed = ids_by_commit(records.deployments) if past else {}, dict[str, str]()
    for place, deploys in past.items():
        both = joined(sorted(ours[place], key=lambda one: one.place), deploys, known=known, merged=records.merged)
        ours[place] = list(both.deploys)
        renamed |= both.renamed
    return renamed


def seen(changes: Sequence[HealthChange], recorded: Sequence[Deploy], under_way: Iterable[tuple[str, str, str]]) -> Iterator[Deploy]:
    """Rollouts of one service in one stage that the bot did not make: a version that ran healthily, and that no recorded one explains.

    The first version ever seen is the stage's baseline. A version whose promotion is being watched is not told before its end.
    """
    first = True
    spells = [(version, list(spell)) for version, spell in groupby(changes, key=lambda change: change.version)]
    for number, (version, spell) in enumerate(spells):
        healthy = next((change for change in spell if change.state == HEALTHY), None)
        if healthy is None or not version:
            continue
        baseline, first = first, False
        until = spells[number + 1][1][0].at if number + 1 < len(spells) else None
        if any(
            deploy.version == plain(version)
            and deploy.status is RolloutStatus.SUCCESS
            and deploy.at >= spell[0].at - CLOSE
            and (until is None or deploy.at < until)
            for deploy in recorded
        ):
            continue
        if until is None and (healthy.stage, healthy.service, version) in under_way:
            continue
        yield Deploy(
            id=f"seen:{healthy.stage}:{healthy.service}:{healthy.at:%Y%m%dT%H%M%S.%fZ}",
            service=healthy.service,
            stage=healthy.stage,
            at=healthy.at,
            version=plain(version),
            status=RolloutStatus.SUCCESS,
            baseline=baseline and not any(deploy.at < healthy.at for deploy in recorded),
        )


def regressions(changes: Sequence[HealthChange], deploys: Sequence[Deploy], grace: timedelta) -> Iterator[Event]:
    """What became degraded after its rollout had been healthy: a failure of the rollout that brought the version, over when it is healthy.

    A degradation that lasted no longer than `grace` is none; one that ends with another version is ended by that version's rollout.
    """
    for number, change in enumerate(changes):
        before = changes[number - 1] if number else None
        if change.state != DEGRADED or (before is not None and before.state == DEGRADED and before.version == change.version):
            continue
        brought = brought_by(deploys, change.version, change.at)
        if brought is None:
            continue
        over = next((one for one in changes[number + 1 :] if one.version != change.version or one.state == HEALTHY), None)
        if over is not None and over.at - change.at <= grace:
            continue
        name = f"health:{change.stage}:{change.service}:{change.at:%Y%m%dT%H%M%S.%fZ}"
        yield Failure(id=name, at=change.at, deploy=brought.id, source="health", cause=change.reason or None, team=brought.team)
        if over is not None and over.version == change.version:
            yield Recovery(failure=name, at=over.at)


def brought_by(deploys: Sequence[Deploy], version: str, at: datetime) -> Deploy | None:
    """The last successful rollout up to an instant, if it brought this version: the one that runs."""
    live = [deploy for deploy in deploys if deploy.status is RolloutStatus.SUCCESS and deploy.at <= at]
    return live[-1] if live and live[-1].version == plain(version) else None


def told(incident: Incident, deploys: Series) -> Iterator[Event]:
    """An incident as a failure and, where it is over, its recovery. It is linked by the rollout's id or by the version it names."""
    linked = incident.deploy
    own = deploys.get((incident.stage, incident.service), ())
    if linked is None and incident.version:
        named = [
            deploy for deploy in own if deploy.at <= incident.at and incident.version in (deploy.version, deploy.version.partition("@")[0])
        ]
        linked = named[-1].id if named else None
    yield Failure(
        id=incident.id,
        at=incident.at,
        deploy=linked,
        service=incident.service or None,
        stage=incident.stage or None,
        source=incident.source,
        cause=incident.cause or None,
        team=own[-1].team if own else None,
    )
    if incident.recovered_at is not None:
        yield Recovery(failure=incident.id, at=incident.recovered_at)
