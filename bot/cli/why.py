"""`promotion-bot why SERVICE STAGE`: what holds a version back, gate by gate, with who or what can change it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from bot.cli._complete import services, stages


def register(app: typer.Typer) -> None:
    @app.command()
    def why(
        service: Annotated[str, typer.Argument(help="The service.", autocompletion=services)],
        stage: Annotated[str, typer.Argument(help="The stage that it should enter.", autocompletion=stages)],
        config: Annotated[Path | None, typer.Option("--config", "-c", help="The configuration file.")] = None,
        checkout: Annotated[Path | None, typer.Option("--checkout", help="Look at this folder instead (one folder per stage).")] = None,
        wait: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for the clusters' first answers.")] = 15.0,
        output: Annotated[Literal["text", "json"], typer.Option("--output", "-o")] = "text",
    ) -> None:
        """Say why a service is where it is in a stage. Exit 0: nothing holds it, 3: a gate or a ban does, 5: no such service there."""
        from bot.cli._plan_text import report_json, report_text
        from bot.cli._planning import offline_plans, online_plans
        from bot.cli._refusal import NOT_FOUND, refuse
        from bot.domain.errors import UserError
        from bot.planning.standing import Standing

        if config is None and checkout is None:
            raise UserError(
                "Say where to look.", why="neither --config nor --checkout is given", fix="give --config FILE, or --checkout FOLDER"
            )
        if checkout is not None:
            found = offline_plans(checkout, stages=[stage], path=config)
        else:
            assert config is not None  # one of both was asked for
            found = online_plans(config, stages=[stage], wait=wait)
        reports = [report for one in found.plans for report in one.reports if report.service == service]
        if not reports:
            known = sorted({report.service for one in found.plans for report in one.reports})
            listed = ", ".join(known) if known else "none"
            refuse(
                f"{service} is no service of {stage}",
                why="no version of it was found there or upstream",
                fix=f"the services there are: {listed}",
                code=NOT_FOUND,
                as_json=output == "json",
            )
        print(report_json(reports[0]) if output == "json" else report_text(reports[0]))
        free = (Standing.UP_TO_DATE, Standing.READY, Standing.ROLLING_OUT)
        held = reports[0].standing not in free and not (reports[0].verdicts and all(verdict.lets_pass for verdict in reports[0].verdicts))
        raise typer.Exit(3 if held else 0)
