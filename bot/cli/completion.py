"""`promotion-bot completion bash|zsh|fish|powershell`: the script that lets a shell complete commands and options."""

from typing import Annotated, Literal

import typer

PROGRAM = "promotion-bot"


def register(app: typer.Typer) -> None:
    @app.command()
    def completion(
        shell: Annotated[Literal["bash", "zsh", "fish", "powershell"], typer.Argument(help="The shell that shall complete.")],
    ) -> None:
        """Print the completion script of a shell: `source <(promotion-bot completion bash)`."""
        from typer.completion import get_completion_script  # type: ignore[attr-defined] # typer's own way, without detecting the shell

        typer.echo(get_completion_script(prog_name=PROGRAM, complete_var="_PROMOTION_BOT_COMPLETE", shell=shell))
