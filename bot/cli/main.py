"""The command line: finds one command per file in this folder and runs it.

Decides nothing itself. Each module beside this one may define `register(app)`;
errors that a user can mend leave as three lines (error, why, fix) and the exit code of their family.
"""

import importlib
import pkgutil
import sys
from functools import cache
from itertools import pairwise

import typer

import bot.cli as shelf
from bot.cli._refusal import FAILED, code_of, worded
from bot.domain.errors import TransientError, UserError

app = typer.Typer(
    name="promotion-bot",
    help="Carries versions from stage to stage by pull requests, behind gates, and takes back what fails.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def options() -> None:
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


def main() -> None:
    """Entry point of `promotion-bot`. Exit 2: usage or configuration, 4: not allowed, 5: not found, 1: any other failure."""
    as_json = any(one in ("--output=json", "-ojson") for one in sys.argv) or any(
        pair in (("--output", "json"), ("-o", "json")) for pair in pairwise(sys.argv)
    )
    try:
        load_commands()()
    except UserError as error:
        code = code_of(error)
        print(
            worded(error.what, why=f"at {error.where}" if error.where else "", fix=error.fix, code=code, as_json=as_json), file=sys.stderr
        )
        sys.exit(code)
    except TransientError as error:
        fix = "this passes by itself; try again in a moment"
        print(worded(error.what, why="", fix=fix, code=FAILED, as_json=as_json), file=sys.stderr)
        sys.exit(FAILED)
    except BrokenPipeError:
        sys.exit(141)
