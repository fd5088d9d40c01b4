"""How plans are written: a table for people, stable JSON for programs."""

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.cli._pairs import pair_lines, pair_row
from bot.cli._planning import Plans
from bot.domain.action import Action
from bot.messages.words import instant
from bot.planning.standing import Plan, Report, Standing

COLOURS = {
    Standing.READY: "green",
    Standing.OPEN: "cyan",
    Standing.ROLLING_OUT: "cyan",
    Standing.UP_TO_DATE: "dim",
    Standing.WAITING: "yellow",
}
HIDDEN = frozenset({"SaveHealth", "SaveVerdicts", "Show"})
"""Actions that only keep records or repaint what people see; they are counted, not listed."""


def as_table(found: Plans) -> str:
    """One table per stage: what would be done, then every service with its reason."""
    console = Console(highlight=False)
    with console.capture() as capture:
        if found.assumption:
            console.print(f"[dim]{escape(found.assumption)}[/]")
        for plan in found.plans:
            _print(console, plan)
    return capture.get().rstrip("\n")


def _print(console: Console, plan: Plan) -> None:
    console.print(f"\n[bold]{plan.stage}[/]" + (f"  [dim]looks again {instant(plan.look_again)}[/]" if plan.look_again else ""))
    for where, problem in plan.problems.items():
        console.print(f"  [red]![/] {escape(where)}: {escape(problem)}")
    for action in plan.actions:
        if type(action).__name__ not in HIDDEN:
            console.print(f"  [green]→[/] {escape(sentence(action))}")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2))
    for column in ("service", "standing", "why"):
        table.add_column(column, overflow="fold", no_wrap=column != "why")
    for report in plan.reports:
        colour = COLOURS.get(report.standing, "red")
        table.add_row(f"  {escape(report.service)}", f"[{colour}]{report.standing.value}[/]", escape(report.sentence))
    if plan.reports:
        console.print(table)
    for report in plan.reports:
        for note in dict.fromkeys(note for pair in report.pairs for note in pair.notes):
            console.print(f"  [dim]~ {escape(report.service)}: {escape(note)}[/]")
    if not plan.reports and not plan.problems:
        console.print("  [dim]versions enter here; nothing is promoted into it[/]")


def sentence(action: Action) -> str:
    """An action in words: its name, and the promotion it is about."""
    name = "".join(f" {sign.lower()}" if sign.isupper() else sign for sign in type(action).__name__).strip()
    promotion = getattr(action, "promotion", None)
    if promotion is None:
        text = getattr(action, "text", "")
        return f"{name}: {text}" if text else name
    moved = ", ".join(f"{move.service} {move.old} -> {move.new}" for move in promotion.moves)
    number = f" #{promotion.number}" if promotion.number is not None else ""
    return f"{name}{number}: {moved} into {promotion.stage}"


def as_json(found: Plans) -> str:
    """One object: {"apiVersion", "kind", "assumption", "stages": [{"stage", "look_again", "problems", "actions", "services"}]}.

    Every action and every service is one line: thousands of them, indented, cost more than the plan itself.
    """
    head = {"apiVersion": "promotion-bot/v1", "kind": "Plan", "assumption": found.assumption}
    return _with_rows(head, "stages", [_stage(plan) for plan in found.plans])


def _stage(plan: Plan) -> str:
    look = plan.look_again.isoformat() if plan.look_again else None
    head = {"stage": plan.stage, "look_again": look, "problems": dict(plan.problems)}
    actions = [json.dumps(_action(action)) for action in plan.actions if type(action).__name__ not in HIDDEN]
    text = _with_rows(head, "actions", actions)
    return _with_rows(text, "services", [json.dumps(_report(report)) for report in plan.reports])


def _with_rows(head: dict[str, Any] | str, name: str, rows: Sequence[str]) -> str:
    """The object with one list more, a row a line."""
    text = head if isinstance(head, str) else json.dumps(head)
    listed = ",\n".join(rows)
    return f'{text[:-1]}, "{name}": [\n{listed}\n]}}' if rows else f'{text[:-1]}, "{name}": []}}'


def _action(action: Action) -> dict[str, Any]:
    promotion = getattr(action, "promotion", None)
    row: dict[str, Any] = {"action": type(action).__name__, "sentence": sentence(action)}
    if promotion is not None:
        row |= {
            "promotion": promotion.id,
            "branch": promotion.branch,
            "pull_request": promotion.number,
            "moves": [{"service": move.service, "from": str(move.old), "to": str(move.new)} for move in promotion.moves],
            "edits": [
                {"file": edit.path, "line": edit.line, "artifact": edit.artifact, "from": edit.old.text, "to": edit.new.text}
                for move in promotion.moves
                for edit in move.edits
            ],
        }
    return row


def _report(report: Report) -> dict[str, Any]:
    return {
        "service": report.service,
        "stage": report.stage,
        "standing": report.standing.value,
        "reason": report.sentence,
        "from": report.old,
        "to": report.new,
        "pull_request": report.number,
        "url": report.url,
        "places": list(report.places),
        "look_again": report.look_again.isoformat() if report.look_again else None,
        "pairs": [pair_row(pair) for pair in report.pairs],
        "gates": [
            {
                "gate": verdict.gate,
                "outcome": verdict.outcome.value,
                "sentence": verdict.sentence,
                "changer": verdict.changer,
                "look_again": verdict.look_again.isoformat() if verdict.look_again else None,
            }
            for verdict in report.verdicts
        ],
    }


def report_json(report: Report) -> str:
    """One service's report, as in `as_json`."""
    return json.dumps({"apiVersion": "promotion-bot/v1", "kind": "Why", **_report(report)}, indent=2)


def report_text(report: Report) -> str:
    """One service's report in lines."""
    moved = f" ({report.old} -> {report.new})" if report.new and report.old != report.new else ""
    lines = [f"{report.service} in {report.stage}: {report.standing.value}{moved}", f"  {report.sentence}"]
    lines += [f"  at {place}" for place in report.places]
    lines += [f"  {line}" for pair in report.pairs for line in pair_lines(pair)]
    if report.url:
        lines.append(f"  {report.url}")
    for verdict in report.verdicts:
        lines.append(f"  {'✔' if verdict.lets_pass else '✘'} {verdict.gate} {verdict.outcome.value}: {verdict.sentence}")
        if verdict.changer and not verdict.lets_pass:
            lines.append(f"      who or what can change it: {verdict.changer}")
    if report.look_again is not None:
        lines.append(f"  the bot looks again at {instant(report.look_again)}")
    return "\n".join(lines)
