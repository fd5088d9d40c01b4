"""`promotion-bot get promotions|stages`: what a running bot knows, as a table or for a program."""

from typing import Annotated, Any, Literal

import typer

COLUMNS = {
    "promotions": ("stage", "name", "number", "state", "what", "reason"),
    "stages": ("stage", "after", "repository", "merge", "services", "orders"),
}


def register(app: typer.Typer) -> None:
    @app.command()
    def get(
        what: Annotated[Literal["promotions", "stages"], typer.Argument(help="What to list.")],
        stage: Annotated[str, typer.Option("--stage", help="Only of this stage.")] = "",
        service: Annotated[str, typer.Option("--service", help="Only of this service.")] = "",
        state: Annotated[str, typer.Option("--state", help="Only in this state.")] = "",
        url: Annotated[str | None, typer.Option("--url", help="The bot's address; else PROMO_URL.")] = None,
        output: Annotated[
            Literal["table", "json", "yaml", "markdown", "csv"], typer.Option("--output", "-o", help="How to print.")
        ] = "table",
    ) -> None:
        """List promotions or stages of a running bot."""
        import json

        from bot.cli._remote import connect

        remote = connect(url, as_json=output == "json")
        query = {"stage": stage, "service": service, "state": state} if what == "promotions" else {}
        answer = remote.get(f"/{what}", **query)
        if what == "stages" and stage:
            answer = {**answer, "items": [item for item in answer["items"] if item["stage"] == stage]}
        if output == "json":
            typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        elif output == "yaml":
            import yaml

            typer.echo(yaml.safe_dump(answer, sort_keys=False, allow_unicode=True), nl=False)
        else:
            typer.echo(printed(COLUMNS[what], [_row(what, item) for item in answer["items"]], output), nl=False)


def _row(what: str, item: dict[str, Any]) -> tuple[str, ...]:
    if what == "promotions":
        moves = ", ".join(f"{move['service']} {move['from']} -> {move['to']}" for move in item["moves"])
        return (item["stage"], item["name"], str(item["number"] or ""), item["state"], moves, item["reason"])
    services = ", ".join(f"{one['service']} {one['version']} {one['state']}" for one in item["services"])
    orders = ", ".join(f"{one['order']} by {one['by']}" for one in item["orders"]) or "; ".join(item["stopped"])
    return (item["stage"], ", ".join(item["after"]), item["repository"], item["merge"], services, orders)


def printed(columns: tuple[str, ...], rows: list[tuple[str, ...]], form: str) -> str:
    """The rows as a table, Markdown or CSV. Signs that steer a terminal are taken out; a CSV cell never begins a formula."""
    clean = [tuple("".join(sign if sign.isprintable() else " " for sign in cell) for cell in row) for row in rows]
    match form:
        case "markdown":
            lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
            lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in clean]
        case "csv":
            lines = [",".join(columns)] + [",".join(_csv(cell) for cell in row) for row in clean]
        case _:
            widths = [max([len(name), *(len(row[place]) for row in clean)]) for place, name in enumerate(columns)]
            lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (columns, *clean)]
    return "\n".join(lines) + "\n"


def _csv(cell: str) -> str:
    safe = f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell
    return '"' + safe.replace('"', '""') + '"' if any(sign in safe for sign in ',"\n') else safe
