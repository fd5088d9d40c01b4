"""A forge on the sandbox, for contract tests: one repository, people, an App or a token, and the bot's two adapters on it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.adapters.git import GitRepositories
from bot.adapters.git_remote import Remote
from bot.adapters.github.auth import AppKey, PersonalToken
from bot.adapters.github.connecting import connect
from bot.adapters.github.forge import GitHubForge
from bot.domain.people import Person
from bot.domain.pull import PullRequest, PullState
from bot.sandbox.github import GitHubSandbox
from bot.sandbox.github.ids import node_id

REPO = "acme/env"
MAIN = "main"
BRANCH = "promote/qa/shop"
SEED = {"qa/shop.yaml": "image: shop:1.0\n", "README.md": "environments\n"}


@dataclass(slots=True)
class Clock:
    """The machine's time, moved on by what a test adds."""

    shift: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift


@dataclass(slots=True)
class ForgeWorld:
    hub: GitHubSandbox
    forge: GitHubForge
    repositories: GitRepositories
    clock: Clock
    access: AppKey | PersonalToken
    ticks: list[float]

    def again(self) -> GitHubForge:
        """The bot after a restart: nothing is remembered."""
        return connect(self.access, clock=self.clock, api_url=self.hub.api_url, monotonic=lambda: self.ticks[0])

    def push(self, text: str = "image: shop:1.1\n", *, branch: str = BRANCH, old: str | None = None) -> str:
        """A promotion's commit on its branch, by git."""
        base = self.repositories.refresh(REPO)[MAIN]
        sha = self.repositories.commit(REPO, parent=base, files={"qa/shop.yaml": text.encode()}, message="promote", at=self.clock())
        self.repositories.push(REPO, {branch: (old, sha)})
        return sha

    def open(self, text: str = "image: shop:1.1\n", *, branch: str = BRANCH) -> int:
        self.push(text, branch=branch)
        return self.forge.open_pull(REPO, branch=branch, base_branch=MAIN, title="promote", body="body").number

    def read(self, number: int) -> PullRequest:
        return next(pull for pull in self.forge.pulls(REPO, base_branch=MAIN, prefix="promote/", numbers=[number]) if pull.number == number)

    def as_opened(self, number: int) -> PullRequest:
        """The pull request as the engine knows it right after opening: nobody has read it."""
        made, now = self.hub.pull(REPO, number), self.clock()
        return PullRequest(
            repository=REPO,
            number=number,
            node_id=node_id("PR", made.pull_id),
            url="",
            title="t",
            body="b",
            branch=made.head_ref,
            head=made.head_sha,
            base_branch=MAIN,
            base=made.base_sha,
            state=PullState.OPEN,
            author=Person(id=0, login=self.forge.identity()),
            created_at=now,
            updated_at=now,
            read_at=now,
            ours=True,
            labels={"promotion": None},
        )

    def show(self, number: int, bound: dict[str, str], **other: object) -> dict[str, str]:
        wanted = {
            "comment": "### waiting",
            "check": "promotion/qa",
            "conclusion": "",
            "title": "1 of 2 gates pass",
            "summary": "| gate |",
            "labels": ["promotion:waiting"],
        }
        forge = other.pop("forge", self.forge)
        pull = other.pop("pull", None) or self.read(number)
        return dict(forge.show(REPO, pull, bound=bound, **(wanted | other)))  # type: ignore[attr-defined, arg-type]

    @contextmanager
    def calls(self) -> Iterator[Callable[[], list[str]]]:
        """What reached the server inside: ["POST /repos/{owner}/{repo}/pulls", ...]."""
        before = len(self.hub.ledger.entries)
        yield lambda: [f"{entry.kind} {entry.operation}" for entry in self.hub.ledger.entries[before:]]


def build(root: Path, *, app: bool = True, permissions: dict[str, str] | None = None) -> ForgeWorld:
    hub = GitHubSandbox(root / "hub")
    hub.start()
    hub.create_repo(REPO, SEED, default_branch=MAIN, auto_delete_head=True)
    hub.add_user("ada")
    hub.add_collaborator(REPO, "ada", "write")
    clock, ticks = Clock(), [1000.0]
    access: AppKey | PersonalToken
    if app:
        app_id, key, installation = hub.create_app("promoter", permissions=permissions)
        access = AppKey(app_id=app_id, private_key=key, installation=installation)
    else:
        access = PersonalToken(hub.add_user("robot"))
        hub.add_collaborator(REPO, "robot", "admin")
    forge = connect(access, clock=clock, api_url=hub.api_url, monotonic=lambda: ticks[0], timeout=timedelta(seconds=5))
    server = hub.url
    remote = Remote(url=lambda name: f"{server}/{name}.git", protocols=frozenset({"http"}), tokens=forge.credentials)
    return ForgeWorld(hub, forge, GitRepositories(root / "clones", remote), clock, access, ticks)
