"""The options that all commands to a running bot share."""

from typing import Annotated, Literal

import typer

from bot.cli._complete import stages

Number = Annotated[int | None, typer.Option("--promotion", "-p", help="The pull request's number.")]
InStage = Annotated[str | None, typer.Option("--in", help="Its stage, where two repositories have that number.", autocompletion=stages)]
Url = Annotated[str | None, typer.Option("--url", help="The bot's address; else PROMO_URL.")]
Output = Annotated[Literal["text", "json", "yaml", "markdown", "csv"], typer.Option("--output", "-o", help="How to print.")]
