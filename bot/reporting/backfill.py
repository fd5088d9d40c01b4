"""Delivery history out of an environment branch: from commits with the versions they left to events like those of the live history.

Decides which change of a version was a promotion, which a rollback (by what a revert says, by ancestry, by the versions' order; never
because a version was seen before), and what nobody can know. Reading git and finding versions in files is left to the caller.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.history import CommitRef, Deploy, RolloutKind, RolloutStatus
from bot.domain.image import Version
from bot.domain.order import compare
from bot.reporting.rebuilt import rebuilt_id

_REVERTS = re.compile(r"This reverts commit ([0-9a-f]{7,64})")
_TRAILER = re.compile(r"^Promotion-Id: (\S+)$", re.MULTILINE)
_TAKES_BACK = re.compile(r"^Reverts-Promotion: (\S+)$", re.MULTILINE)
_TICK = timedelta(microseconds=1)

NOTES = {
    "commit_time": "deployments are dated by their commits: when their rollouts were healthy is not on record",
    "health_unknown": "deployments count as successful: failed rollouts leave no trace in git but their reverts",
    "hand_made": "commits that the bot did not make changed versions",
    "unordered": "changes of version whose direction nobody can tell (no order, no ancestry, no revert) count as promotions",
    "ambiguous": "times the files of a service disagreed about its version; nothing was recorded until they agreed",
    "no_source": "deployments whose commits are not known (no source repository, or a deleted tag)",
    "clock_order": "commits seem older than the one before them on their branch; they were dated just after it",
    "rewritten": "times the branch's history was rewritten since the last run; it was read anew",
    "no_version": "no version of anything ever stood there: is it the right folder and branch?",
    "unreadable": "files with places whose version could not be read",
}
OF_BRANCH = frozenset({"ambiguous", "clock_order", "rewritten", "unreadable"})
"""The notes that no single deployment carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCommit:
    """One commit of a stage's branch: `versions` are the services whose version it changed, None for gone or disagreeing."""

    sha: str
    at: datetime
    message: str
    versions: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What source repositories can tell. `commits`: what the new version brought, None for not known.

    `is_older`: whether `new` is an ancestor of `old` (by service, old, new), None for not known.
    """

    commits: Callable[[str, str, str], tuple[CommitRef, ...] | None]
    is_older: Callable[[str, str, str], bool | None]


def nothing_known() -> Sources:
    """No source repository is at hand."""
    return Sources(commits=lambda service, old, new: None, is_older=lambda service, old, new: None)


@dataclass(slots=True, kw_only=True)
class Branch:
    """How far a stage's branch was followed: what stands there, which commit and promotion made which deployment. Goes on where it stopped.

    `made` maps (commit, service) to the deploy's id and the version before it; `promotions` a promotion's id to its commit.
    """

    stage: str
    live: dict[str, str] = field(default_factory=dict)
    made: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    promotions: dict[str, str] = field(default_factory=dict)
    last_at: datetime | None = None
    begun: bool = False
    notes: Counter[str] = field(default_factory=Counter)


def follow(branch: Branch, commits: Iterable[StageCommit], sources: Sources) -> Iterator[Deploy]:
    """The deployments that the commits made, oldest first; `branch` is brought up to date.

    The first commit that is ever followed is the baseline: what stands there was there before.
    """
    for commit in commits:
        at = commit.at
        if branch.last_at is not None and at <= branch.last_at:
            branch.notes["clock_order"] += at < branch.last_at
            at = branch.last_at + _TICK
        branch.last_at = at
        baseline, branch.begun = not branch.begun, True
        promotion = _TRAILER.search(commit.message)
        if promotion:
            branch.promotions[promotion[1]] = commit.sha
        for service in sorted(commit.versions):
            new, old = commit.versions[service], branch.live.get(service)
            if new is None:
                branch.notes["ambiguous"] += 1
                continue
            if new == old:
                continue
            branch.live[service] = new
            deploy = _deploy(branch, commit, sources, at, (service, old, new), baseline=baseline)
            branch.made[commit.sha, service] = (deploy.id, old or "")
            branch.notes.update(deploy.doubts)
            yield deploy


def _deploy(
    branch: Branch, commit: StageCommit, sources: Sources, at: datetime, move: tuple[str, str | None, str], *, baseline: bool
) -> Deploy:
    service, old, new = move
    culprit = _taken_back(branch, commit.message, service, new)
    older = _is_older(sources, service, old, new) if culprit is None and old is not None else False
    back = culprit is not None or older is True
    brought = sources.commits(service, old, new) if old is not None and not back else None
    if brought is None and not back and not baseline:
        branch.notes["no_source"] += 1
    return Deploy(
        id=rebuilt_id(branch.stage, commit.sha, service),
        service=service,
        stage=branch.stage,
        at=at,
        version=new,
        status=RolloutStatus.SUCCESS,
        kind=RolloutKind.ROLLBACK if back else RolloutKind.PROMOTION,
        commits=brought or (),
        rolls_back=culprit,
        baseline=baseline,
        doubts=tuple(_doubts(commit, baseline=baseline, unordered=older is None)),
    )


def _taken_back(branch: Branch, message: str, service: str, new: str) -> str | None:
    """The deploy that a revert says it takes back, if it restores exactly what that one replaced."""
    named = [name for name in _REVERTS.findall(message) if name]
    takes_back = _TAKES_BACK.search(message)
    if takes_back and takes_back[1] in branch.promotions:
        named.append(branch.promotions[takes_back[1]])
    for name in named:
        for (sha, whose), (deploy, before) in branch.made.items():
            if whose == service and sha.startswith(name) and before == new:
                return deploy
    return None


def _is_older(sources: Sources, service: str, old: str, new: str) -> bool | None:
    """Whether the new version is an older one: by ancestry where it is known, else by the versions' order; None where nobody can tell."""
    by_ancestry = sources.is_older(service, old, new)
    if by_ancestry is not None:
        return by_ancestry
    by_order = compare(Version.parse(new), Version.parse(old))
    return None if by_order is None else by_order == -1


def _doubts(commit: StageCommit, *, baseline: bool, unordered: bool) -> Iterator[str]:
    """What git alone cannot know about a deployment, and that a person made its commit: codes of `NOTES`."""
    yield "commit_time"
    yield "health_unknown"
    if not baseline and not _TRAILER.search(commit.message) and not _TAKES_BACK.search(commit.message):
        yield "hand_made"
    if unordered:
        yield "unordered"
