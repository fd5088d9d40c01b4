"""The events of which the delivery history is made: a rollout's end, a failure mark, a recovery.

Says what was observed and nothing that follows from it: which rollout was a deployment, which change failed and when it
was recovered is worked out by the reports. `history_json` reads and writes these events.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class RolloutStatus(StrEnum):
    """How a rollout ended."""

    SUCCESS = "success"
    FAILED = "failed"


class RolloutKind(StrEnum):
    """Why a rollout was made."""

    PROMOTION = "promotion"
    HOTFIX = "hotfix"
    REVERT = "revert"
    ROLLBACK = "rollback"
    REDEPLOY = "redeploy"


class CommitRef(NamedTuple):
    """A commit that a rollout carried; `at` is its author date in UTC. A tuple, because a year holds hundreds of thousands."""

    sha: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRef:
    """A pull request of the source repository that a rollout carried, with the commits it brought."""

    number: int
    merged_at: datetime | None = None
    commits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """The end of one rollout of one version of a service in a stage (UTC).

    `kind` None means that it is to be inferred. `fixes` and `rolls_back` name deploy ids, `reverts_prs` numbers of pull requests.
    `baseline` marks the first sight of a stage: what it carried was there before we looked. `doubts` are codes of what a history that was
    rebuilt from git could not know about it.
    """

    id: str
    service: str
    stage: str
    at: datetime
    version: str
    status: RolloutStatus
    kind: RolloutKind | None = None
    commits: tuple[CommitRef, ...] = ()
    prs: tuple[PullRef, ...] = ()
    fixes: tuple[str, ...] = ()
    reverts_prs: tuple[int, ...] = ()
    rolls_back: str | None = None
    baseline: bool = False
    team: str | None = None
    doubts: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[datetime, str]:
        """Where the rollout stands in the history: by time, then id."""
        return self.at, self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A mark that something failed: linked to the deploy that brought it, or to none (then with service and stage)."""

    id: str
    at: datetime
    deploy: str | None = None
    service: str | None = None
    stage: str | None = None
    source: str | None = None
    cause: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """The statement that a failure, named by its id, was over at this instant (UTC)."""

    failure: str
    at: datetime


Event = Deploy | Failure | Recovery


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Everything that is known: events in any order, possibly doubled; `version_order` oldest first, where somebody gave one.

    `ignored_fields` counts fields that the reader did not know, by their name. `unknown` says of rollouts (by id) why nobody knows what
    they carried. `notes` are stage, code and count of what a backfill could not tell about a whole branch.
    """

    events: tuple[Event, ...]
    version_order: tuple[str, ...] | None = None
    ignored_fields: tuple[tuple[str, int], ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str, int], ...] = ()
