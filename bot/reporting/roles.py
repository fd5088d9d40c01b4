"""What each rollout of one service in one stage was: a deployment, a rollback, a redeploy, or a failed attempt; and what it delivered.

Decides from the rollouts' order, their kinds and the versions' order. Which change a rollout belongs to is left to `blame`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.history import CommitRef, Deploy, RolloutKind, RolloutStatus


class Role(StrEnum):
    """What a rollout counts as. Only a deployment brings something new; only deployments and failed attempts make changes."""

    DEPLOYMENT = "deployment"
    ROLLBACK = "rollback"
    REDEPLOY = "redeploy"
    FAILED_ATTEMPT = "failed attempt"
    FAILED_RETURN = "failed rollback or redeploy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A rollout with its kind (given or inferred), its role, and the version that was live before it (None: not known)."""

    deploy: Deploy
    kind: RolloutKind
    role: Role
    replaced: str | None

    @property
    def succeeded(self) -> bool:
        """Whether it ended healthy, whatever it was for."""
        return self.deploy.status is RolloutStatus.SUCCESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One commit at its first delivery: elapsed seconds from its author date to the deployment; negative where clocks disagree."""

    deploy: Deploy
    sha: str
    seconds: float


class VersionOrder:
    """Which version came first: by the order given, else by the version's first appearance in the service's history, on any stage."""

    def __init__(self, deploys: Iterable[Deploy], given: Sequence[str] | None) -> None:
        """`deploys` in the order of the history; `given` oldest first."""
        self._given = {version: place for place, version in enumerate(given or ())}
        self._seen: dict[tuple[str, str], int] = {}
        for place, deploy in enumerate(deploys):
            self._seen.setdefault((deploy.service, deploy.version), place)

    def precedes(self, service: str, version: str, other: str | None) -> bool:
        """Whether `version` is older than `other`; both must have appeared in the history."""
        if other is None:
            return False
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


def leads_of(rollouts: Iterable[Rollout]) -> list[Lead]:
    """Every commit once, at its first successful forward deployment. What a baseline carried was there before: it has no lead."""
    delivered: set[str] = set()
    found = []
    for rollout in rollouts:
        if rollout.role is not Role.DEPLOYMENT:
            continue
        deploy = rollout.deploy
        commits: Sequence[CommitRef] = deploy.commits
        if len({commit.sha for commit in commits}) < len(commits):
            commits = sorted(commits, key=lambda commit: commit.at)
        for commit in commits:
            if commit.sha in delivered:
                continue
            delivered.add(commit.sha)
            if not deploy.baseline:
                found.append(Lead(deploy=deploy, sha=commit.sha, seconds=(deploy.at - commit.at).total_seconds()))
    return found


def _inferred_kind(deploy: Deploy, live: str | None, been_live: set[str], order: VersionOrder) -> RolloutKind:
    if deploy.rolls_back is not None:
        return RolloutKind.ROLLBACK
    returning = deploy.version != live and deploy.version in been_live
    if returning and order.precedes(deploy.service, deploy.version, live):
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
