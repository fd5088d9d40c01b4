"""Builds every adapter of one bot from its configuration and settings; starts none of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from bot.adapters import answers
from bot.adapters.git import GitRepositories
from bot.adapters.git_remote import Remote
from bot.adapters.github.budget import Priority
from bot.adapters.github.connecting import connect
from bot.adapters.github.forge import GitHubForge
from bot.adapters.github.forge_time import ForgeTime
from bot.adapters.kubernetes.clusters import KubernetesClusters
from bot.adapters.registry.reach import Registries, registries
from bot.adapters.registry.revision import revision_of
from bot.adapters.render import Renderer
from bot.adapters.safe_http import SafeHttp
from bot.adapters.source_clones import SourceClones
from bot.adapters.store.arrivals import StoredArrivals
from bot.adapters.store.database import Database
from bot.adapters.store.delivery import StoredDelivery
from bot.adapters.store.effects import EffectJournal
from bot.adapters.store.history import StoredHistory
from bot.adapters.store.migrate import upgrade
from bot.adapters.store.pace import SharedPace
from bot.app.access import access, chat
from bot.app.sole import make_folder
from bot.collectors.answers import HeldAnswers
from bot.collectors.observer import Observer, Sources
from bot.collectors.rights import Accounts, RightsBook
from bot.config.schema import Config
from bot.planning.plan import plan
from bot.planning.standing import Plan
from bot.ports import Chat
from bot.settings import Settings

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """The machine's time in UTC. The only clock of the bot that is read at its root."""
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Parts:
    """The adapters of one bot, built and not yet started."""

    config: Config
    settings: Settings
    clock: Clock
    database: Database
    history: StoredHistory
    forge: GitHubForge
    repositories: GitRepositories
    clusters: KubernetesClusters
    observer: Observer
    answers: tuple[HeldAnswers, ...]
    images: Registries
    arrivals: StoredArrivals
    rights: RightsBook
    delivery: StoredDelivery
    sources: SourceClones
    chat: Chat | None
    renderer: Renderer | None
    offer_problems: dict[str, str] = field(default_factory=dict)
    """Why a watched image's newest version is not known, by image: written by the registry watch, read by the observer."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Where keys of the configuration stand, as `file:line`, for refusals."""

    def plan(self, stage: str) -> Plan:
        """What the bot would do now in a stage; changes nothing outside of the bot's own clones and database."""
        return plan(self.config, self.observer.observe(stage))

    def close(self) -> None:
        """Let go of everything that was opened."""
        for source in self.answers:
            source.close()
        self.clusters.close()
        self.database.close()


def build(config: Config, settings: Settings, *, clock: Clock = wall_clock, steady: Callable[[], float] | None = None) -> Parts:
    """All adapters. `steady` counts seconds that nobody can set: with it the parts go by GitHub's time, and not by `clock` alone.

    Raises `UserError` where a secret is missing, before anything is made, or where a database is not ours.
    """
    forge_time = ForgeTime(clock, steady) if steady is not None else None
    clock = forge_time or clock
    login, told = access(config, settings), chat(config, settings)
    make_folder(settings.state_dir)
    database = Database(settings.database)
    upgrade(database)
    history = StoredHistory(database)
    forge = connect(
        login,
        clock=clock,
        api_url=config.forge.api_url,
        writes=(config.forge.writes_per_minute, config.forge.writes_per_hour),
        pushes=config.forge.pushes_per_minute,
        pace=SharedPace(database),
        heard=forge_time.heard if forge_time is not None else lambda _headers: None,
    )
    remote = Remote(
        url=lambda repository: f"{config.forge.url.rstrip('/')}/{repository}.git",
        protocols=frozenset({"https", "http"}),
        tokens=forge.credentials,
        on_request=lambda repository, verb: forge.ledger.add("git", f"{verb} {repository}"),
    )
    repositories = GitRepositories(settings.state_dir / "clones", remote, may_push=partial(may_push, forge))
    clusters = KubernetesClusters(
        clusters={stage.name: stage.cluster for stage in config.pipeline.stages if stage.cluster is not None}, clock=clock
    )
    rights = RightsBook(config, forge, Accounts(config, forge, EffectJournal(database), clock), repositories, clock)
    images = registries(config, settings, SafeHttp())
    asked = answers.build(config, settings, forge=forge, repositories=repositories, history=history, images=images)
    arrivals = StoredArrivals(database)
    offer_problems: dict[str, str] = {}
    sources = Sources(
        repositories=repositories,
        forge=forge,
        clusters=clusters,
        history=history,
        rights=rights,
        answers=asked,
        arrivals=arrivals,
        offer_problems=offer_problems,
    )
    return Parts(
        config=config,
        settings=settings,
        clock=clock,
        database=database,
        history=history,
        forge=forge,
        repositories=repositories,
        clusters=clusters,
        observer=Observer(config, sources, clock=clock),
        answers=asked,
        images=images,
        arrivals=arrivals,
        offer_problems=offer_problems,
        rights=rights,
        delivery=StoredDelivery(database),
        sources=SourceClones(settings.state_dir / "sources", remote, partial(revision_of, images)),
        chat=told,
        renderer=Renderer(repositories, timeout=config.render.timeout, memory=config.render.memory) if config.render.enabled else None,
    )


def may_push(forge: GitHubForge, repository: str, urgent: bool | None) -> None:
    """Reverts first; what only deletes a branch is counted, and never waits."""
    forge.budget.push(repository, None if urgent is None else Priority.URGENT if urgent else Priority.NORMAL)
