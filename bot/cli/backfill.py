"""`promotion-bot backfill`: months of promotions and rollbacks out of the environment repositories' git history.

Decides where what was found goes: into a file, or into the bot's own database beside what the bot recorded; and takes it back from there.
Walking git, finding versions and judging them is left to the others.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli._source import Live

if TYPE_CHECKING:
    from bot.adapters.backfilling import Backfill, Result


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("backfill")(backfill)


def backfill(
    stage: Annotated[
        list[str] | None,
        typer.Option(
            "--stage",
            help="NAME=REPOSITORY[@BRANCH][//FOLDER], upstream first; may be repeated. Without it: the stages of --config.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The history file to write; a stopped run goes on from OUT.state.")] = None,
    store: Annotated[bool, typer.Option("--store", help="Write into the bot's database instead, also while `serve` runs.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Take back what --store wrote: of each --stage NAME, or all of it.")] = False,
    database: Live = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Says where the stages are, which images make which service, and whose they are.")
    ] = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="SERVICE=REPOSITORY: where its commits and tags are.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="How far back: a span such as 365d, or a date. All by default.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Read everything anew, whatever earlier runs found.")] = False,
    output: Annotated[str, typer.Option("--output", "-o", help="text or json.")] = "text",
) -> None:
    """Rebuilds the delivery history, so that the first report stands on the first day. Running it again goes on where it stopped."""
    from bot.adapters.backfilling import Backfill
    from bot.cli._backfilling import check_stages, cloned, read_places, read_sources
    from bot.cli._history import read_config
    from bot.cli._refusal import refuse

    as_json = output == "json"
    if output not in ("text", "json"):
        refuse(f"--output {output!r} is not a format", why="what was found is told to people or to programs", fix="say text or json")
    if (out is not None) + store + forget != 1:
        refuse(
            "say one of --out, --store and --forget",
            why="the history goes into a file or into the bot's database, or is taken back from there",
            fix="--out history.json for a file, --store for the reports of the running bot",
            as_json=as_json,
        )
    if forget:
        _forget(database, stage or [], as_json=as_json)
        return
    if config is None and (store or not stage):
        refuse(
            "--config is missing",
            why="it says which images make which service; the bot's reports would not know guessed names"
            if store
            else "without --stage nobody says which repositories to read",
            fix="give --config FILE, the configuration of `serve`",
            as_json=as_json,
        )
    begin = _begin(since, as_json=as_json)
    rules = read_config(config, as_json=as_json) if config is not None else None
    named = read_sources(source or (), as_json=as_json)
    places = read_places(stage or (), as_json=as_json)
    if places and store and rules is not None:
        check_stages(places, rules, as_json=as_json)
    if not places and rules is not None:
        places, known = cloned(rules, _tell)
        named = known | named
    job = Backfill(places=tuple(places), sources=named, config=rules, since=begin, tell=_tell)
    if out is not None:
        _told(_into_file(job, out, fresh=fresh, as_json=as_json), f"in {out}", None, as_json=as_json)
        return
    result, changed = _into_database(job, database, fresh=fresh)
    where = f"in the bot's database, {changed} of them new, changed or taken out; `promotion-bot backfill --forget` takes them back"
    _told(result, where, changed, as_json=as_json)


def _tell(line: str) -> None:
    typer.echo(line, err=True)


def _begin(since: str | None, *, as_json: bool) -> datetime | None:
    from datetime import UTC
    from zoneinfo import ZoneInfo

    from bot.cli._history import read_instant
    from bot.domain.duration import parse_duration

    if since is None:
        return None
    span = parse_duration(since)
    return datetime.now(UTC) - span if span else read_instant(since, ZoneInfo("UTC"), as_json=as_json, option="--since")


def _into_file(job: "Backfill", out: Path, *, fresh: bool, as_json: bool) -> "Result":
    import json
    from dataclasses import replace

    from bot.adapters.backfilling import read_state, write_state
    from bot.cli._refusal import FAILED, refuse

    file = out.with_name(out.name + ".state")
    try:
        result = replace(job, keep=lambda state: write_state(file, state)).run({} if fresh else read_state(file))
        out.write_text(json.dumps({"events": result.events}, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        refuse(
            f"{error.filename or out} cannot be written",
            why=error.strerror or str(error),
            fix="name a file in a folder that is there and may be written",
            code=FAILED,
            as_json=as_json,
        )
    return result


def _into_database(job: "Backfill", database: str | None, *, fresh: bool) -> "tuple[Result, int]":
    """What was found, and how many rollouts were added, changed or taken out."""
    from collections.abc import Mapping
    from dataclasses import replace
    from datetime import UTC
    from typing import Any

    from bot.adapters.store.rebuilt import StoredBackfill
    from bot.cli._backfilling import own_database
    from bot.settings import load_settings

    changed = 0
    with own_database(database or load_settings().database) as found:
        stored = StoredBackfill(found)

        def keep(state: Mapping[str, Mapping[str, Any]]) -> None:
            nonlocal changed
            changed += stored.keep(state, now=datetime.now(UTC))

        saved = stored.read()
        return replace(job, keep=keep).run({} if fresh else saved), changed


def _forget(database: str | None, stages: list[str], *, as_json: bool) -> None:
    import json
    from datetime import UTC

    from bot.adapters.store.rebuilt import StoredBackfill
    from bot.cli._refusal import NOT_FOUND, refuse
    from bot.cli.database import opened
    from bot.settings import load_settings

    names = [text.partition("=")[0] for text in stages]
    with opened(database or load_settings().database) as found:
        stored = StoredBackfill(found)
        known = sorted(stored.read())
        unknown = [name for name in names if name not in known]
        if unknown:
            refuse(
                f"nothing was backfilled of stage {unknown[0]}",
                why=f"the database holds a backfill of {', '.join(known) or 'no stage'}",
                fix="name one of those, or leave --stage out",
                code=NOT_FOUND,
                as_json=as_json,
            )
        gone = stored.forget(names, now=datetime.now(UTC))
    typer.echo(json.dumps({"forgotten": gone}) if as_json else f"{gone} backfilled rollouts are forgotten; what the bot recorded stays")


def _told(result: "Result", where: str, changed: int | None, *, as_json: bool) -> None:
    import json

    if as_json:
        more = {} if changed is None else {"changed": changed}
        typer.echo(json.dumps({"events": len(result.events), **more, "notes": result.notes}, indent=2))
        return
    typer.echo(f"{len(result.events)} events {where}")
    for note in result.notes:
        typer.echo(f"data quality: {note['stage']}: {note['count']} {note['sentence']}")
