"""validate FILE: checks a configuration and prints every error at once.

Exit 0 when the bot would start with it, 2 when not; `--strict` counts warnings as errors. The checks are `bot.config.load`'s.
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Output(StrEnum):
    """How the answer is printed."""

    TEXT = "text"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(validate)


def validate(
    file: Annotated[Path, typer.Argument(help="The configuration file.")],
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the answer.")] = Output.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
) -> None:
    """Check a configuration file and print every error at once, as file:line:column."""
    from bot.config.load import check_file

    checked = check_file(file)
    ok = checked.config is not None and not (strict and checked.warnings)
    if output is Output.JSON:
        problems = [
            {
                "file": problem.file,
                "line": problem.line,
                "column": problem.column,
                "severity": "warning" if problem.warning else "error",
                "what": problem.what,
                "fix": problem.fix,
            }
            for problem in checked.problems
        ]
        stages = list(checked.config.order()) if checked.config else []
        print(json.dumps({"file": str(file), "ok": ok, "stages": stages, "problems": problems}, indent=2))
    else:
        for problem in checked.problems:
            typer.echo(str(problem), err=True)
        typer.echo(_summary(file, len(checked.errors), len(checked.warnings)), err=not ok)
    if not ok:
        raise typer.Exit(2)


def _summary(file: Path, errors: int, warnings: int) -> str:
    counted = [f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in ((errors, "error"), (warnings, "warning")) if number]
    return f"{file}: {' and '.join(counted)}" if counted else f"{file}: valid"
