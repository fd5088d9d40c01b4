"""`promotion-bot report`: delivery metrics of a window from a history file or from the bot's own database.

Reads the history, hands it to `reporting`, prints the answer in the format asked for. It counts nothing itself.
"""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli._complete import services
from bot.cli._source import Events, Live, LookedAt, read_source


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("report")(report)


def report(
    first: Annotated[
        str | None, typer.Option("--from", help="First day of the window, such as 2025-03-03; 28 days before --to by default.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="The day after the window's last day; today is in it by default.")] = None,
    tz: Annotated[str, typer.Option("--tz", help="IANA time zone of the window's days.")] = "UTC",
    as_of: Annotated[str | None, typer.Option("--as-of", help="What was known at this instant (RFC 3339); now by default.")] = None,
    stage: LookedAt = None,
    service: Annotated[str | None, typer.Option("--service", help="Only this service.", autocompletion=services)] = None,
    team: Annotated[str | None, typer.Option("--team", help="Only this team's services.")] = None,
    benchmark: Annotated[str | None, typer.Option("--benchmark", help="Tier labels of a year: 2023. Off by default.")] = None,
    events: Events = None,
    database: Live = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Says whose services are, and the stages' order.")] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="json, markdown, csv, html or table.")] = "table",
) -> None:
    """Deployment frequency, change lead time, change fail rate, recovery time and rework rate of a window, with their rows."""
    from bot.cli._history import asked, without_pauses
    from bot.cli._refusal import refuse
    from bot.reporting.formats import find_formats
    from bot.reporting.page import build_page

    formats = find_formats()
    as_json = output == "json"
    if output not in formats:
        refuse(f"--output {output!r} is not a format", why="each format is one file", fix=f"say one of {', '.join(formats)}")
    if benchmark not in (None, "2023"):
        refuse(
            f"--benchmark {benchmark!r} is not known",
            why="only 2023 has tiers without a contradiction; the 2025 distribution is always shown",
            fix="say 2023, or leave it out",
            as_json=as_json,
        )
    want = asked(first, end, tz, as_of, as_json=as_json)
    with without_pauses():
        source = read_source(events, database, config, as_json=as_json)
        page = build_page(
            source.history,
            window=want.window,
            as_of=want.as_of,
            stage=stage or source.stage,
            service=service,
            team=team,
            tiers=benchmark,
            owners=source.owners,
            stages=source.stages,
            waits=source.waits,
        )
        typer.echo(formats[output](page), nl=False)
