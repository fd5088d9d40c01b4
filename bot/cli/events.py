"""`promotion-bot events`: what came into the inbox, what waits, what is dead; `events retry ID` drives a dead letter again."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.adapters.store.inbox import StoredDelivery


class Form(StrEnum):
    """How the answer is printed."""

    TABLE = "table"
    JSON = "json"


Address = Annotated[
    str,
    typer.Option(
        "--database", envvar="PROMOTION_BOT_DATABASE_URL", help="The bot's database: sqlite:///file.db or postgresql://user@host/name."
    ),
]


def register(app: typer.Typer) -> None:
    """Add `events`."""
    events = typer.Typer(help="What came into the inbox; drive dead letters again.", invoke_without_command=True, no_args_is_help=False)
    events.callback()(listing)
    events.command("retry")(retry)
    app.add_typer(events, name="events")


def listing(
    context: typer.Context,
    database: Address = "sqlite:///state/promotion-bot.db",
    state: Annotated[str, typer.Option(help="Only these: received, done or dead.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 50,
    output: Annotated[Form, typer.Option("--output", "-o", help="table or json.")] = Form.TABLE,
) -> None:
    """What came into the inbox, newest first."""
    if context.invoked_subcommand is not None:
        context.obj = database
        return
    from bot.adapters.store import inbox
    from bot.cli.database import opened

    with opened(database) as found, found.read() as session:
        rows = inbox.listing(session, state=state, limit=limit)
    if output is Form.JSON:
        typer.echo(json.dumps([_plain(row) for row in rows], indent=2))
        return
    if not rows:
        typer.echo("nothing in the inbox" + (f" that is {state}" if state else ""))
    for row in rows:
        waiting = f"  waits for {', '.join(row.waiting_for)}" if row.waiting_for else ""
        error = f"  {row.attempts} tries: {row.error}" if row.error else ""
        event = f"{row.event} {row.action}".strip()
        typer.echo(f"{row.received_at:%Y-%m-%d %H:%M:%S}Z  {row.state:8}  {row.delivery}  {event}  {row.repository}{waiting}{error}")


def retry(
    context: typer.Context,
    delivery: Annotated[str, typer.Argument(help="The delivery's id, as `events` shows it.")],
) -> None:
    """Take a delivery up again and wake its stages. The running bot handles it."""
    from datetime import UTC, datetime

    from bot.adapters.store.database import make_queue_engine
    from bot.adapters.store.wakeups import Wakeups
    from bot.cli.database import opened
    from bot.domain.errors import UserError
    from bot.reconcile.queue import Enqueuer
    from bot.web.intake import retry as take_up

    with opened(context.obj) as found:
        engine = make_queue_engine(found.url)
        enqueuer = Enqueuer(engine)
        try:
            row = take_up(found, Wakeups(found, enqueuer), delivery, now=datetime.now(UTC))
        finally:
            enqueuer.close()
            engine.dispose()
    if row is None:
        raise UserError(
            f"there is no delivery {delivery}",
            why="it never arrived, or was forgotten after its time",
            fix="`promotion-bot events` lists those that are known",
            code="NotFound",
        )
    stages = ", ".join(row.stages) or "no stage"
    typer.echo(f"{delivery} is taken up again; woken: {stages}")


def _plain(row: "StoredDelivery") -> dict[str, object]:
    from dataclasses import asdict

    return {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in asdict(row).items()}
