"""The command line: finds one command per file in this folder and runs it.

Decides nothing itself. Each module beside this one may define `register(app)`;
errors that a user can mend leave as three lines (error, why, fix) or as JSON, and the exit code of their family.
"""

import importlib
import os
import pkgutil
import sys
from functools import cache
from itertools import pairwise
from typing import Annotated, Any

import typer

import bot.cli as shelf
from bot.cli._memory import collect_seldom
from bot.cli._refusal import FAILED, USAGE, code_of, worded
from bot.domain.errors import TransientError, UserError

app = typer.Typer(
    name="promotion-bot",
    help="Carries versions from stage to stage by pull requests, behind gates, and takes back what fails.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _tell_version(asked: bool) -> None:
    """Print the version that is installed, and leave."""
    if asked:
        from importlib.metadata import version

        typer.echo(f"promotion-bot {version('promotion-bot')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_tell_version)] = False,
) -> None:
    """Carries versions from stage to stage by pull requests, behind gates, and takes back what fails."""


@cache
def load_commands() -> typer.Typer:
    """The application with every command of this folder registered, in the order of their file names; once, however often it is asked."""
    for module_info in sorted(pkgutil.iter_modules(shelf.__path__), key=lambda found: found.name):
        if module_info.name.startswith("_") or module_info.name == "main":
            continue
        module = importlib.import_module(f"{shelf.__name__}.{module_info.name}")
        if hasattr(module, "register"):
            module.register(app)
    return app


INTERRUPTED, PIPE_CLOSED = 130, 141
MISTYPED: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""Every command line that cannot be read. Typer shows it by this way only, whichever click it brings."""


def main() -> None:
    """Entry point of `promotion-bot`. Exit 2: usage or configuration, 4: not allowed, 5: not found, 1: any other failure.

    130 when it was interrupted, 141 when nobody reads its output any more.
    """
    collect_seldom()
    as_json = any(one in ("--output=json", "-ojson") for one in sys.argv) or any(
        pair in (("--output", "json"), ("-o", "json")) for pair in pairwise(sys.argv)
    )
    try:
        code = load_commands()(standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except SystemExit:
        if type(sys.stdout).__name__ == "PacifyFlushWrapper":
            sys.exit(PIPE_CLOSED)
        raise
    except MISTYPED as error:
        print(_mistyped(error, as_json=as_json), file=sys.stderr)
        sys.exit(USAGE)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except UserError as error:
        code = code_of(error)
        why = ", ".join(part for part in (error.why, f"at {error.where}" if error.where else "") if part)
        print(worded(error.what, why=why, fix=error.fix, code=code, as_json=as_json), file=sys.stderr)
        sys.exit(code)
    except TransientError as error:
        why, fix = "something outside of this program was busy or out of reach", "this passes by itself; try again in a moment"
        print(worded(error.what, why=why, fix=fix, code=FAILED, as_json=as_json), file=sys.stderr)
        sys.exit(FAILED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(PIPE_CLOSED)


def _mistyped(error: Any, *, as_json: bool) -> str:
    """A command line that cannot be read: what is wrong, how it is typed, and where all of it stands. With nothing typed, the help."""
    told, context = error.format_message().removeprefix("Value error, "), getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError" or context is None:
        return str(told)
    told = told.replace(": Value error, ", ": ")
    why = " ".join(context.get_usage().replace("Usage: ", "usage: ").split())
    return worded(told, why=why, fix=f"see `{context.command_path} --help`", code=USAGE, as_json=as_json)
