"""doctor: looks at everything that `serve` needs and says what is missing. Exit 0 when nothing keeps the bot from working, else 1."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def doctor(
        config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")],
        output: Annotated[Literal["table", "json"], typer.Option("--output", "-o")] = "table",
    ) -> None:
        """Look at settings, git, database, GitHub, repositories, clusters and clocks, and say what is missing and how to mend it."""
        from dataclasses import asdict

        from bot.app import wall_clock
        from bot.app.doctor import Grade, examine
        from bot.config.load import load
        from bot.settings import load_settings

        found = []
        for finding in examine(load(config), load_settings(), clock=wall_clock):
            found.append(finding)
            if output == "table":
                fix = f"\n          fix: {finding.fix}" if finding.fix else ""
                typer.echo(f"{finding.grade.value:8}  {finding.subject}: {finding.sentence}{fix}")
        ok = not any(finding.grade is Grade.FAILED for finding in found)
        if output == "json":
            typer.echo(json.dumps({"ok": ok, "findings": [asdict(finding) for finding in found]}, indent=2))
        if not ok:
            raise typer.Exit(1)
