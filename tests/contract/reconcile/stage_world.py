"""One stage on the sandbox forge, with the bot's real adapters and a real database: what applying an action needs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bot.adapters.git import GitRepositories
from bot.adapters.git_remote import Remote
from bot.adapters.github.auth import AppKey
from bot.adapters.github.connecting import connect
from bot.adapters.github.forge import GitHubForge
from bot.adapters.store import migrate
from bot.adapters.store.database import Database
from bot.adapters.store.effects import EffectJournal
from bot.adapters.store.history import StoredHistory
from bot.adapters.store.outbox import StoredOutbox
from bot.adapters.store.pace import SharedPace
from bot.app.parts import may_push
from bot.domain.action import MergePromotion, OpenPromotion, Revert
from bot.domain.image import Version
from bot.domain.promotion import Move, Promotion, PromotionState, SlotEdit, branch_name, promotion_id
from bot.domain.release import Release
from bot.domain.repository import EnvironmentRepository
from bot.ports import Chat
from bot.reconcile.crash import CrashPoints
from bot.reconcile.effects import Effects
from bot.reconcile.tools import Place, Tools
from bot.sandbox.github import GitHubSandbox

PATH = "payments/deployment.yaml"
IMAGE = "ghcr.io/acme/payments"


def manifest(tag: str, *, more: str = "") -> str:
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: payments  # owned by team money\nspec:\n  template:\n    spec:\n"
        f"      containers:\n        - name: payments\n          image: {IMAGE}:{tag}\n{more}"
    )


class Crashed(BaseException):
    """The process died here, as far as the test is concerned."""


class DiesAt(CrashPoints):
    """Dies the first time that the process stands at the point."""

    def __init__(self, point: str) -> None:
        super().__init__({})
        self.point = point
        self.died = False
        self.seen: list[str] = []

    def at(self, point: str) -> None:
        self.seen.append(point)
        if point == self.point and not self.died:
            self.died = True
            raise Crashed(point)


@dataclass(slots=True)
class Clock:
    shift: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift


class Hub:
    """One sandbox forge for many tests, with an App; each test gets a repository of its own."""

    def __init__(self, root: Path) -> None:
        self.sandbox = GitHubSandbox(root / "hub")
        self.sandbox.start()
        self.sandbox.add_user("ana")
        app_id, key, installation = self.sandbox.create_app("promoter")
        self.access = AppKey(app_id=app_id, private_key=key, installation=installation)
        self._count = 0

    def new_repository(self) -> str:
        self._count += 1
        name = f"acme/env-qa-{self._count}"
        self.sandbox.create_repo(name, {PATH: manifest("1.0.0"), "README.md": "qa\n"}, default_branch="main")
        self.sandbox.add_collaborator(name, "ana", "admin")
        return name


class StageWorld:
    """Stage qa, whose repository holds payments 1.0.0."""

    def __init__(self, root: Path, hub: Hub, *, signed: bool = False) -> None:
        self.hub = hub.sandbox
        self.repo = hub.new_repository()
        self.hub.ledger.reset()
        self.hub.faults.clear()
        self.clock = Clock()
        self.database = Database(f"sqlite:///{root}/bot.db")
        migrate.upgrade(self.database)
        self.forge: GitHubForge = connect(
            hub.access,
            clock=self.clock,
            api_url=self.hub.api_url,
            writes=(10_000, 10_000),
            pushes=10_000,
            pace=SharedPace(self.database),
        )
        remote = Remote(url=self.hub.clone_url, protocols=frozenset({"http"}), tokens=self.forge.credentials)
        self.repositories = GitRepositories(root / "clones", remote, may_push=partial(may_push, self.forge))
        self.history = StoredHistory(self.database)
        self.outbox = StoredOutbox(self.database)
        self.place = Place(stage="qa", environment=EnvironmentRepository(repository=self.repo), signed=signed)

    def close(self) -> None:
        self.database.close()

    def tools(self, points: CrashPoints | None = None, *, chat: Chat | None = None) -> Tools:
        """The tools of a bot that has just started."""
        effects = Effects(EffectJournal(self.database), self.clock, points=points or CrashPoints({}), sleep=lambda _seconds: None)
        return Tools(
            place=self.place,
            forge=self.forge,
            repositories=self.repositories,
            history=self.history,
            outbox=self.outbox,
            effects=effects,
            clock=self.clock,
            chat=chat,
        )

    # what the plan would say ------------------------------------------------------------------

    def promotion(self, new: str = "1.1.0", old: str = "1.0.0") -> Promotion:
        base = self.repositories.refresh(self.repo)["main"]
        edit = SlotEdit(path=PATH, address={"image": IMAGE}, artifact=IMAGE, old=Version(tag=old), new=Version(tag=new), line=10)
        releases = [Release.single(Version(tag=tag)) for tag in (old, new)]
        moves = (Move(service="payments", old=releases[0], new=releases[1], edits=(edit,)),)
        return Promotion(
            id=promotion_id("qa", moves, base),
            stage="qa",
            name="payments",
            moves=moves,
            branch=branch_name("qa", "payments"),
            state=PromotionState.OPENING,
            base=base,
            opened_at=self.clock().replace(microsecond=0),
        )

    def opening(self, promotion: Promotion | None = None) -> OpenPromotion:
        found = promotion or self.promotion()
        return OpenPromotion(
            promotion=found, title="promote(qa): payments", body="body", labels=("promotion:waiting",), message="promote payments\n"
        )

    def merging(self, promotion: Promotion) -> MergePromotion:
        base = self.repositories.refresh(self.repo)["main"]
        return MergePromotion(promotion=promotion, head=promotion.head, base=base, method="squash", title="promote(qa): payments (#1)")

    def reverting(self, promotion: Promotion, *, as_pull_request: bool = False) -> Revert:
        edits = tuple(edit for move in promotion.moves for edit in move.edits)
        return Revert(
            promotion=promotion, edits=edits, as_pull_request=as_pull_request, message="revert payments\n", title="revert", body="body"
        )

    # what stands there now, read without the bot -----------------------------------------------

    def only(self) -> Promotion:
        """The one promotion that the database holds in flight or newest."""
        found = self.history.promotions("qa")
        assert len(found) == 1, found
        return found[0]

    def rows(self) -> Sequence[Promotion]:
        return self.history.promotions("qa")

    def text(self, ref: str = "main") -> str:
        content = self.hub.read_file(self.repo, ref, PATH)
        assert content is not None
        return content.decode()

    def subjects(self) -> list[str]:
        return [commit.message.splitlines()[0] for commit in self.hub.log(self.repo, "main")]

    def failed(self, promotion: Promotion) -> Promotion:
        """The promotion as the plan leaves it when its rollout failed."""
        return self.history.save_promotion(
            replace(promotion, state=PromotionState.FAILED, failed_at=self.clock()),
            why="crash loop",
            actor="promotion-bot",
            now=self.clock(),
        )
