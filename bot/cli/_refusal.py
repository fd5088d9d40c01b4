"""How a command says no: three lines on stderr (error, why, fix), or one JSON object there, and the exit code of the family.

Decides the form only; the words come from the command.
"""

import json
from typing import NoReturn

import typer

from bot.domain.errors import Unauthorised, UserError

FAILED, USAGE, BLOCKED, UNAUTHORISED, NOT_FOUND, CONFLICT, TIMED_OUT, PENDING = 1, 2, 3, 4, 5, 6, 7, 8


def refuse(error: str, *, why: str, fix: str, code: int = USAGE, as_json: bool = False) -> NoReturn:
    """Tells what was refused, why, and what mends it, and leaves with the exit code."""
    typer.echo(worded(error, why=why, fix=fix, code=code, as_json=as_json), err=True)
    raise typer.Exit(code)


def worded(error: str, *, why: str, fix: str, code: int, as_json: bool) -> str:
    """The refusal as it is printed; a line that has nothing to say is left out."""
    if as_json:
        return json.dumps({"error": error, "why": why, "fix": fix, "exit_code": code})
    return "\n".join(line for line, text in ((f"error: {error}", error), (f"why: {why}", why), (f"fix: {fix}", fix)) if text)


def code_of(error: UserError) -> int:
    """The exit code of an error's family."""
    if isinstance(error, Unauthorised):
        return UNAUTHORISED
    return {"NotFound": NOT_FOUND, "Conflict": CONFLICT}.get(error.code, USAGE)
