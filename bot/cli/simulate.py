"""`promotion-bot simulate`: the recorded history under another configuration's gates.

Reads both, hands them to `reporting.simulate`, prints the answer as a table, as Markdown (for a pull request) or as JSON.
"""

from typing import Annotated

import typer

from bot.cli._source import Events, Live, read_live


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("simulate")(simulate)


def simulate(
    config: Annotated[str, typer.Option("--config", "-c", "--policy", help="The configuration whose gates are tried.")],
    events: Events = None,
    database: Live = None,
    since: Annotated[str, typer.Option("--since", help="How far back: a span such as 90d, or a date.")] = "90d",
    as_of: Annotated[str | None, typer.Option("--as-of", help="The end of the replay (RFC 3339); now by default.")] = None,
    tz: Annotated[str, typer.Option("--tz", help="IANA time zone of dates.")] = "UTC",
    output: Annotated[str, typer.Option("--output", "-o", help="table, markdown or json.")] = "table",
) -> None:
    """Which promotions would have waited and how much longer, which failures would have been stopped, and what nobody can know."""
    import json
    from pathlib import Path

    from bot.cli._history import read_config, read_events, read_instant, read_zone
    from bot.cli._refusal import refuse
    from bot.domain.duration import parse_duration
    from bot.reporting.simulate import simulate as replay
    from bot.reporting.simulation_told import told

    as_json = output == "json"
    if output not in ("table", "markdown", "json"):
        refuse(f"--output {output!r} is not a format", why="a simulation is told in three ways", fix="say table, markdown or json")
    rules = read_config(Path(config), as_json=as_json)
    zone = read_zone(tz, as_json=as_json)
    end = read_instant(as_of, zone, as_json=as_json)
    span = parse_duration(since)
    begin = end - span if span is not None else read_instant(since, zone, as_json=as_json, option="--since")
    if begin >= end:
        refuse(f"--since {since!r} is not before the end", why="there is nothing to replay", fix="give an earlier --since", as_json=as_json)
    history = read_events(events, as_json=as_json) if events is not None else read_live(database, rules)[0]
    found = replay(history, rules, since=begin, as_of=end)
    typer.echo(json.dumps(found.to_json(), indent=2) if as_json else told(found, markdown=output == "markdown"))
