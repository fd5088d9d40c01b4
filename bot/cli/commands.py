"""`promotion-bot commands`: every verb that people may give, as the bot itself reads them."""

from typing import Annotated, Literal

import typer


def register(app: typer.Typer) -> None:
    @app.command()
    def commands(
        output: Annotated[Literal["table", "json", "markdown"], typer.Option("--output", "-o", help="How to print.")] = "table",
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
        width = max(len(verb) for verb in verbs())
        for verb in verbs().values():
            print(f"{verb.spec.verb:<{width}}  {verb.spec.role.value:<8}  {verb.spec.help}")
