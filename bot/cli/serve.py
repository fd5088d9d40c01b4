"""`promotion-bot serve`: takes webhooks and carries versions, until it is told to stop."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def register(app: typer.Typer) -> None:
    @app.command()
    def serve(
        config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")],
        insecure_no_webhook_secret: Annotated[
            bool, typer.Option("--insecure-no-webhook-secret", help="Take webhooks without a signature; on loopback only.")
        ] = False,
    ) -> None:
        """Run the bot: webhooks, resync, promotions, rollouts, reverts. Secrets come from the environment (PROMOTION_BOT_...)."""
        import os

        import structlog

        from bot import tracing
        from bot.app import build, seconds_since_boot, wall_clock
        from bot.app.sole import sole_server
        from bot.cli._memory import share_arenas
        from bot.cli._process import serve_forever
        from bot.config.load import load
        from bot.config.places import places
        from bot.logs import configure
        from bot.settings import load_settings, strays

        share_arenas()
        loaded = load(config)
        settings = load_settings()
        if insecure_no_webhook_secret:
            settings = settings.model_copy(update={"insecure_no_webhook_secret": True})
        form: Literal["json", "console"] = "json" if settings.log_format == "json" else "console"
        configure(level=settings.log_level.upper(), form=form, secrets=settings.known_secrets())
        for sentence in strays(os.environ):
            structlog.get_logger("serve").warning("settings.stray", reason=sentence)
        flush = tracing.configure(os.environ)
        try:
            with sole_server(settings.database, wall_clock):
                parts = build(loaded, settings, steady=seconds_since_boot)
                parts.places = places(config)
                serve_forever(parts)
        finally:
            flush()
