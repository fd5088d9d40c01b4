"""`promotion-bot why SERVICE STAGE`: what holds a version back, gate by gate, with who or what can change it.

Asks a running bot, like the other verbs; without one it looks itself, by a configuration or at a folder.
"""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli._asked import InStage, Number, Output, Url
from bot.cli._complete import services, stages
from bot.cli.verbs import send
from bot.domain.errors import UserError


def register(app: typer.Typer) -> None:
    @app.command(context_settings={"ignore_unknown_options": True})
    def why(
        service: Annotated[
            str, typer.Argument(help="The service; with --promotion, only this gate.", autocompletion=services, show_default=False)
        ] = "",
        stage: Annotated[str, typer.Argument(help="The stage that it should enter.", autocompletion=stages, show_default=False)] = "",
        config: Annotated[Path | None, typer.Option("--config", "-c", help="Ask no bot, but look by this configuration.")] = None,
        checkout: Annotated[
            Path | None, typer.Option("--checkout", help="Ask no bot, but look at this folder (one folder per stage).")
        ] = None,
        wait: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for the clusters' first answers.")] = 15.0,
        promotion: Number = None,
        in_stage: InStage = None,
        url: Url = None,
        output: Output = "text",
    ) -> None:
        """Say why a service is where it is in a stage: asks a running bot, or looks itself with --config or --checkout.

        Where it looks itself: exit 0: nothing holds it, 3: a gate or a ban does, 5: no such service there.
        """
        if config is None and checkout is None:
            words = [word for word in (service, stage) if word]
            send(["why", *words], promotion=promotion, stage=in_stage, url=url, output=output, dry_run=False, yes=False)
            return
        if not service or not stage:
            raise UserError("A service and a stage are needed.", why="a configuration or folder holds many", fix="why SERVICE STAGE")
        if output not in ("text", "json"):
            raise UserError(
                f"--output {output} is for the answers of a running bot.",
                why="what is looked up here is told as text or JSON",
                fix="use --output json",
            )
        from bot.cli._plan_text import report_json, report_text
        from bot.cli._planning import offline_plans, online_plans
        from bot.cli._refusal import NOT_FOUND, refuse
        from bot.planning.standing import Standing

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
