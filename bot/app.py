"""The composition root: builds every part from configuration and settings, owns the clock, starts and stops it all.

Decides nothing about promotions. `Bot` is the whole bot without its web server (which is a floor above).
"""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version

import structlog
from slack_sdk import WebClient

from bot.adapters import answers
from bot.adapters.credentials import Credentials
from bot.adapters.git import GitRepositories
from bot.adapters.git_remote import Remote
from bot.adapters.github.auth import AppInstallation, PersonalToken
from bot.adapters.github.deliveries import redeliver_missed
from bot.adapters.github.forge import AppKey, GitHubForge, connect
from bot.adapters.kubernetes.clusters import KubernetesClusters
from bot.adapters.notify.shelf import Means, tellers
from bot.adapters.registry.reach import Registries, registries
from bot.adapters.registry.reader import TagReader
from bot.adapters.registry.revision import revision_of
from bot.adapters.render import Renderer
from bot.adapters.safe_http import SafeHttp
from bot.adapters.slack.chat import SlackChat
from bot.adapters.source_clones import SourceClones
from bot.adapters.store.arrivals import StoredArrivals
from bot.adapters.store.database import Database, make_queue_engine
from bot.adapters.store.delivery import StoredDelivery
from bot.adapters.store.effects import EffectJournal
from bot.adapters.store.history import StoredHistory
from bot.adapters.store.migrate import upgrade
from bot.adapters.store.outbox import StoredOutbox
from bot.adapters.store.pruning import pruner
from bot.adapters.store.replicas import Replicas
from bot.adapters.store.wakeups import Wakeups
from bot.collectors.answers import HeldAnswers
from bot.collectors.artifacts import RegistryWatch
from bot.collectors.carried import look_up_carried
from bot.collectors.observer import Observer, Sources
from bot.collectors.reports import send_due
from bot.collectors.rights import Accounts, RightsBook
from bot.config.schema import Config
from bot.domain.errors import BotError, UserError
from bot.domain.facts import Facts
from bot.planning.plan import plan
from bot.planning.standing import Plan
from bot.ports import Chat
from bot.reconcile.background import Background
from bot.reconcile.crash import CrashPoints
from bot.reconcile.daily import keep_digest
from bot.reconcile.effects import Effects
from bot.reconcile.elsewhere import Elsewhere
from bot.reconcile.engine import Engine, Timing
from bot.reconcile.housekeeping import Duty, Housekeeper
from bot.reconcile.listening import Listener
from bot.reconcile.orders import Desk
from bot.reconcile.questions import Questions
from bot.reconcile.queue import Enqueuer, StageQueue
from bot.reconcile.run import RunResult, run_stage
from bot.reconcile.telling import post
from bot.reconcile.tools import Place, Tools
from bot.settings import Settings

log = structlog.get_logger("app")

Clock = Callable[[], datetime]
WORKERS = 4
POLL_SECONDS = 0.2
RETELL = timedelta(seconds=20)
MISSED = timedelta(minutes=5)
HOURLY = timedelta(hours=1)
KEPT_BY_GITHUB = timedelta(days=3)


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


def build(config: Config, settings: Settings, *, clock: Clock = wall_clock) -> Parts:
    """All adapters. Raises `UserError` where a secret is missing or a database is not ours."""
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.database)
    upgrade(database)
    history = StoredHistory(database)
    forge = connect(
        _access(config, settings),
        clock=clock,
        api_url=config.forge.api_url,
        writes=(config.forge.writes_per_minute, config.forge.writes_per_hour),
    )
    remote = Remote(
        url=lambda repository: f"{config.forge.url.rstrip('/')}/{repository}.git",
        protocols=frozenset({"https", "http"}),
        tokens=forge.credentials,
        on_request=lambda repository, verb: forge.ledger.add("git", f"{verb} {repository}"),
    )
    repositories = GitRepositories(settings.state_dir / "clones", remote)
    clusters = KubernetesClusters(
        clusters={stage.name: stage.cluster for stage in config.pipeline.stages if stage.cluster is not None}, clock=clock
    )
    rights = RightsBook(config, forge, Accounts(config, forge, EffectJournal(database), clock), repositories, clock)
    images = registries(config, settings, SafeHttp())
    asked = answers.build(config, settings, forge=forge, repositories=repositories, history=history, images=images)
    arrivals = StoredArrivals(database)
    sources = Sources(
        repositories=repositories, forge=forge, clusters=clusters, history=history, rights=rights, answers=asked, arrivals=arrivals
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
        rights=rights,
        delivery=StoredDelivery(database),
        sources=SourceClones(settings.state_dir / "sources", remote, partial(revision_of, images)),
        chat=_chat(config, settings),
        renderer=Renderer(repositories, timeout=config.render.timeout, memory=config.render.memory) if config.render.enabled else None,
    )


