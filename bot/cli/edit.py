"""`promotion-bot edit`: change one version in one file, or many from JSON lines (`--batch`).

Reads files and standard input, prints or writes; which characters change is decided in `manifests`.
"""

from pathlib import Path
from typing import Annotated

import typer

NOT_FOUND_CODES = ("NoMatch", "PathNotFound", "DocumentNotFound", "FieldMissing")
USAGE_CODES = ("BadAddress", "InvalidVersion")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("edit")(edit_command)


def edit_command(
    file: Annotated[Path | None, typer.Argument(help="The file to change.", show_default=False)] = None,
    address: Annotated[
        str | None,
        typer.Argument(help="JSON, or short: `$.a.b` (path), `/a/b` (pointer), `acme/api` (image).", show_default=False),
    ] = None,
    new: Annotated[str | None, typer.Argument(help='A text, or JSON such as {"tag": "1.4.2"}.', show_default=False)] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the file; without it the new text goes to standard output.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print a unified diff instead of the whole text.")] = False,
    batch: Annotated[bool, typer.Option("--batch", help="JSON lines on standard input, a JSON line out for each.")] = False,
    output: Annotated[str, typer.Option("--output", "-o", help="json or text: how a refusal is told.")] = "text",
) -> None:
    """Changes the version's characters and nothing else, or says why not.

    A line of `--batch` is {"content" or "path", "address", "new"}; its answer is {"content"}, or {"error", "message", "line"}.
    """
    import sys

    from bot.cli._editing import answer_lines
    from bot.cli._refusal import refuse

    as_json = output == "json"
    if output not in ("json", "text"):
        refuse(f"--output {output!r} is not known", why="a refusal is told as json or text", fix="say json or text")
    if batch:
        if file is not None or diff:
            refuse(
                "--batch takes no FILE and no --diff", why="it reads JSON lines from standard input", fix="leave them out", as_json=as_json
            )
        answer_lines(sys.stdin.buffer, sys.stdout.buffer, write=write)
        return
    if file is None or address is None or new is None:
        refuse(
            "FILE, ADDRESS and NEW are needed", why="nothing says what to change to what", fix="promotion-bot edit --help", as_json=as_json
        )
    _edit_one(file, address, new, write=write, diff=diff, as_json=as_json)


def _edit_one(file: Path, address: str, new: str, *, write: bool, diff: bool, as_json: bool) -> None:
    import sys

    from bot.cli._editing import diff_of, parse_short_address, parse_short_value, read_file, write_file
    from bot.cli._refusal import CONFLICT, FAILED, NOT_FOUND, USAGE, refuse
    from bot.manifests import EditRefused, edit

    try:
        content = read_file(file)
    except OSError as error:
        refuse(f"{file} cannot be read", why=str(error.strerror), fix="give the path of a file", code=NOT_FOUND, as_json=as_json)
    try:
        edited = edit(content, parse_short_address(address), parse_short_value(new))
    except EditRefused as refusal:
        known = {"StaleValue": CONFLICT, **dict.fromkeys(NOT_FOUND_CODES, NOT_FOUND), **dict.fromkeys(USAGE_CODES, USAGE)}
        why = f"{file}:{refusal.line}: {refusal.message}"
        refuse(refusal.code, why=why, fix=refusal.fix, code=known.get(refusal.code, FAILED), as_json=as_json)
    if write and edited != content:
        write_file(file, edited)
    if diff:
        sys.stdout.buffer.write(diff_of(str(file), content, edited))
    elif not write:
        sys.stdout.buffer.write(edited)
