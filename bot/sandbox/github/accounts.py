"""Who exists on the forge: people, organisations, teams, Apps with their bots, installations and tokens."""

from dataclasses import dataclass, field
from datetime import datetime

ROLES = ("read", "triage", "write", "maintain", "admin")

# What an App may do, as in its manifest; the shape of GitHub's `app-permissions`.
APP_PERMISSIONS = {
    "actions": "read",
    "checks": "write",
    "contents": "write",
    "deployments": "write",
    "issues": "write",
    "members": "read",
    "merge_queues": "read",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}
APP_EVENTS = (
    "check_run",
    "check_suite",
    "deployment_status",
    "issue_comment",
    "label",
    "merge_group",
    "pull_request",
    "pull_request_review",
    "push",
    "status",
    "workflow_run",
)


@dataclass(slots=True, kw_only=True, eq=False)
class Account:
    """A user, organisation or bot. `login` of a bot is `<slug>[bot]`, as REST shows it."""

    id: int
    login: str
    kind: str = "User"
    name: str | None = None
    email: str | None = None
    created_at: datetime

    def graphql_login(self) -> str:
        """GraphQL names a bot without the `[bot]` suffix."""
        return self.login.removesuffix("[bot]")

    def signature(self) -> tuple[str, str]:
        """Name and e-mail address for a commit; the private address that GitHub gives out unless one was set."""
        return self.name or self.login, self.email or f"{self.id}+{self.login}@users.noreply.github.com"


@dataclass(slots=True, kw_only=True, eq=False)
class Team:
    """A team of an organisation; members with their team role (`member` or `maintainer`)."""

    id: int
    organisation: str
    slug: str
    members: dict[str, str] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True, eq=False)
class App:
    """A GitHub App; the private key stays with its owner, the server keeps the public half. `has_hook`: its webhook is on."""

    id: int
    slug: str
    owner: Account
    bot: Account
    client_id: str
    public_key: str
    permissions: dict[str, str]
    events: tuple[str, ...] = APP_EVENTS
    has_hook: bool = True
    created_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class Installation:
    """An App on one account, for all of its repositories or (`repositories`) some of them by full name in lower case."""

    id: int
    app: App
    account: Account
    permissions: dict[str, str]
    repositories: set[str] | None = None
    suspended_at: datetime | None = None
    created_at: datetime


@dataclass(slots=True, kw_only=True, eq=False)
class Token:
    """A bearer of rights: of a user, or of an installation (then it expires and its permissions may be narrowed)."""

    value: str
    account: Account
    installation: Installation | None = None
    permissions: dict[str, str] | None = None
    repository_ids: set[int] | None = None
    expires_at: datetime | None = None
    revoked: bool = False
