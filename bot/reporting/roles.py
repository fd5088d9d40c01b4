"""What each rollout of one service in one stage was: a deployment, a rollback, a redeploy, or a failed attempt; and what it delivered.

Decides from the rollouts' order, their kinds and the versions' order. Which change a rollout belongs to is left to `blame`.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from bot.domain.history import CommitRef, Deploy, RolloutKind, RolloutStatus


class Role(StrEnum):
    """What a rollout counts as. Only a deployment brings something new; only deployments and failed attempts make changes."""

    DEPLOYMENT = "deployment"
    ROLLBACK = "rollback"
    REDEPLOY = "redeploy"
    FAILED_ATTEMPT = "failed attempt"
    FAILED_RETURN = "failed rollback or redeploy"


class Rollout(NamedTuple):
    """A rollout with its kind (given or inferred), its role, and the version that was live before it (None: not known)."""

    deploy: Deploy
    kind: RolloutKind
    role: Role
    replaced: str | None

    @property
    def succeeded(self) -> bool:
        """Whether it ended healthy, whatever it was for."""
        return self.deploy.status is RolloutStatus.SUCCESS


class Lead(NamedTuple):
    """One commit at its first delivery: elapsed seconds from its author date to the deployment; negative where clocks disagree."""

    deploy: Deploy
    sha: str
    seconds: float


class Delivery(NamedTuple):
    """What one deployment delivered for the first time: the commits, and for each the seconds of its `Lead`."""

    deploy: Deploy
    commits: Sequence[CommitRef]
    seconds: Sequence[float]

    @property
    def leads(self) -> Iterator[Lead]:
        """The same, commit by commit."""
        return (Lead(self.deploy, commit.sha, seconds) for commit, seconds in zip(self.commits, self.seconds, strict=True))


class VersionOrder:
    """Which version came first: by the order given, else by the version's first appearance in the service's history, on any stage."""

    def __init__(self, deploys: Iterable[Deploy], given: Sequence[str] | None) -> None:
        """`deploys` in the order of the history; `given` oldest first."""
        self._given = {version: place for place, version in enumerate(given or ())}
        self._seen: dict[tuple[str, str], int] = {}
        for place, deploy in enumerate(deploys):
            self._seen.setdefault((deploy.service, deploy.version), place)

    def precedes(self, service: str, version: str, other: str) -> bool:
        """Whether `version` is older than `other`; both must have appeared in the history."""
        if version in self._given and other in self._given:
            return self._given[version] < self._given[other]
        return self._seen[service, version] < self._seen[service, other]


def roles_of(deploys: Sequence[Deploy], order: VersionOrder) -> list[Rollout]:
    """The rollouts of one service in one stage, in the order of the history."""
    live: str | None = None
    been_live: set[str] = set()
    found = []
    for deploy in deploys:
        kind = deploy.kind or _inferred_kind(deploy, live, been_live, order)
        role = _role(deploy, kind, live)
        found.append(Rollout(deploy=deploy, kind=kind, role=role, replaced=live))
        if deploy.status is RolloutStatus.SUCCESS:
            live = deploy.version
            been_live.add(live)
    return found


def deliveries_of(rollouts: Iterable[Rollout]) -> list[Delivery]:
    """Every commit once, at its first successful forward deployment. What a baseline carried was there before: it has no lead."""
    delivered: set[str] = set()
    found = []
    for rollout in rollouts:
        deploy = rollout.deploy
        if rollout.role is not Role.DEPLOYMENT or not deploy.commits:
            continue
        shas = {sha for sha, _ in deploy.commits}
        commits = deploy.commits if len(shas) == len(deploy.commits) else _earliest(deploy.commits)
        fresh = commits if shas.isdisjoint(delivered) else [commit for commit in commits if commit.sha not in delivered]
        delivered |= shas
        if fresh and not deploy.baseline:
            live = deploy.at
            found.append(Delivery(deploy, fresh, [(live - at).total_seconds() for _, at in fresh]))
    return found


def _earliest(commits: Iterable[CommitRef]) -> Sequence[CommitRef]:
    """Each commit once, where a deploy names one twice: the earlier date counts."""
    found: dict[str, CommitRef] = {}
    for commit in sorted(commits, key=lambda one: one.at):
        found.setdefault(commit.sha, commit)
    return tuple(found.values())


def _inferred_kind(deploy: Deploy, live: str | None, been_live: set[str], order: VersionOrder) -> RolloutKind:
    if deploy.rolls_back is not None:
        return RolloutKind.ROLLBACK
    returning = deploy.version != live and deploy.version in been_live
    if returning and live is not None and order.precedes(deploy.service, deploy.version, live):
        return RolloutKind.ROLLBACK
    if deploy.reverts_prs:
        return RolloutKind.REVERT
    return RolloutKind.HOTFIX if deploy.fixes else RolloutKind.PROMOTION


def _role(deploy: Deploy, kind: RolloutKind, live: str | None) -> Role:
    backwards = kind in (RolloutKind.ROLLBACK, RolloutKind.REDEPLOY)
    if deploy.status is RolloutStatus.FAILED:
        return Role.FAILED_RETURN if backwards else Role.FAILED_ATTEMPT
    if kind is RolloutKind.ROLLBACK:
        return Role.ROLLBACK
    return Role.REDEPLOY if backwards or deploy.version == live else Role.DEPLOYMENT
