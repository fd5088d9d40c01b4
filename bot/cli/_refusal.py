"""How a command says no: three lines on stderr (error, why, fix), or one JSON object there, and the exit code of the family.

Decides the form only; the words come from the command.
"""

import json
from typing import NoReturn

import typer

FAILED, USAGE, BLOCKED, UNAUTHORISED, NOT_FOUND, CONFLICT, TIMED_OUT, PENDING = 1, 2, 3, 4, 5, 6, 7, 8


def refuse(error: str, *, why: str, fix: str, code: int = USAGE, as_json: bool = False) -> NoReturn:
    """Tells what was refused, why, and what mends it, and leaves with the exit code."""
    if as_json:
        typer.echo(json.dumps({"error": error, "why": why, "fix": fix, "exit_code": code}), err=True)
    else:
        typer.echo(f"error: {error}\nwhy: {why}\nfix: {fix}", err=True)
    raise typer.Exit(code)
