"""One running bot: the durable engine over the parts, the desk that takes commands, and what is done by the clock. No web server."""

import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version

import structlog

from bot.adapters.credentials import Credentials
from bot.adapters.notify.shelf import Means, tellers
from bot.adapters.safe_http import SafeHttp
from bot.adapters.slack.chat import SlackChat
from bot.adapters.store.database import make_queue_engine
from bot.adapters.store.effects import EffectJournal
from bot.adapters.store.outbox import StoredOutbox
from bot.adapters.store.replicas import Replicas
from bot.adapters.store.wakeups import Wakeups
from bot.app.duties import Duties
from bot.app.parts import Parts
from bot.app.pulse import pulse
from bot.app.watching import registry_watch
from bot.domain.errors import BotError
from bot.domain.facts import Facts
from bot.planning.plan import plan
from bot.reconcile.bell import Bell
from bot.reconcile.crash import CrashPoints
from bot.reconcile.effects import Effects
from bot.reconcile.elsewhere import Elsewhere
from bot.reconcile.engine import Engine, Timing
from bot.reconcile.housekeeping import Housekeeper
from bot.reconcile.listening import Listener
from bot.reconcile.orders import Desk
from bot.reconcile.questions import Questions
from bot.reconcile.queue import Enqueuer, StageQueue
from bot.reconcile.rota import Duty, Rota
from bot.reconcile.run import RunResult, run_stage
from bot.reconcile.tools import Place, Tools

log = structlog.get_logger("app")

WORKERS = 4
POLL_SECONDS = 0.2
SOON = timedelta(seconds=1)


class Bot:
    """One process of the bot: parts, durable engine and housekeeping. One per process, because the engine is."""

    def __init__(self, parts: Parts, *, timing: Timing | None = None) -> None:
        self.parts = parts
        config = parts.config
        self._queue_engine = make_queue_engine(parts.database.url)
        self._enqueuer = Enqueuer(self._queue_engine)
        bell = Bell()
        self.wakeups = Wakeups(parts.database, self._enqueuer, bell.ring)
        self.timing = replace(timing or Timing(), resync=config.timing.resync, workers=min(WORKERS, max(2, len(config.pipeline.stages))))
        self.effects = Effects(EffectJournal(parts.database), parts.clock, points=CrashPoints(os.environ))
        self.outbox = StoredOutbox(parts.database)
        self.engine = Engine(
            stages=config.order(),
            run=self.run,
            wakeups=self.wakeups,
            replicas=Replicas(parts.database),
            queue=StageQueue(self._queue_engine, workers=self.timing.workers, poll_seconds=POLL_SECONDS, bell=bell),
            clock=parts.clock,
            name=lambda: f"{os.getpid()}-{secrets.token_hex(4)}",
            timing=self.timing,
        )
        self.registry_watch = registry_watch(parts, parts.arrivals, wake=self.engine.wake)
        self._lock = threading.Lock()
        self._unwoken: dict[str, str] = {}
        self.duties = Duties(parts, self.outbox, self._tools)
        self.housekeeper = Housekeeper(
            self.engine, parts.clock, [*self.duties.own(), Duty("wake again", SOON, self.wake_again, anyhow=True)]
        )
        acting = self.engine.acting
        self.outside = Rota("outside", self.duties.outside(), acting=acting, patience=timedelta(seconds=2))
        self.background = Rota("background", self.duties.slow(), acting=acting, patience=timedelta(seconds=2))
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
        parts.clusters.on_change(self._cluster_changed)

    def start(self) -> None:
        """Begin to run stages and to watch the clusters; the engine first: a cluster's news are put into its tables."""
        self.engine.start()
        self.parts.clusters.start()
        self.housekeeper.start()
        self.outside.start()
        self.background.start()
        self.registry_watch.start(self.parts.clock)

    def stop(self) -> None:
        """End in order: no new runs, those under way to their end, then everything else."""
        self.registry_watch.stop()
        self.background.stop()
        self.outside.stop()
        self.housekeeper.stop()
        self.engine.stop()
        self._enqueuer.close()
        self.parts.close()
        self._queue_engine.dispose()

    @property
    def login(self) -> str:
        """Under which login the bot writes; empty until the forge was asked."""
        return self.duties.login

    def run(self, stage: str) -> RunResult:
        """One run of one stage. When its health changed, the stages after it are looked at too."""
        parts = self.parts
        parts.forge.identity()  # asked once: before GitHub has answered, this process knows neither who it is nor what time it is
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
            **pulse(self.parts),
        }

    def _wake_downstream(self, stage: str) -> None:
        for downstream in self.parts.config.downstreams(stage):
            self._wake(downstream, f"{stage} changed")

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
        self._wake(stage, reason)

    def _cluster_changed(self, stage: str) -> None:
        self._wake(stage, "cluster")

    def _wake(self, stage: str, reason: str) -> None:
        """Wake a stage; where the database cannot take that now, a moment later."""
        try:
            self.engine.wake(stage, reason)
        except BotError as error:
            log.warning("wake.put_off", stage=stage, reason=str(error))
            with self._lock:
                self._unwoken[stage] = reason

    def wake_again(self) -> None:
        """The wake-ups that the database could not take."""
        with self._lock:
            left, self._unwoken = self._unwoken, {}
        for stage, reason in left.items():
            self._wake(stage, reason)
