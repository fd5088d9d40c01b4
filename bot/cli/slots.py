"""`promotion-bot slots PATH...`: every version that the bot sees in files and folders, with file:line.

Reads files; what a file holds is decided in `manifests`.
"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

SKIPPED = {".git", "node_modules", ".terraform", ".venv", "__pycache__"}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("slots")(slots_command)


def slots_command(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders.", show_default=False)],
    output: Annotated[str, typer.Option("--output", "-o", help="json or text.")] = "text",
) -> None:
    """Lists every version with its place, what it is a version of, and the address that `edit` takes.

    With several paths (one a stage) it also says which versions pair with which, those of one artifact, and where their shapes differ.

    A place that should hold a version but cannot be edited is told with the reason.
    """
    import json

    from bot.cli._editing import read_file
    from bot.cli._pairs import pair_lines, pair_row
    from bot.cli._refusal import NOT_FOUND, refuse
    from bot.domain.slot import Slot
    from bot.manifests import find_slots, is_candidate
    from bot.planning.pairing import artifact_pairs

    as_json = output == "json"
    if output not in ("json", "text"):
        refuse(f"--output {output!r} is not known", why="slots are printed as json or text", fix="say json or text")
    missing = [path for path in paths if not path.exists()]
    if missing:
        refuse(f"{missing[0]} does not exist", why="there is nothing to read", fix="give files or folders", code=NOT_FOUND, as_json=as_json)
    found: dict[str, list[Slot]] = {root.as_posix(): [] for root in paths}
    problems: list[dict[str, Any]] = []
    for root in paths:
        for file in files_below(root):
            name = file.relative_to(root).as_posix() if root.is_dir() else file.as_posix()
            if not is_candidate(name):
                continue
            shown = file.as_posix()
            try:
                content = read_file(file)
            except OSError as error:
                problems.append({"path": shown, "line": 1, "code": "FileNotFound", "message": f"the file cannot be read: {error.strerror}"})
                continue
            here = find_slots(name, content)
            found[root.as_posix()] += [replace(slot, path=shown) for slot in here.slots]
            problems += [{**asdict(problem), "path": shown} for problem in here.problems]
    slots = [asdict(slot) for here in found.values() for slot in here]
    pairs = artifact_pairs(found) if len(found) > 1 else ()
    if as_json:
        typer.echo(json.dumps({"slots": slots, "problems": problems, "pairs": [pair_row(pair) for pair in pairs]}, ensure_ascii=False))
    else:
        _print(slots, problems)
        for pair in pairs:
            typer.echo("\n" + "\n".join(pair_lines(pair)))


def files_below(root: Path) -> Iterator[Path]:
    """The files of a folder in the order of their names, without following links; or the file itself."""
    if not root.is_dir():
        yield root
        return
    for entry in sorted(root.iterdir()):
        if entry.is_symlink() or entry.name in SKIPPED:
            continue
        if entry.is_dir():
            yield from files_below(entry)
        elif entry.is_file():
            yield entry


def _print(slots: list[dict[str, Any]], problems: list[dict[str, Any]]) -> None:
    rows = [(f"{one['path']}:{one['line']}", one["artifact"], _version(one["version"]), one["format"], one["key"]) for one in slots]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    for row in rows:
        typer.echo("  ".join((*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[4])).rstrip())
    for problem in problems:
        typer.echo(f"{problem['path']}:{problem['line']}: {problem['code']}: {problem['message']}", err=True)


def _version(version: dict[str, str | None]) -> str:
    digest = version["digest"]
    short = f"{digest[:19]}…" if digest else ""
    return "@".join(filter(None, (version["tag"], short)))
