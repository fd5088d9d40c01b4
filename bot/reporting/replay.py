"""The past as gates would have seen it: which version was live where, and healthy since when, at any instant of a replay.

Holds the replayed timelines of every service and stage, and builds the case that a gate judges. How long a promotion would have
waited is decided by `simulate`; what a gate says by the gate itself.
"""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.facts import Case, Upstream
from bot.domain.history import RolloutKind
from bot.domain.image import Version
from bot.domain.promotion import Move
from bot.domain.release import Release
from bot.domain.rollout import RolloutState
from bot.reporting.blame import Change
from bot.reporting.lineage import Lineage
from bot.reporting.roles import Rollout


@dataclass(slots=True)
class Timeline:
    """What one service was in one stage: the versions that went live, by instant, and the spans in which one was known to be bad."""

    instants: list[datetime] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    bad: dict[str, list[tuple[datetime, datetime | None]]] = field(default_factory=lambda: defaultdict(list))
    edges: list[datetime] = field(default_factory=list)

    def went_live(self, version: str, at: datetime) -> None:
        """A version went live; of equal instants the later call counts."""
        place = bisect_right(self.instants, at)
        self.instants.insert(place, at)
        self.versions.insert(place, version)
        self.mark_edge(at)

    def mark_edge(self, at: datetime) -> None:
        """An instant at which an answer about this service may change."""
        self.edges.insert(bisect_right(self.edges, at), at)

    def has(self, version: str, now: datetime) -> bool:
        """Whether a version is live at `now` or comes later."""
        found = self.live(now)
        place = bisect_right(self.instants, now)
        return (found is not None and found[0] == version) or version in self.versions[place:]

    def live(self, now: datetime) -> tuple[str, datetime] | None:
        """The live version and since when; None before the first."""
        place = bisect_right(self.instants, now)
        if place == 0:
            return None
        begin = place - 1
        while begin > 0 and self.versions[begin - 1] == self.versions[place - 1]:
            begin -= 1
        return self.versions[place - 1], self.instants[begin]

    def healthy_since(self, now: datetime) -> datetime | None:
        """Since when the live version is healthy without a break; None while it is known to be bad, or where nothing is live."""
        found = self.live(now)
        if found is None:
            return None
        version, since = found
        for begin, end in self.bad.get(version, ()):
            if begin <= now and (end is None or end > now):
                return None
            if end is not None and begin <= now:
                since = max(since, end)
        return since

    def next_edge(self, now: datetime) -> datetime | None:
        """The next instant after `now` at which something changes."""
        place = bisect_right(self.edges, now)
        return self.edges[place] if place < len(self.edges) else None


class Replay:
    """The timelines of all stages while a replay fills them, stage by stage from upstream to downstream."""

    def __init__(self) -> None:
        """Empty."""
        self._lines: dict[tuple[str, str], Timeline] = defaultdict(Timeline)

    def line(self, stage: str, service: str) -> Timeline:
        """The timeline of a service in a stage."""
        return self._lines[stage, service]

    def mark_failures(self, lineage: Lineage) -> None:
        """Notes when each version of a stage was known to be bad: from its first failure mark to its recovery."""
        for change in lineage.changes:
            for mark in change.marks[:1]:
                end = change.recovered.at if change.recovered else None
                line = self.line(lineage.stage, change.first.service)
                line.bad[change.first.version].append((mark.at, end))
                for edge in filter(None, (mark.at, end)):
                    line.mark_edge(edge)

    def present(self, stage: str, now: datetime) -> dict[str, Release]:
        """What runs healthily in a stage, by service."""
        found = {}
        for (where, service), line in self._lines.items():
            live = line.live(now) if where == stage and line.healthy_since(now) is not None else None
            if live is not None:
                found[service] = release(live[0])
        return found

    def case(self, rollout: Rollout, upstreams: tuple[str, ...], *, now: datetime, needs_all: bool) -> Case:
        """The promotion as gates would see it at `now`."""
        deploy = rollout.deploy
        return Case(
            now=now,
            stage=deploy.stage,
            name=deploy.service,
            moves=(Move(service=deploy.service, old=release(rollout.replaced or ""), new=release(deploy.version)),),
            upstreams=tuple(self._upstream(name, deploy.service, deploy.version, now) for name in upstreams),
            needs_all=needs_all,
            hotfix=rollout.kind is RolloutKind.HOTFIX,
        )

    def _upstream(self, stage: str, service: str, version: str, now: datetime) -> Upstream:
        live = self.line(stage, service).live(now)
        since = self.line(stage, service).healthy_since(now)
        if live is None:
            return Upstream(stage=stage, declares=False, state=RolloutState.UNKNOWN)
        return Upstream(
            stage=stage,
            declares=live[0] == version,
            state=RolloutState.HEALTHY if since is not None else RolloutState.DEGRADED,
            healthy_since=since,
            release=release(live[0]),
        )


def release(version: str) -> Release:
    """A version of the history as a release of one component."""
    return Release.single(Version.parse(version))


def bad_upstream(changes: dict[tuple[str, str, str], Change], stages: tuple[str, ...], service: str, version: str, now: datetime) -> bool:
    """Whether the version was known to have failed in one of the stages by `now`."""
    found = (changes.get((stage, service, version)) for stage in stages)
    return any(change is not None and any(reason.at <= now for reason in change.reasons) for change in found)
