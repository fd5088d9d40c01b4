"""`promotion-bot plan`: what the bot would do now, and why; changes nothing outside of its own clones."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from bot.cli._complete import stages


def register(app: typer.Typer) -> None:
    @app.command()
    def plan(
        config: Annotated[
            Path | None, typer.Option("--config", "-c", help="The configuration file: look at the real repositories and clusters.")
        ] = None,
        checkout: Annotated[
            Path | None, typer.Option("--checkout", help="Look at this folder instead (one folder per stage), with no server at all.")
        ] = None,
        stage: Annotated[
            list[str] | None, typer.Option("--stage", help="Only this stage; may be given several times.", autocompletion=stages)
        ] = None,
        wait: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for the clusters' first answers.")] = 15.0,
        output: Annotated[Literal["table", "json"], typer.Option("--output", "-o")] = "table",
    ) -> None:
        """Say what the bot would do now, with reasons. Changes nothing."""
        from bot.cli._plan_text import as_json, as_table
        from bot.cli._planning import offline_plans, online_plans
        from bot.domain.errors import UserError

        if config is None and checkout is None:
            raise UserError(
                "Say where to look.", why="neither --config nor --checkout is given", fix="give --config FILE, or --checkout FOLDER"
            )
        if checkout is not None:
            found = offline_plans(checkout, stages=stage or [], path=config)
        else:
            assert config is not None  # one of both was asked for
            found = online_plans(config, stages=stage or [], wait=wait)
        print(as_json(found) if output == "json" else as_table(found))
