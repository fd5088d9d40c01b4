"""`promotion-bot backfill`: months of promotions and rollbacks out of the environment repositories' git history.

Names repositories, shows progress, stores what was found so far; walking git, finding versions and judging them is left to the others.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.adapters.backfilling import Place


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("backfill")(backfill)


def backfill(
    stage: Annotated[list[str], typer.Option("--stage", help="NAME=REPOSITORY[@BRANCH][//FOLDER], upstream first; may be repeated.")],
    out: Annotated[Path, typer.Option("--out", help="The history file to write; a run that was stopped goes on from OUT.state.")],
    config: Annotated[Path | None, typer.Option("--config", help="Says which images make which service, and whose they are.")] = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="SERVICE=REPOSITORY: where its commits and tags are.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="How far back: a span such as 365d, or a date. All by default.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what earlier runs found.")] = False,
    output: Annotated[str, typer.Option("--output", "-o", help="text or json.")] = "text",
) -> None:
    """Rebuilds the delivery history, so that the first report stands on the first day. Running it again goes on where it stopped."""
    import json
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from bot.adapters.backfilling import Backfill, read_state, write_state
    from bot.cli._history import read_instant
    from bot.cli._refusal import FAILED, refuse
    from bot.config.load import load
    from bot.domain.duration import parse_duration

    as_json = output == "json"
    if output not in ("text", "json"):
        refuse(f"--output {output!r} is not a format", why="what was found is told to people or to programs", fix="say text or json")
    places, sources = _places(stage, as_json=as_json), _sources(source or (), as_json=as_json)
    begin = None
    if since is not None:
        span = parse_duration(since)
        begin = datetime.now(UTC) - span if span else read_instant(since, ZoneInfo("UTC"), as_json=as_json, option="--since")
    state_file = out.with_name(out.name + ".state")
    job = Backfill(
        places=tuple(places),
        sources=sources,
        config=load(config) if config else None,
        since=begin,
        tell=lambda line: typer.echo(line, err=True),
        keep=lambda state: write_state(state_file, state),
    )
    try:
        result = job.run({} if fresh else read_state(state_file))
        out.write_text(json.dumps({"events": result.events}, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        refuse(
            f"{error.filename or out} cannot be written",
            why=error.strerror or str(error),
            fix="name a file in a folder that is there and may be written",
            code=FAILED,
            as_json=as_json,
        )
    if as_json:
        typer.echo(json.dumps({"events": len(result.events), "notes": result.notes}, indent=2))
        return
    typer.echo(f"{len(result.events)} events in {out}")
    for note in result.notes:
        typer.echo(f"data quality: {note['stage']}: {note['count']} {note['sentence']}")


def _places(given: Iterable[str], *, as_json: bool) -> "list[Place]":
    """Each `--stage`, read; a wrong one ends the program."""
    from bot.adapters.backfilling import Place
    from bot.cli._refusal import refuse

    places: list[Place] = []
    for text in given:
        name, found, rest = text.partition("=")
        if any(place.stage == name for place in places):
            refuse(
                f"--stage {name} is named twice",
                why="a stage stands in one place; two would be mixed into one history",
                fix="name each stage once",
                as_json=as_json,
            )
        repository, _, folder = rest.partition("//")
        path, _, branch = repository.partition("@")
        if not found or not name or not path:
            refuse(
                f"--stage {text!r}",
                why="it does not name a stage and its repository",
                fix="write prod=/repos/env@main//prod",
                as_json=as_json,
            )
        places.append(Place(stage=name, path=Path(path), branch=branch or "HEAD", folder=folder.strip("/")))
    return places


def _sources(given: Iterable[str], *, as_json: bool) -> dict[str, Path]:
    """Each `--source`, read; a wrong one ends the program."""
    from bot.cli._refusal import refuse

    sources: dict[str, Path] = {}
    for text in given:
        name, found, path = text.partition("=")
        if not found or not name or not path:
            refuse(f"--source {text!r}", why="it names no service or no repository", fix="write api=/repos/api", as_json=as_json)
        sources[name] = Path(path)
    return sources
