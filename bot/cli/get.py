"""`promotion-bot get KIND`: what a running bot knows, as a table or for a program.

Decides the columns of a table; the fields of JSON and YAML are the API's. `board` is the services again, with a column for each stage.
"""

from collections import Counter
from typing import Annotated, Any, Literal

import typer

from bot.cli._asked import Url
from bot.cli._complete import services, stages

COLUMNS = {
    "promotions": ("stage", "name", "number", "state", "what", "reason"),
    "stages": ("stage", "after", "repository", "merge", "services", "orders"),
    "services": ("service", "team", "images", "stages"),
    "versions": ("service", "version", "stage", "state", "since", "reason"),
    "orders": ("order", "by", "stage", "service", "version", "number", "gate", "until", "reason"),
    "freezes": ("stage", "service", "by", "frozen", "changes_at", "reason"),
    "incidents": ("id", "stage", "service", "version", "state", "at", "recovered_at", "cause"),
}
Kind = Literal["board", "services", "stages", "versions", "promotions", "orders", "freezes", "incidents"]


def register(app: typer.Typer) -> None:
    @app.command()
    def get(
        what: Annotated[Kind, typer.Argument(help="What to list. `orders` are holds, pins, vetoes, overrides ... in force.")],
        stage: Annotated[str, typer.Option("--stage", help="Only of this stage.", autocompletion=stages)] = "",
        service: Annotated[str, typer.Option("--service", help="Only of this service.", autocompletion=services)] = "",
        state: Annotated[str, typer.Option("--state", help="Only in this state (promotions, incidents).")] = "",
        url: Url = None,
        output: Annotated[
            Literal["table", "json", "yaml", "markdown", "csv"], typer.Option("--output", "-o", help="How to print.")
        ] = "table",
    ) -> None:
        """List what a running bot knows: the board, services, stages, versions, promotions, orders, freezes or incidents."""
        import json

        from bot.cli._remote import connect

        remote = connect(url, as_json=output == "json")
        answer = remote.get(f"/{'services' if what == 'board' else what}", stage=stage, service=service, state=state)
        if what == "stages" and stage:
            answer = {**answer, "items": [item for item in answer["items"] if item["stage"] == stage]}
        if output == "json":
            typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        elif output == "yaml":
            import yaml

            typer.echo(yaml.safe_dump(answer, sort_keys=False, allow_unicode=True), nl=False)
        elif what == "board":
            typer.echo(printed(*_board(answer["items"]), output), nl=False)
        else:
            typer.echo(printed(COLUMNS[what], [_row(what, item) for item in answer["items"]], output), nl=False)


def _board(items: list[dict[str, Any]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """A row for each service and a column for each stage, in the pipeline's order as far as the rows tell it."""
    stages: list[str] = []
    for item in items:
        after = 0
        for place in item["stages"]:
            if place["stage"] not in stages:
                stages.insert(after, place["stage"])
            after = stages.index(place["stage"]) + 1
    rows = []
    for item in items:
        cells = {place["stage"]: _cell(place) for place in item["stages"]}
        rows.append((item["service"], item["team"], *(cells.get(stage, "") for stage in stages)))
    return ("service", "team", *stages), rows


def _cell(place: dict[str, Any]) -> str:
    """`1.0.0 healthy, #7 to 1.1.0: soak`."""
    coming = place["promotion"]
    drift = ", drift" if place["drift"] else ""
    stands = f"{place['version']} {place['state']}{drift}".strip()
    if coming is None:
        return stands
    held = coming["held_by"] or coming["state"]
    return f"{stands}, {'#' + str(coming['number']) if coming['number'] else 'opening'} to {coming['to']}: {held}"


def _row(what: str, item: dict[str, Any]) -> tuple[str, ...]:
    match what:
        case "promotions":
            moves = ", ".join(f"{move['service']} {move['from']} -> {move['to']}" for move in item["moves"])
            return (item["stage"], item["name"], str(item["number"] or ""), item["state"], moves, item["reason"])
        case "stages":
            states = Counter(one["state"] for one in item["services"]).most_common()
            counted = ", ".join(f"{count} {state}" for state, count in states)
            services = f"{len(item['services'])} ({counted})" if counted else "0"
            orders = ", ".join(f"{one['order']} by {one['by']}" for one in item["orders"]) or "; ".join(item["stopped"])
            return (item["stage"], ", ".join(item["after"]), item["repository"], item["merge"], services, orders)
        case "services":
            places = ", ".join(f"{place['stage']} {_cell(place)}" for place in item["stages"])
            return (item["service"], item["team"], ", ".join(item["images"]), places)
        case _:
            return tuple(_told(item[column]) for column in COLUMNS[what])


def _told(value: object) -> str:
    """A field as a cell; what is not known is told to be so where it is a question of yes and no."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else "" if value is None else str(value)


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