def _access(config: Config, settings: Settings) -> AppKey | PersonalToken:
    if config.forge.app is not None:
        if settings.github_app_private_key is None:
            raise UserError(
                "The configuration names a GitHub App, but its private key is not set.",
                where="PROMOTION_BOT_GITHUB_APP_PRIVATE_KEY_FILE",
                fix="download a private key on the App's settings page and name the file in this variable",
            )
        return AppKey(
            app_id=config.forge.app.app_id,
            private_key=settings.github_app_private_key.get_secret_value(),
            installation=config.forge.app.installation_id,
        )
    if settings.github_token is None:
        raise UserError(
            "Nothing to log in to the forge with: neither a GitHub App nor a token is given.",
            where="PROMOTION_BOT_GITHUB_TOKEN",
            fix="set this variable, or `forge.app` in the configuration and the App's private key",
        )
    return PersonalToken(settings.github_token.get_secret_value())


def _chat(config: Config, settings: Settings) -> Chat | None:
    slack = config.notifications.slack
    if slack is None:
        return None
    if settings.slack_bot_token is None:
        raise UserError(
            "The configuration sends notices to Slack, but no bot token is set.",
            where="PROMOTION_BOT_SLACK_BOT_TOKEN",
            fix="set this variable, or take `notifications.slack` out of the configuration",
        )
    base = slack.api_url.rstrip("/") + "/"
    return SlackChat(WebClient(token=settings.slack_bot_token.get_secret_value(), base_url=base, timeout=10), config, slack)


