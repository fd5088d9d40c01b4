"""`promotion-bot demo`: a whole pipeline in a sandbox on this machine, told live: versions travel, one waits for an approval,
one fails and is taken back. Nothing outside of this machine is touched."""

from pathlib import Path
from typing import Annotated, Literal

import typer

LIMIT = 105.0


def register(app: typer.Typer) -> None:
    @app.command()
    def demo(
        once: Annotated[bool, typer.Option("--once", help="End by itself when the story is over.")] = False,
        source: Annotated[Path | None, typer.Option("--from", help="Seed from this folder: one folder per stage.")] = None,
        output: Annotated[Literal["text", "json"], typer.Option("--output", "-o", help="json: one JSON object last.")] = "text",
        limit: Annotated[float, typer.Option("--limit", min=10, help="Seconds for the story; more for large trees.")] = LIMIT,
    ) -> None:
        """Watch the bot at work in a sandbox on this machine. Exit 0 only if every promotion and revert of the story came true."""
        from bot.cli.demo.show import show

        raise typer.Exit(show(source, once=once, as_json=output == "json", limit=limit))
