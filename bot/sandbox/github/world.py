"""The whole forge in memory: one lock, the counters, and the look-ups by name and number.

Decides how things are found and numbered. Times of things come from `clock` (which a test may run fast or stop);
what expires (tokens, JWTs, rate limits) runs on the machine's own time, because clients judge that by their own.
"""

import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.sandbox.github.accounts import Account, App, Installation, Team, Token
from bot.sandbox.github.errors import ApiError, not_found
from bot.sandbox.github.git import Git, Signature
from bot.sandbox.github.state import Issue, Pull, Repository, RepositorySettings

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.{1,2}$)[\w.-]+", re.ASCII)
WEB_FLOW = "noreply@github.com"


def wall_clock() -> datetime:
    """The machine's time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, for the webhooks: `name` and `action` are GitHub's, `details` what the payload is made of."""

    name: str
    action: str | None
    repository: Repository | None
    sender: Account
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class World:
    """Everything the forge knows. Hold `lock` while reading or changing it."""

    root: Path
    clock: Callable[[], datetime] = wall_clock
    wall: Callable[[], datetime] = wall_clock
    dates: Callable[[], datetime] = wall_clock
    base_url: str = "http://127.0.0.1"
    emit: Callable[[Event], None] = lambda event: None
    lock: threading.RLock = field(default_factory=threading.RLock)
    accounts: dict[str, Account] = field(default_factory=dict)
    teams: dict[tuple[str, str], Team] = field(default_factory=dict)
    organisation_members: dict[str, dict[str, str]] = field(default_factory=dict)
    apps: dict[int, App] = field(default_factory=dict)
    installations: dict[int, Installation] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    manifest_codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    counter: int = 1000

    @property
    def api_url(self) -> str:
        """Where REST begins."""
        return f"{self.base_url}/api/v3"

    def now(self) -> datetime:
        """The forge's time in whole seconds, as GitHub shows it."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def next_id(self) -> int:
        """A number that nothing else has."""
        self.counter += 1
        return self.counter

    # people -------------------------------------------------------------------------------------

    def account(self, login: str, kind: str = "User") -> Account:
        """The account with this login (any case), made if it is new."""
        found = self.accounts.get(login.lower())
        if found is None:
            found = Account(id=self.next_id(), login=login, kind=kind, created_at=self.now())
            self.accounts[login.lower()] = found
        return found

    def find_account(self, login: str) -> Account:
        """The account, or 404."""
        found = self.accounts.get(login.lower())
        if found is None:
            raise not_found()
        return found

    def find_team(self, organisation: str, slug: str) -> Team:
        """The team, or 404."""
        found = self.teams.get((organisation.lower(), slug.lower()))
        if found is None:
            raise not_found()
        return found

    def new_token(self, account: Account, prefix: str = "ghp") -> Token:
        """A fresh token of an account; the caller adds what narrows it."""
        token = Token(value=f"{prefix}_{secrets.token_hex(20)}", account=account)
        self.tokens[token.value] = token
        return token

    def installation_for(self, repository: Repository) -> Installation | None:
        """The newest installation that may see the repository."""
        for installation in reversed(self.installations.values()):
            if installation.account is repository.owner and covers(installation, repository):
                return installation
        return None

    # repositories -------------------------------------------------------------------------------

    def repository(self, full_name: str) -> Repository:
        """The repository `owner/name` (any case), 301 for an old name, or 404."""
        found = self.repositories.get(full_name.lower())
        if found is None and full_name.lower() in self.renamed:
            moved = self.repositories[self.renamed[full_name.lower()]]
            address = f"{self.api_url}/repositories/{moved.id}"
            raise ApiError(301, "Moved Permanently", headers={"location": address})
        if found is None:
            raise not_found()
        return found

    def repository_by_id(self, number: int) -> Repository:
        """The repository with this id, or 404."""
        for repository in self.repositories.values():
            if repository.id == number:
                return repository
        raise not_found()

    def new_repository(self, full_name: str, settings: RepositorySettings, *, owner_kind: str) -> Repository:
        """An empty repository on a fresh bare git directory; ValueError for a name that GitHub would not take."""
        if not NAME.fullmatch(full_name):
            raise ValueError(f"{full_name!r} is no repository name such as acme/dev")
        owner, _, name = full_name.partition("/")
        git = Git(self.root / owner / f"{name}.git")
        git.create(settings.default_branch)
        repository = Repository(
            id=self.next_id(),
            owner=self.account(owner, owner_kind),
            name=name,
            git=git,
            settings=settings,
            created_at=self.now(),
            pushed_at=self.now(),
        )
        self.repositories[full_name.lower()] = repository
        return repository

    def rename(self, repository: Repository, full_name: str) -> None:
        """Give a repository another name or owner; its number, its history and its old addresses stay."""
        old, owner, name = repository.full_name.lower(), *full_name.split("/")
        del self.repositories[old]
        repository.owner, repository.name = self.account(owner, "Organization"), name
        self.repositories[full_name.lower()] = repository
        self.renamed = {key: full_name.lower() if value == old else value for key, value in self.renamed.items()}
        self.renamed[old] = full_name.lower()
        self.renamed.pop(full_name.lower(), None)

    def signature(self, account: Account) -> Signature:
        """The account as author of a commit made now."""
        name, email = account.signature()
        return Signature(name=name, email=email, when=self.now())

    def web_flow(self) -> Signature:
        """GitHub itself as committer, of the commits that it signs."""
        self.account("web-flow").email = WEB_FLOW
        return Signature(name="GitHub", email=WEB_FLOW, when=self.now())

    def account_of(self, signature: Signature) -> Account | None:
        """The account whose address made a commit."""
        for account in self.accounts.values():
            if signature.email in (account.email, account.signature()[1]):
                return account
        return None


def covers(installation: Installation, repository: Repository) -> bool:
    """Whether the installation includes the repository and is not suspended."""
    if installation.suspended_at is not None or installation.account is not repository.owner:
        return False
    return installation.repositories is None or repository.full_name.lower() in installation.repositories


def find_issue(repository: Repository, number: int) -> Issue:
    """The issue or pull request with this number, or 404."""
    found = repository.issues.get(number)
    if found is None:
        raise not_found()
    return found


def find_pull(repository: Repository, number: int) -> Pull:
    """The pull request with this number, or 404."""
    found = find_issue(repository, number)
    if not isinstance(found, Pull):
        raise not_found()
    return found
