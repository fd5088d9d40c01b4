"""Puts the web server together for one bot: which routers it has and what they are handed."""

from functools import partial

from fastapi import APIRouter, FastAPI

from bot.adapters.credentials import Credentials
from bot.adapters.github.identity import Identities
from bot.adapters.oidc import IdentityTokens
from bot.adapters.safe_http import SafeHttp
from bot.adapters.store.delivery import StoredDelivery
from bot.adapters.store.replicas import Replicas
from bot.app import Bot
from bot.settings import Settings, require_webhook_secret
from bot.web import api, artifacts, github_hook, health, incidents
from bot.web.aside import METRICS, Aside
from bot.web.delivery_metrics import DeliveryMetrics
from bot.web.health import Readiness
from bot.web.intake import Intake, StageMap, StagePlace
from bot.web.server import create_app, listen
from bot.web.slack_parts import SlackParts


def web_app(bot: Bot, readiness: Readiness) -> FastAPI:
    """The application of `serve`; `state.slack`, and `state.aside` where metrics have a port of their own, run beside the bot.

    `UserError` without a webhook secret, or where that port cannot be listened on.
    """
    settings = bot.parts.settings
    require_webhook_secret(settings)
    slack = SlackParts(bot)
    metrics = _metrics(bot)
    app = create_app(
        [*_routers(bot, settings, readiness), *([metrics] if settings.metrics_port is None else []), *slack.routers], readiness=readiness
    )
    app.state.slack = slack
    app.state.aside = None
    if settings.metrics_port is not None:
        host = settings.metrics_host or settings.listen_host
        app.state.aside = Aside([metrics], listen(host, settings.metrics_port, METRICS))
    return app


def _metrics(bot: Bot) -> APIRouter:
    parts = bot.parts
    living = partial(Replicas(parts.database).states, dead_after=bot.timing.dead_after)
    refresh = health.gauges(parts.database, bot.wakeups, living, bot.outbox, parts.clock)
    return health.metrics_router(refresh, DeliveryMetrics(parts.config, StoredDelivery(parts.database), parts.clock).text)


def _routers(bot: Bot, settings: Settings, readiness: Readiness) -> list[APIRouter]:
    parts = bot.parts
    secrets = github_hook.check_secrets(
        [secret.get_secret_value() for secret in settings.github_webhook_secrets], allow_none=settings.insecure_no_webhook_secret
    )
    intake = Intake(parts.database, bot.wakeups, stage_map(bot), clock=parts.clock, ours=lambda: bot.login)
    intake.rehearse(parts.config.pipeline.stages[0].name)
    delivery = StoredDelivery(parts.database)
    desk = incidents.Desk(
        config=parts.config,
        credentials=Credentials(settings.credentials),
        kept=delivery,
        wake=bot.engine.wake,
        clock=parts.clock,
    )
    return [
        github_hook.router(intake, secrets, unsigned=settings.insecure_no_webhook_secret, listen=desk.hear_issue),
        incidents.router(desk),
        health.router(readiness, parts.database),
        artifacts.router(_artifacts(bot, settings)),
        api.router(bot, Identities(parts.config.forge.api_url, parts.clock)),
    ]


def _artifacts(bot: Bot, settings: Settings) -> artifacts.Door:
    config, secret = bot.parts.config, settings.registry_hook_secret
    return artifacts.Door(
        config=config,
        credentials=Credentials(settings.credentials),
        tokens=IdentityTokens(SafeHttp(), private=config.sources.allow_private),
        arrivals=bot.parts.arrivals,
        watch=bot.registry_watch,
        wake=bot.engine.wake,
        clock=bot.parts.clock,
        hook_secret=secret.get_secret_value() if secret is not None else "",
    )


def stage_map(bot: Bot) -> StageMap:
    """Where events are sorted to."""
    return StageMap(
        StagePlace(name=stage.name, repository=stage.repository, branch=stage.branch, after=stage.after)
        for stage in bot.parts.config.pipeline.stages
    )