class Bot:
    """One process of the bot: parts, durable engine and housekeeping. One per process, because the engine is."""

    def __init__(self, parts: Parts, *, timing: Timing | None = None) -> None:
        self.parts = parts
        config = parts.config
        self._queue_engine = make_queue_engine(parts.database.url)
        self._enqueuer = Enqueuer(self._queue_engine)
        self.wakeups = Wakeups(parts.database, self._enqueuer)
        self.timing = replace(timing or Timing(), resync=config.timing.resync, workers=min(WORKERS, max(2, len(config.pipeline.stages))))
        self.effects = Effects(EffectJournal(parts.database), parts.clock, points=CrashPoints(os.environ))
        self.outbox = StoredOutbox(parts.database)
        self.engine = Engine(
            stages=config.order(),
            run=self.run,
            wakeups=self.wakeups,
            replicas=Replicas(parts.database),
            queue=StageQueue(self._queue_engine, workers=self.timing.workers, poll_seconds=POLL_SECONDS),
            clock=parts.clock,
            name=lambda: f"{os.getpid()}-{secrets.token_hex(4)}",
            timing=self.timing,
        )
        self.registry_watch = RegistryWatch(config, TagReader(parts.images), parts.arrivals, wake=self.engine.wake)
        self.housekeeper = Housekeeper(
            self.engine,
            parts.clock,
            [
                Duty("identity", RETELL, self.learn_login),
                Duty("notices", RETELL, self.retell),
                Duty("digest", RETELL, self.tell_daily),
                Duty("missed webhooks", MISSED, self.fetch_missed),
                Duty("prune rows", HOURLY, pruner(parts.database, parts.clock)),
            ],
        )
        self.background = Background([Duty("commits", MISSED, self.look_up_commits), Duty("reports", HOURLY / 12, self.send_reports)])
        questions = Questions(config, plan=parts.plan, pulse=self.pulse, places=parts.places)
        self.desk = Desk(
            config,
            history=parts.history,
            repositories=parts.repositories,
            rights=parts.rights,
            questions=questions,
            clock=parts.clock,
            wake=self._order_given,
            sync=parts.clusters.sync,
            places=parts.places,
        )
        """Takes commands, from wherever they come."""
        self.listener = Listener(self.desk)
        cards = parts.chat if isinstance(parts.chat, SlackChat) else None
        page = parts.forge.deployments if config.forge.deployments else None
        self.elsewhere = Elsewhere(cards=cards, page=page, quiet=partial(self._quiet, "info"))
        self.tellers = tellers(
            Means(
                notifications=config.notifications,
                credentials=Credentials(parts.settings.credentials),
                http=SafeHttp(),
                source=parts.settings.external_url or "promotion-bot",
            )
        )
        self.login = ""
        """Under which login the bot writes; empty until the forge was asked."""
        self._missed_since = parts.clock() - KEPT_BY_GITHUB
        parts.clusters.on_change(self._cluster_changed)

    def start(self) -> None:
        """Begin to run stages and to watch the clusters; the engine first: a cluster's news are put into its tables."""
        self.engine.start()
        self.parts.clusters.start()
        self.housekeeper.start()
        self.background.start()
        self.registry_watch.start(self.parts.clock)

    def stop(self) -> None:
        """End in order: no new runs, those under way to their end, then everything else."""
        self.registry_watch.stop()
        self.background.stop()
        self.housekeeper.stop()
        self.engine.stop()
        self._enqueuer.close()
        self.parts.close()
        self._queue_engine.dispose()

    def run(self, stage: str) -> RunResult:
        """One run of one stage. When its health changed, the stages after it are looked at too."""
        parts = self.parts
        try:
            observe = partial(self._observe, self._tools(stage))
            result = run_stage(self._tools(stage), observe, partial(plan, parts.config))
        except BotError:
            self._wake_downstream(stage)
            raise
        result = self._show_elsewhere(stage, result)
        if "SaveHealth" in result.done or "SaveQuarantine" in result.done:
            self._wake_downstream(stage)
        return result

    def _show_elsewhere(self, stage: str, result: RunResult) -> RunResult:
        """The chat's threads and the forge's page of deployments, as things stand after the run."""
        look = self.elsewhere.show(self._tools(stage))
        looks = [at for at in (look, result.look_again) if at is not None]
        return replace(result, look_again=min(looks, default=None))

    def _observe(self, tools: Tools, stage: str) -> Facts:
        """The facts of a stage, after what people ordered on its pull requests was taken."""
        facts = self.parts.observer.observe(stage)
        heard = self.listener.listen(tools, facts)
        if heard.look_again is not None:
            self.wakeups.schedule(stage, heard.look_again, now=self.parts.clock())
        return self.parts.observer.observe(stage) if heard.anything else facts

    def pulse(self) -> Mapping[str, str]:
        """How the bot is, for `ping`."""
        return {
            "version": version("promotion-bot"),
            "stages": ", ".join(self.parts.config.order()),
            "writes as": self.login or "not known yet",
        }

    def _wake_downstream(self, stage: str) -> None:
        for downstream in self.parts.config.downstreams(stage):
            self.engine.wake(downstream, f"{stage} changed")

    def learn_login(self) -> None:
        """Ask the forge once under which login we write: events of our own writing are told apart by it."""
        if not self.login:
            self.login = self.parts.forge.identity()

    def fetch_missed(self) -> None:
        """Ask GitHub to send again what we did not take (an App's deliveries only; with a token the resync has to do)."""
        credentials = self.parts.forge.credentials
        if isinstance(credentials, AppInstallation) and self.parts.settings.github_webhook_secrets:
            began = self.parts.clock()
            again = redeliver_missed(credentials, since=self._missed_since)
            if again:
                log.info("webhooks.fetched_back", count=len(again))
            self._missed_since = began - MISSED

    def retell(self) -> None:
        """Messages that the chat did not take: again, once each."""
        config = self.parts.config
        for notice in self.outbox.due(now=self.parts.clock()):
            post(self._tools(notice.stage if notice.stage in config.order() else config.order()[0]), notice)

    def look_up_commits(self) -> None:
        """Find out what new rollouts carried, where their services' source repositories are configured."""
        look_up_carried(self.parts.config, self.parts.delivery, self.parts.sources, self.parts.clock)

    def send_reports(self) -> None:
        """Make the delivery reports that are due; they are sent with the other messages."""
        send_due(self.parts.config, self.parts.delivery, self.outbox, self.parts.clock)

    def tell_daily(self) -> None:
        """Keep the day's digest when it is due; it is sent with the other messages."""
        keep_digest(self.parts.config, self.parts.history, self.outbox, now=self.parts.clock())

    def _quiet(self, severity: str, now: datetime) -> datetime | None:
        slack = self.parts.config.notifications.slack
        return slack.quiet.until(severity, now) if slack is not None and slack.quiet is not None else None

    def _tools(self, stage_name: str) -> Tools:
        stage = self.parts.config.stage(stage_name)
        place = Place(stage=stage.name, environment=stage.environment, signed=stage.commits == "signed", merge_method=stage.merge_method)
        return Tools(
            place=place,
            forge=self.parts.forge,
            repositories=self.parts.repositories,
            history=self.parts.history,
            outbox=self.outbox,
            effects=self.effects,
            clock=self.parts.clock,
            chat=self.parts.chat,
            renderer=self.parts.renderer,
            others=self.tellers,
            quiet=self._quiet,
        )

    def _order_given(self, stage: str, reason: str) -> None:
        try:
            self.engine.wake(stage, reason)
        except BotError as error:
            log.warning("wake.failed", stage=stage, reason=str(error))

    def _cluster_changed(self, stage: str) -> None:
        try:
            self.engine.wake(stage, "cluster")
        except BotError as error:
            log.warning("wake.failed", stage=stage, reason=str(error))
