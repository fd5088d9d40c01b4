"""`promotion-bot commands`: every verb that people may give, as the bot itself reads them."""

from typing import Annotated, Literal

import typer


def register(app: typer.Typer) -> None:
    @app.command()
    def commands(
        output: Annotated[
            Literal["table", "json", "yaml", "markdown", "csv"], typer.Option("--output", "-o", help="How to print.")
        ] = "table",
    ) -> None:
        """List the commands for pull requests, Slack and the command line: verb, role, arguments, where they may be given."""
        import json

        from bot.commands.shelf import as_rows, verbs

        if output == "json":
            print(json.dumps(as_rows(), indent=2, ensure_ascii=False))
            return
        if output == "markdown":
            from bot.messages.commands import reference

            print(reference([verb.spec for verb in verbs().values()]), end="")
            return
        if output == "yaml":
            import yaml

            print(yaml.safe_dump(as_rows(), sort_keys=False, allow_unicode=True), end="")
            return
        from bot.cli.get import printed

        columns = ("verb", "aliases", "role", "where", "help")
        rows: list[tuple[str, ...]] = [
            (spec.verb, ", ".join(spec.aliases), spec.role.value, ", ".join(surface.value for surface in spec.surfaces), spec.help)
            for spec in (verb.spec for verb in verbs().values())
        ]
        print(printed(columns, rows, output), end="")
