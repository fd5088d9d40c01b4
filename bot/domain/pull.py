"""A pull request as last read from the forge: its state, and everything people and CI said on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.people import Person


class PullState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


class CheckState(StrEnum):
    """A commit status or check run, brought to one scale. `neutral` and `skipped` are conclusions of check runs."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One commit status or check run on `commit`; of several runs with one name, the newest."""

    name: str
    state: CheckState
    commit: str
    at: datetime | None = None
    source: str = ""
    url: str = ""
    required: bool = False


class ReviewState(StrEnum):
    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"
    COMMENTED = "commented"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    id: int
    author: Person
    state: ReviewState
    commit: str
    submitted_at: datetime
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """`edited` is true when its text is not the first one any more; `ours` when our own account wrote it; `folded` when it is minimised."""

    id: int
    node_id: str
    author: Person
    body: str
    created_at: datetime
    edited: bool = False
    ours: bool = False
    via_app: bool = False
    folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelEvent:
    """Who put a label on, and when."""

    actor: Person
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """Everything known of one pull request, at `read_at` (UTC).

    `head` and `base` are commit ids; `merge_commit` the commit on the base branch that merged it.
    `checks` speak of `head` only. `labels` maps a label to who put it on, where that is known; `unlabelled` who took one off last.
    `head_since` (UTC) is when we first knew that `head` is the head: what was said before it was not said of it.
    """

    repository: str
    number: int
    node_id: str
    url: str
    title: str
    body: str
    branch: str
    head: str
    base_branch: str
    base: str
    state: PullState
    author: Person
    created_at: datetime
    updated_at: datetime
    read_at: datetime
    ours: bool = False
    merged_at: datetime | None = None
    merge_commit: str | None = None
    merged_by: Person | None = None
    closed_at: datetime | None = None
    closed_by: Person | None = None
    mergeable: bool | None = None
    labels: Mapping[str, LabelEvent | None] = field(default_factory=dict)
    comments: tuple[Comment, ...] = ()
    reviews: tuple[Review, ...] = ()
    checks: tuple[Check, ...] = ()
    unlabelled: Mapping[str, LabelEvent] = field(default_factory=dict)
    head_since: datetime | None = None
