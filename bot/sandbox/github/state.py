"""The repositories of the forge and what hangs on them: pull requests, comments, labels, checks, protection.

Plain records without behaviour; who may change them and what follows is decided in `service`, how they look in `views`.
Times are aware datetimes in UTC.
"""

from dataclasses import dataclass, field
from datetime import datetime

from bot.sandbox.github.accounts import Account, App
from bot.sandbox.github.git import Git


@dataclass(slots=True, kw_only=True, eq=False)
class Label:
    """A label of a repository."""

    id: int
    name: str
    color: str = "ededed"
    description: str | None = None
    created_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class Reaction:
    """One person's reaction to a comment."""

    id: int
    author: Account
    content: str
    created_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class Comment:
    """A comment on an issue or pull request. `edited_at` is None until somebody edits it."""

    id: int
    author: Account
    app: App | None
    body: str
    created_at: datetime
    updated_at: datetime
    edited_at: datetime | None = None
    minimized: str | None = None
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Review:
    """A submitted review, bound to the head commit that it looked at."""

    id: int
    author: Account
    state: str
    body: str
    commit_id: str
    submitted_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class TimelineEvent:
    """An entry of the timeline: `labeled` or `unlabeled` (with the label's name), `closed`, `reopened`, `merged`."""

    id: int
    kind: str
    actor: Account
    label: str = ""
    created_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class AutoMerge:
    """The wish to merge as soon as every requirement is met."""

    by: Account
    method: str
    title: str | None
    message: str | None
    enabled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry:
    """A place in the merge queue: `sha` is the merge group's head, tested on top of `base_sha` under the branch `ref`."""

    by: Account
    ref: str
    sha: str
    base_sha: str
    enqueued_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class Issue:
    """An issue; also the issue half of a pull request."""

    id: int
    number: int
    title: str
    body: str | None
    author: Account
    app: App | None
    state: str = "open"
    labels: list[Label] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    timeline: list[TimelineEvent] = field(default_factory=list)
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Pull(Issue):
    """A pull request inside one repository. `base_sha` follows the base branch while open and stays at the merge's base afterwards."""

    pull_id: int
    head_ref: str
    base_ref: str
    head_sha: str
    base_sha: str
    draft: bool = False
    reviews: list[Review] = field(default_factory=list)
    merged_at: datetime | None = None
    merged_by: Account | None = None
    merge_sha: str | None = None
    auto_merge: AutoMerge | None = None
    queued: QueueEntry | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Status:
    """A commit status; the newest of a context counts."""

    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: Account
    created_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class CheckSuite:
    """All check runs of one App on one commit."""

    id: int
    app: App
    head_sha: str
    head_branch: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class CheckRun:
    """A check run; `output` holds title, summary and text, `actions` the buttons that were asked for."""

    id: int
    suite: CheckSuite
    name: str
    head_sha: str
    status: str = "queued"
    conclusion: str | None = None
    external_id: str | None = None
    details_url: str | None = None
    output: dict[str, str | None] = field(default_factory=dict)
    actions: tuple[dict[str, str], ...] = ()
    started_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class DeploymentStatus:
    """One reported state of a deployment."""

    id: int
    state: str
    description: str
    environment: str
    log_url: str
    environment_url: str
    creator: Account
    app: App | None
    created_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class Deployment:
    """A deployment of a commit to a named environment."""

    id: int
    sha: str
    ref: str
    task: str
    environment: str
    description: str | None
    payload: dict[str, object] | str
    transient: bool
    production: bool
    creator: Account
    app: App | None
    statuses: list[DeploymentStatus] = field(default_factory=list)
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """The rules of one branch. `checks` are contexts that must be green; `bypass` are logins that need not keep the rules."""

    checks: tuple[str, ...] = ()
    strict: bool = False
    reviews: int = 0
    dismiss_stale: bool = False
    signatures: bool = False
    linear: bool = False
    no_push: bool = False
    allow_force: bool = False
    allow_deletion: bool = False
    bypass: tuple[str, ...] = ()

    def forbids_push(self) -> bool:
        """Whether a change must come by pull request."""
        return self.no_push or self.reviews > 0


@dataclass(slots=True, kw_only=True)
class RepositorySettings:
    """What an administrator chooses under General."""

    default_branch: str = "main"
    private: bool = True
    archived: bool = False
    allow_merge_commit: bool = True
    allow_squash_merge: bool = True
    allow_rebase_merge: bool = True
    allow_auto_merge: bool = True
    merge_queue: bool = False
    auto_delete_head: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class RepositoryHook:
    """A webhook that somebody set on one repository (token mode)."""

    id: int
    url: str
    secret: str | None
    events: tuple[str, ...]
    active: bool = True
    created_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class Repository:
    """A repository: the bare git directory and everything that GitHub keeps beside it."""

    id: int
    owner: Account
    name: str
    git: Git
    settings: RepositorySettings
    collaborators: dict[str, str] = field(default_factory=dict)
    team_roles: dict[str, str] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    suites: list[CheckSuite] = field(default_factory=list)
    check_runs: dict[int, CheckRun] = field(default_factory=dict)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    hooks: dict[int, RepositoryHook] = field(default_factory=dict)
    protections: dict[str, Protection] = field(default_factory=dict)
    verified: set[str] = field(default_factory=set)
    next_number: int = 1
    created_at: datetime
    pushed_at: datetime

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner.login}/{self.name}"

    def pulls(self) -> list[Pull]:
        """Every pull request, oldest first."""
        return [issue for issue in self.issues.values() if isinstance(issue, Pull)]
