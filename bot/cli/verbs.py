"""The verbs of pull requests and Slack on the command line, against a running bot: `promotion-bot approve --promotion 482`.

Made from the verbs' own specs: no verb is named here. Their other names work too, unlisted. `why` is a command
of its own, since it can look without a bot too; `ask` takes any line.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli._asked import InStage, Number, Output, Url
from bot.cli._complete import begin, known
from bot.commands.model import Call, Misread, Spec, Surface
from bot.commands.shelf import verbs

if TYPE_CHECKING:
    from bot.cli._answers import Form

OWN = frozenset({"why"})
"""Verbs that the command line has in another form."""
WEIGHTY = frozenset({"rollback", "override", "freeze"})
"""Orders that are asked about once more."""
ODD = ' \t"“”\\'
"""Signs that a word cannot hold outside of quotes."""
PASS_ON = {"ignore_unknown_options": True}
KINDS = {"service": ("service",), "target": ("service",), "stage": ("stage",)}
"""What may stand in the place of a verb's argument."""


def register(app: typer.Typer) -> None:
    for verb in verbs().values():
        if Surface.CLI in verb.spec.surfaces and verb.spec.verb not in OWN:
            for name in (verb.spec.verb, *(alias for alias in verb.spec.aliases if alias.replace("-", "").isalpha())):
                _add(app, verb.spec, name)
    _add_ask(app)


def _add(app: typer.Typer, spec: Spec, name: str) -> None:
    kinds = [kind for argument in spec.arguments for kind in KINDS.get(argument.name, ())]

    def named(context: typer.Context, incomplete: str) -> list[str]:
        return _named(context, incomplete, kinds)

    text = f"{spec.help}\n\nUsage of the verb: {spec.usage}. Role: {spec.role.value}."

    @app.command(
        name,
        help=text,
        context_settings=PASS_ON,
        rich_help_panel="Commands to a running bot",
        short_help=spec.help,
        hidden=name != spec.verb,
    )
    def verb(
        words: Annotated[list[str] | None, typer.Argument(metavar="[WORDS]...", help="As on a pull request.", autocompletion=named)] = None,
        promotion: Number = None,
        in_stage: InStage = None,
        url: Url = None,
        output: Output = "text",
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do; store nothing.")] = False,
        yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask again.")] = False,
    ) -> None:
        send([spec.verb, *(words or [])], promotion=promotion, stage=in_stage, url=url, output=output, dry_run=dry_run, yes=yes)


def _add_ask(app: typer.Typer) -> None:
    @app.command("ask", context_settings=PASS_ON)
    def ask(
        words: Annotated[
            list[str] | None, typer.Argument(metavar="[WORDS]...", help="As on a pull request.", autocompletion=_anything)
        ] = None,
        promotion: Number = None,
        in_stage: InStage = None,
        url: Url = None,
        output: Output = "text",
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do; store nothing.")] = False,
        yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask again.")] = False,
    ) -> None:
        """Send any line to a running bot, as on a pull request: `ask why payments prod`."""
        send(words or [], promotion=promotion, stage=in_stage, url=url, output=output, dry_run=dry_run, yes=yes)


def _anything(context: typer.Context, incomplete: str) -> list[str]:
    return _named(context, incomplete, ["service", "stage"])


def _named(context: typer.Context, incomplete: str, kinds: list[str]) -> list[str]:
    """Names that may stand here and do not stand in the line already; of a flag's value nothing is known."""
    given = list(context.params.get("words") or [])
    if not kinds or incomplete.startswith("-") or (given and given[-1].startswith("--")):
        return []
    found = known(context.params)
    return begin([name for kind in kinds for name in found.get(kind, []) if name not in given], incomplete)


def send(words: list[str], *, promotion: int | None, stage: str | None, url: str | None, output: "Form", dry_run: bool, yes: bool) -> None:
    """Send one line and print the answer. Exit codes: 0 done, 2 mistyped, 3 a gate or a ban, 4 not allowed, 5 not found, 6 conflict."""
    import secrets

    from bot.cli._answers import MACHINES, worded
    from bot.cli._remote import connect

    as_json = output == "json"
    line = " ".join(map(quoted, words))
    call = _read(line, as_json=as_json)
    if call.verb in WEIGHTY and not (yes or dry_run):
        _confirm(line, as_json=as_json)
    remote = connect(url, as_json=as_json)
    body: dict[str, object] = {"line": line, "id": secrets.token_hex(8), "dry_run": dry_run}
    if promotion is not None:
        body["promotion"] = promotion
    if stage:
        body["stage"] = stage
    answer = remote.post("/commands/run", body)
    if answer.get("outcome") == "refused":
        remote.fail(answer)
    typer.echo(("Would: " if dry_run and output not in (*MACHINES, "csv") else "") + worded(answer, output))


def _read(line: str, *, as_json: bool) -> Call:
    from bot.cli._refusal import refuse
    from bot.commands.grammar import parse

    call = parse(line, verbs())
    if isinstance(call, Misread):
        refuse(call.what, why=f"`{line}` is not how it is typed", fix=call.fix, as_json=as_json)
    return call


def _confirm(line: str, *, as_json: bool) -> None:
    """A person is asked; a program must say --yes."""
    import sys

    from bot.cli._refusal import refuse

    if not sys.stdin.isatty():
        refuse(f"`{line}` is asked about once more", why="nobody can be asked: the input is no terminal", fix="add --yes", as_json=as_json)
    typer.confirm(f"{line}?", abort=True, err=True)


def quoted(word: str) -> str:
    """A word of the shell as one word of the grammar: in double quotes where it holds blanks or quotes."""
    from bot.commands.grammar import in_quotes

    name, equals, value = word.partition("=")
    if word.startswith("--") and equals and any(sign in value for sign in ODD):
        return f"{name}={in_quotes(value)}"
    return in_quotes(word) if not word or any(sign in word for sign in ODD) else word
