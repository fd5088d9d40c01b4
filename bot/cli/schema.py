"""schema: prints the JSON Schema of the configuration file, for editors, or that of an event, for those who take webhooks.

The first is made from the models by `bot.config.export`; an event's is the file of its type under `bot/messages/schemas/cdevents`, with
what all events share taken in, so that it stands alone.
"""

import json
from typing import Annotated, Any

import typer

from bot.cli._complete import begin

SHARED = "cdevent.json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(schema)


def _types(incomplete: str) -> list[str]:
    from bot.messages.cloudevents import VERSIONS

    return begin(sorted(VERSIONS), incomplete)


def schema(
    event: Annotated[
        str,
        typer.Option(
            metavar="TYPE", help="That of an event which webhooks send: change.merged, service.upgraded, ...", autocompletion=_types
        ),
    ] = "",
) -> None:
    """Print the JSON Schema (draft 2020-12) of the configuration file, or of an event."""
    from bot.config.export import json_schema
    from bot.config.schema import Config

    print(json.dumps(_of_event(event) if event else json_schema(Config), indent=2))


def _of_event(name: str) -> dict[str, Any]:
    """`UserError` for a type that is never sent."""
    from importlib.resources import files

    from bot.domain.errors import UserError
    from bot.messages.cloudevents import VERSIONS

    if name not in VERSIONS:
        raise UserError(
            f"No event is of the type {name!r}.", where="--event", fix=f"take one of: {', '.join(sorted(VERSIONS))}", code="NoSuchEvent"
        )
    folder = files("bot.messages") / "schemas" / "cdevents"
    read = [json.loads((folder / file).read_text()) for file in (f"{name}.json", SHARED)]
    return {**read[0], "$defs": {"cdevent": {"$id": SHARED, **read[1]}}}
