"""Puts the web server together for one bot: which routers it has and what they are handed."""

from fastapi import APIRouter, FastAPI

from bot.app import Bot
from bot.settings import Settings, require_webhook_secret
from bot.web import github_hook, health
from bot.web.health import Readiness
from bot.web.intake import Intake, StageMap, StagePlace
from bot.web.server import create_app


def web_app(bot: Bot, readiness: Readiness) -> FastAPI:
    """The application of `serve`. `UserError` where no webhook secret is set."""
    settings = bot.parts.settings
    require_webhook_secret(settings)
    return create_app(_routers(bot, settings, readiness), readiness=readiness)


def _routers(bot: Bot, settings: Settings, readiness: Readiness) -> list[APIRouter]:
    parts = bot.parts
    secrets = github_hook.check_secrets(
        [secret.get_secret_value() for secret in settings.github_webhook_secrets], allow_none=settings.insecure_no_webhook_secret
    )
    intake = Intake(parts.database, bot.wakeups, stage_map(bot), clock=parts.clock, ours=lambda: bot.login)
    refresh = health.gauges(parts.database, bot.wakeups, bot.engine.replicas, bot.outbox, parts.clock)  # type: ignore[arg-type]
    return [
        github_hook.router(intake, secrets, unsigned=settings.insecure_no_webhook_secret),
        health.router(readiness, parts.database),
        health.metrics_router(refresh),
    ]


def stage_map(bot: Bot) -> StageMap:
    """Where events are sorted to."""
    return StageMap(
        StagePlace(name=stage.name, repository=stage.repository, branch=stage.branch, after=stage.after)
        for stage in bot.parts.config.pipeline.stages
    )
