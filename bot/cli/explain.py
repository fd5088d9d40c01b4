"""`promotion-bot explain METRIC`: the rows behind a figure, its rule, what was left out, and the arithmetic.

Reads the history and prints; the explanation comes from `reporting.explain`, over the same report that shows the figure.
"""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli._complete import services
from bot.cli._source import Events, Live, LookedAt, read_source


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("explain")(explain)


def explain(
    metric: Annotated[str, typer.Argument(help="Which one, such as change_fail_rate; a wrong name lists them all.")],
    first: Annotated[
        str | None, typer.Option("--from", help="First day of the window, such as 2025-03-03; 28 days before --to by default.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="The day after the window's last day; today is in it by default.")] = None,
    tz: Annotated[str, typer.Option("--tz", help="IANA time zone of the window's days.")] = "UTC",
    as_of: Annotated[str | None, typer.Option("--as-of", help="What was known at this instant (RFC 3339); now by default.")] = None,
    stage: LookedAt = None,
    service: Annotated[str | None, typer.Option("--service", help="Only this service.", autocompletion=services)] = None,
    team: Annotated[str | None, typer.Option("--team", help="Only this team's services.")] = None,
    events: Events = None,
    database: Live = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Says whose services are, and the stages' order.")] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="text or json.")] = "text",
) -> None:
    """The rule, the rows that made the number, the rows that were left out and why, step by step."""
    import json

    from bot.cli._history import asked
    from bot.cli._refusal import NOT_FOUND, refuse
    from bot.reporting.explain import FIGURES, METRICS
    from bot.reporting.explain import explain as tell
    from bot.reporting.page import build_page

    as_json = output == "json"
    if output not in ("text", "json"):
        refuse(f"--output {output!r} is not a format", why="an explanation is told to people or to programs", fix="say text or json")
    if metric not in METRICS and metric not in FIGURES:
        refuse(
            f"there is no metric {metric!r}",
            why="an explanation is written for each metric",
            fix=f"say one of {', '.join(METRICS)}, or a number's name in the report's JSON",
            code=NOT_FOUND,
            as_json=as_json,
        )
    want = asked(first, end, tz, as_of, as_json=as_json)
    source = read_source(events, database, config, as_json=as_json)
    page = build_page(
        source.history,
        window=want.window,
        as_of=want.as_of,
        stage=stage or source.stage,
        service=service,
        team=team,
        owners=source.owners,
        stages=source.stages,
    )
    found = tell(page.report, metric)
    if as_json:
        typer.echo(json.dumps(found.to_json() | {"quality": [row.to_json() for row in page.quality]}, indent=2))
        return
    typer.echo(f"{found.metric}: {found.value}\nrule: {found.rule}")
    for step in found.steps:
        typer.echo(f"  {step}")
    for title, rows in (("counted", found.counted), ("left out", found.left_out)):
        typer.echo(f"{title} ({len(rows)}):")
        for row in rows:
            typer.echo("  " + "  ".join(f"{name} {value}" for name, value in row.items() if value not in (None, "")))
    for doubt in page.quality:
        typer.echo(f"data quality: {doubt.count} {doubt.sentence}")
