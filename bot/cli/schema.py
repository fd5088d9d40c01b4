"""schema: prints the JSON Schema of the configuration file, for editors.

Made from the models by `bot.config.export`.
"""

import json

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(schema)


def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of the configuration file."""
    from bot.config.export import json_schema
    from bot.config.schema import Config

    print(json.dumps(json_schema(Config), indent=2))
