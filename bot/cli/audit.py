"""`promotion-bot audit`: who changed what, when and why; `audit verify` proves that no row was changed, removed or put in."""

import json
import sys
from typing import Annotated

import typer

from bot.cli.events import Address, Form


def register(app: typer.Typer) -> None:
    """Add `audit`."""
    audit = typer.Typer(help="Who changed what, when and why; check the log's chain.", invoke_without_command=True, no_args_is_help=False)
    audit.callback()(listing)
    audit.command("verify")(verify)
    app.add_typer(audit, name="audit")


def listing(
    context: typer.Context,
    database: Address = "sqlite:///state/promotion-bot.db",
    subject: Annotated[str, typer.Option(help="Only this subject, for example prod/payments.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, newest first.")] = 50,
    output: Annotated[Form, typer.Option("--output", "-o", help="table or json.")] = Form.TABLE,
) -> None:
    """The newest changes of state first."""
    if context.invoked_subcommand is not None:
        context.obj = database
        return
    from dataclasses import asdict

    from bot.adapters.store.audit import entries
    from bot.cli.database import opened

    with opened(database) as found:
        rows = entries(found, subject=subject, limit=limit)
    if output is Form.JSON:
        typer.echo(json.dumps([{**asdict(row), "at": row.at.isoformat()} for row in rows], indent=2))
        return
    if not rows:
        typer.echo("nothing was changed yet" + (f" about {subject}" if subject else ""))
    for row in rows:
        typer.echo(f"{row.id:6}  {row.at:%Y-%m-%d %H:%M:%S}Z  {row.actor}  {row.action}  {row.subject}: {row.why}")


def verify(
    context: typer.Context,
    output: Annotated[Form, typer.Option("--output", "-o", help="table or json.")] = Form.TABLE,
) -> None:
    """Walk the whole chain. Exit status 0 when every row holds, 1 at the first one that does not."""
    from dataclasses import asdict

    from bot.adapters.store.audit import verify as walk
    from bot.cli.database import opened

    with opened(context.obj) as found:
        report = walk(found)
    if output is Form.JSON:
        typer.echo(json.dumps({**asdict(report), "ok": report.broken_at is None}))
    elif report.broken_at is None:
        typer.echo(f"the chain holds: {report.rows} rows")
    if report.broken_at is None:
        return
    if output is Form.TABLE:
        typer.echo(
            f"error: the audit log was tampered with at row {report.broken_at}\nwhy: {report.problem}\n"
            "fix: compare with a backup from before; everything up to the row before it still holds",
            err=True,
        )
    sys.exit(1)
