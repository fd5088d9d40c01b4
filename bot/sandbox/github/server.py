"""The GitHub-compatible server as one object: start it, seed it, act on it as people and CI, read it back.

Decides how the parts stand together. Acting and reading go past HTTP and are counted nowhere; what they cause
(events, merges) is the same as over the API.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.sandbox.github import seeding
from bot.sandbox.github.accounts import APP_EVENTS, APP_PERMISSIONS, ROLES, Account, Installation, Team
from bot.sandbox.github.acting import People
from bot.sandbox.github.application import build_application, template_of
from bot.sandbox.github.control import add_controls
from bot.sandbox.github.deliveries import Deliveries
from bot.sandbox.github.faults import Faults
from bot.sandbox.github.gate import Gate
from bot.sandbox.github.graphql.execute import Executor
from bot.sandbox.github.history import Commit, read_commit
from bot.sandbox.github.hooks import Dispatcher
from bot.sandbox.github.ledger import Ledger
from bot.sandbox.github.limits import Limits
from bot.sandbox.github.pages import add_pages
from bot.sandbox.github.rest.table import all_routes
from bot.sandbox.github.state import Protection, Pull, Repository, RepositorySettings
from bot.sandbox.github.world import World, find_pull, wall_clock
from bot.sandbox.serving import LoopbackServer


class GitHubSandbox:
    """A forge on loopback over real bare repositories below `root`.

    `clock` dates commits, comments and pull requests; tokens and rate limits run on the machine's own time. `dates` is what answers
    say in their `Date` header. Every event
    goes to `webhook_url`, signed with `webhook_secret`: as the App's hook once `create_app` was called, else as a hook of
    the repository. `public_url` is the address in links, if it is not the one that is served.
    """

    def __init__(
        self,
        root: Path,
        *,
        clock: Callable[[], datetime] = wall_clock,
        dates: Callable[[], datetime] = wall_clock,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        port: int = 0,
    ) -> None:
        self.world = World(root=root, clock=clock, dates=dates)
        self.ledger = Ledger(wall_clock)
        self.faults = Faults()
        self.limits = Limits()
        self.deliveries = Deliveries(wall_clock)
        self._act_through(People(self.world))
        self._dispatcher = Dispatcher(world=self.world, deliveries=self.deliveries, url=webhook_url, secret=webhook_secret)
        self.world.emit = self._dispatcher.emit
        executor = Executor(self.world, self.limits)
        routes = all_routes(self.deliveries, self._dispatcher)
        self.application = build_application(world=self.world, limits=self.limits, routes=routes, graphql=executor.run)
        add_controls(self.application, self)
        add_pages(self.application, self.world)
        gate = Gate(self.application, world=self.world, ledger=self.ledger, faults=self.faults, templates=template_of(self.application))
        self._server = LoopbackServer(gate, name="github-sandbox", port=port, dated=False)
        self.world.base_url = self._server.url

    def _act_through(self, people: People) -> None:
        """People act on the sandbox itself: `sandbox.approve(...)`."""
        self.push = people.push
        self.delete_branch = people.delete_branch
        self.open_pr = people.open_pr
        self.approve = people.approve
        self.comment = people.comment
        self.edit_comment = people.edit_comment
        self.label = people.label
        self.close_pr = people.close_pr
        self.reopen_pr = people.reopen_pr
        self.merge_pr = people.merge_pr
        self.set_status = people.set_status
        self.set_check = people.set_check
        self.press_button = people.press_button
        self.suspend_app = people.suspend_app
        self.rename_repo = people.rename_repo
        self.emit = people.emit

    # life ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Serve and deliver."""
        self.deliveries.start()
        self._server.start()

    def stop(self) -> None:
        """Stop both; what waits to be delivered is dropped."""
        self._server.stop()
        self.deliveries.stop()

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return self._server.port

    @property
    def url(self) -> str:
        """The address of the human pages and of git: `http://127.0.0.1:PORT`."""
        return self._server.url

    @property
    def api_url(self) -> str:
        """Where REST begins; GraphQL is at `graphql_url`."""
        return self.world.api_url

    @property
    def graphql_url(self) -> str:
        """The GraphQL address, where PyGithub looks for it."""
        return f"{self.url}/api/graphql"

    def clone_url(self, full_name: str) -> str:
        """The address for `git clone` (a token goes in as password of `x-access-token`)."""
        return f"{self.url}/{full_name}.git"

    def set_webhook(self, url: str | None, secret: str | None) -> None:
        """Send every event there from now on."""
        self._dispatcher.url, self._dispatcher.secret = url, secret

    # seeding ------------------------------------------------------------------------------------

    def create_repo(
        self, full_name: str, seed: Path | Mapping[str, bytes | str] | None = None, *, default_branch: str = "main", **settings: Any
    ) -> Repository:
        """A repository with one commit of these files (a folder, or path -> content). `settings` are those of `RepositorySettings`."""
        with self.world.lock:
            chosen = RepositorySettings(default_branch=default_branch, **settings)
            repository = self.world.new_repository(full_name, chosen, owner_kind="Organization")
            seeding.first_files(self.world, repository, seed)
            return repository

    def add_user(self, login: str, *, name: str | None = None, email: str | None = None) -> str:
        """A person; returns a token of theirs."""
        with self.world.lock:
            account = self.world.account(login)
            account.name, account.email = name or account.name, email or account.email
            return self.world.new_token(account).value

    def create_token(self, login: str) -> str:
        """One more token of an account."""
        with self.world.lock:
            return self.world.new_token(self.world.find_account(login)).value

    def revoke_tokens(self, login: str | None = None) -> int:
        """All tokens (of one login, bots included) stop working now, as expired ones do; how many did."""
        with self.world.lock:
            found = [token for token in self.world.tokens.values() if login is None or token.account.login == login]
            for token in found:
                token.revoked = True
            return len(found)

    def add_collaborator(self, repo: str, login: str, permission: str = "write") -> None:
        """Give a person a role: read, triage, write, maintain or admin."""
        if permission not in ROLES:
            raise ValueError(f"{permission!r} is no role; there are {', '.join(ROLES)}")
        with self.world.lock:
            self.world.account(login)
            self.world.repository(repo).collaborators[login.lower()] = permission

    def remove_collaborator(self, repo: str, login: str) -> None:
        """Take a person's own role away (that of a team stays)."""
        with self.world.lock:
            self.world.repository(repo).collaborators.pop(login.lower(), None)

    def add_team(self, org: str, slug: str, members: Iterable[str], *, repos: Mapping[str, str] | None = None) -> None:
        """A team with these members; `repos` gives it roles (full name -> role)."""
        with self.world.lock:
            people = {self.world.account(login).login.lower(): "member" for login in members}
            owner = self.world.account(org, "Organization")
            self.world.teams[(owner.login.lower(), slug.lower())] = Team(
                id=self.world.next_id(), organisation=owner.login, slug=slug, members=people
            )
            for login in people:
                self.world.organisation_members.setdefault(owner.login.lower(), {}).setdefault(login, "member")
            for full_name, role in (repos or {}).items():
                self.world.repository(full_name).team_roles[slug.lower()] = role

    def create_app(
        self,
        slug: str,
        *,
        owner: str = "acme",
        permissions: Mapping[str, str] | None = None,
        events: Iterable[str] = APP_EVENTS,
        repositories: Iterable[str] | None = None,
        has_hook: bool = True,
    ) -> tuple[int, str, int]:
        """A GitHub App, installed on `owner`: its id, private key (PEM) and installation id."""
        with self.world.lock:
            app, key = seeding.register_app(self.world, slug, owner, dict(permissions or APP_PERMISSIONS), tuple(events))
            app.has_hook = has_hook
            installation = Installation(
                id=self.world.next_id(),
                app=app,
                account=self.world.account(owner, "Organization"),
                permissions=dict(app.permissions),
                repositories=None if repositories is None else {name.lower() for name in repositories},
                created_at=self.world.now(),
            )
            self.world.installations[installation.id] = installation
            return app.id, key, installation.id

    def protect(self, repo: str, branch: str, **rules: Any) -> None:
        """Protect a branch; the rules are the fields of `Protection`. Without rules the branch is only safe from force pushes."""
        with self.world.lock:
            self.world.repository(repo).protections[branch] = Protection(**rules)

    def unprotect(self, repo: str, branch: str) -> None:
        """Lift all rules of a branch."""
        with self.world.lock:
            self.world.repository(repo).protections.pop(branch, None)

    # reading ------------------------------------------------------------------------------------

    def repository(self, repo: str) -> Repository:
        """The record of a repository."""
        return self.world.repository(repo)

    def account(self, login: str) -> Account:
        """The record of an account."""
        return self.world.find_account(login)

    def read_file(self, repo: str, ref: str, path: str) -> bytes | None:
        """A file at a branch, tag or commit, or None."""
        git = self.world.repository(repo).git
        sha = git.commit_of(ref)
        entry = git.entry(sha, path) if sha else None
        return git.blob(entry[2]) if entry and entry[1] == "blob" else None

    def head(self, repo: str, branch: str | None = None) -> str | None:
        """The commit of a branch (default: the default branch), or None."""
        repository = self.world.repository(repo)
        return repository.git.branch(branch or repository.settings.default_branch)

    def list_branches(self, repo: str) -> list[str]:
        """Names, sorted."""
        return [name.removeprefix("refs/heads/") for name in self.world.repository(repo).git.refs()]

    def pulls(self, repo: str) -> list[Pull]:
        """Every pull request, oldest first."""
        with self.world.lock:
            return self.world.repository(repo).pulls()

    def pull(self, repo: str, number: int) -> Pull:
        """One pull request."""
        with self.world.lock:
            return find_pull(self.world.repository(repo), number)

    def log(self, repo: str, branch: str | None = None) -> list[Commit]:
        """The history of a branch, newest first."""
        git = self.world.repository(repo).git
        tip = self.head(repo, branch)
        return [read_commit(git, sha) for sha in git.commits(tip)] if tip else []
