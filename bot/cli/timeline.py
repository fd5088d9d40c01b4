"""`promotion-bot timeline ID`: the story of one rollout or incident, from its commits to its recovery.

Reads the history and prints; which events belong to the story is decided by `reporting.timeline`.
"""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli._source import Events, Live, read_source


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("timeline")(timeline)


def timeline(
    name: Annotated[str, typer.Argument(metavar="ID", help="The id of a rollout or of a failure, as `report` and `explain` show it.")],
    tz: Annotated[str, typer.Option("--tz", help="IANA time zone in which instants are written.")] = "UTC",
    as_of: Annotated[str | None, typer.Option("--as-of", help="What was known at this instant (RFC 3339); now by default.")] = None,
    events: Events = None,
    database: Live = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Says how long a stage may be degraded (live history).")] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="text or json.")] = "text",
) -> None:
    """Commits, merges, the version's way through the stages, failures and recoveries, in the order of time."""
    import json

    from bot.cli._history import read_instant, read_zone
    from bot.cli._refusal import NOT_FOUND, refuse
    from bot.reporting.timeline import timeline as tell

    as_json = output == "json"
    if output not in ("text", "json"):
        refuse(f"--output {output!r} is not a format", why="a story is told to people or to programs", fix="say text or json")
    zone = read_zone(tz, as_json=as_json)
    source = read_source(events, database, config, as_json=as_json)
    instant = read_instant(as_of, zone, as_json=as_json)
    found = tell(source.history.events, name, as_of=instant, version_order=source.history.version_order)
    if not found:
        refuse(
            f"there is no rollout and no failure {name!r}",
            why="a story is told of one event of the history, by its id",
            fix="`promotion-bot explain change_fail_rate ...` shows the ids",
            code=NOT_FOUND,
            as_json=as_json,
        )
    if as_json:
        typer.echo(json.dumps([moment.to_json() for moment in found], indent=2))
        return
    for moment in found:
        typer.echo(f"{moment.at.astimezone(zone):%Y-%m-%d %H:%M:%S}  {moment.stage or '-':<10} {moment.what}  [{moment.id}]")
