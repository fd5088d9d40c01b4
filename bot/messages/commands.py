"""The answers of commands that only ask: help, why, status, queue, whoami, ping; and what an order led to. Markdown for a comment.

The same texts go to a pull request, to Slack and to the command line; each takes out what it cannot show.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.commands.grammar import PREFIX
from bot.commands.model import Spec
from bot.domain.verdict import Verdict
from bot.messages.comment import SIGNS
from bot.messages.words import code, full, instant, plain, prose


class Report(Protocol):
    """What the plan says of one service in one stage."""

    @property
    def service(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def standing(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def old(self) -> str: ...
    @property
    def new(self) -> str: ...
    @property
    def number(self) -> int | None: ...
    @property
    def url(self) -> str: ...
    @property
    def places(self) -> tuple[str, ...]: ...
    @property
    def verdicts(self) -> tuple[Verdict, ...]: ...
    @property
    def look_again(self) -> datetime | None: ...


def help_all(specs: Sequence[Spec], *, where: str) -> str:
    """All commands that the asker may give here."""
    rows = [f"- {code(f'{PREFIX} {spec.usage}')} – {spec.help}" for spec in specs]
    head = f"Commands that you may give {where}, one per line, at the beginning of the line:"
    return "\n".join([head, "", *rows]) if rows else f"There is no command that you may give {where}."


def help_one(spec: Spec) -> str:
    """One command in full."""
    lines = [f"{code(f'{PREFIX} {spec.usage}')} – {spec.help}", ""]
    lines += [f"- {code(argument.name)}: {argument.help}" for argument in spec.arguments]
    lines += [f"- {code('--' + flag.name)}: {flag.help}" for flag in spec.flags]
    lines += [f"- needs the role *{spec.role}*" + (f", or to be {spec.mine}" if spec.mine else "")]
    lines += [f"- also: {', '.join(code(alias) for alias in spec.aliases)}"] if spec.aliases else []
    lines += [f"- for example {code(f'{PREFIX} {example}')}" for example in spec.examples]
    return "\n".join(lines)


def no_command(name: str) -> str:
    """Help for something that is none."""
    return f"There is no command {code(name[:40])}. {code(f'{PREFIX} help')} lists them."


def why(report: Report, gate: str = "") -> str:
    """What holds a service back: every gate, or one, with who or what can change it and when the bot looks again."""
    head = f"**{code(report.service)} in {report.stage}**: {prose(report.sentence)}"
    verdicts = [verdict for verdict in report.verdicts if gate in ("", verdict.gate)]
    if not verdicts:
        return f"{head}\n\nThe gate {code(gate)} has not been asked about it yet." if gate else head
    rows = []
    for verdict in sorted(verdicts, key=lambda one: one.lets_pass):
        look = f" Next look: {instant(verdict.look_again)}." if verdict.look_again is not None and not verdict.lets_pass else ""
        hard = " It cannot be overridden." if verdict.hard and not verdict.lets_pass else ""
        changer = "" if verdict.lets_pass else verdict.changer
        rows.append(f"- {SIGNS[verdict.outcome]} {code(verdict.gate)}: {prose(full(verdict.sentence, changer))}{look}{hard}")
    places = [f"\n\nWritten at {', '.join(code(place) for place in report.places)}."] if report.places else []
    listing = "\n".join(rows)
    if gate:
        return f"{head}\n\n{listing}{''.join(places)}"
    return f"{head}\n\n<details><summary>{len(rows)} gates</summary>\n\n{listing}\n\n</details>{''.join(places)}"


def board(reports: Sequence[Report]) -> str:
    """One row for each service and stage."""
    rows = ["| service | stage | standing | versions | why |", "|---|---|---|---|---|"]
    for report in reports:
        versions = f"{code(report.old)} → {code(report.new)}" if report.new and report.new != report.old else code(report.old or "–")
        link = f" [#{report.number}]({report.url})" if report.number is not None and report.url else ""
        sentence = prose(report.sentence).replace("|", "\\|")
        rows.append(f"| {code(report.service)} | {report.stage} | {report.standing}{link} | {versions} | {sentence} |")
    return "\n".join(rows) if reports else "Nothing is known here yet."


def queue(stage: str, reports: Sequence[Report]) -> str:
    """What is on its way into a stage."""
    if not reports:
        return f"Nothing is on its way into {stage}."
    rows = []
    for place, report in enumerate(reports, start=1):
        again = instant(report.look_again) if report.look_again is not None else ""
        look = f" Time alone may change that at {again}." if again and again not in report.sentence else ""
        link = f" [#{report.number}]({report.url})" if report.number is not None and report.url else ""
        rows.append(f"{place}. {code(f'{report.service} {report.new}'.strip())}{link}: {report.standing}. {prose(report.sentence)}{look}")
    return "\n".join([f"On its way into {stage}:", "", *rows])


def whoami(login: str, number: int, rows: Sequence[tuple[str, str, str]]) -> str:
    """The account, and per stage its role and where that comes from."""
    lines = [f"- {stage}: *{role}*{f' ({origin})' if origin else ''}" for stage, role, origin in rows]
    return "\n".join([f"You are {code(login)} (account {number}).", "", *lines])


def linked(login: str, number: int) -> str:
    """What `link` says where the account is known already."""
    return (
        f"Here you are {code(login)} (account {number}) by your own token; nothing has to be tied. "
        "In Slack, `/promote link` ties your Slack account to it."
    )


def pulse(facts: Mapping[str, str]) -> str:
    """The bot's own state."""
    return "\n".join(["pong", "", *(f"- {name}: {plain(value)}" for name, value in facts.items())])


def joined(parts: Sequence[str]) -> str:
    """Several answers to one comment as one reply."""
    return "\n\n".join(part for part in parts if part)


def reference(specs: Sequence[Spec]) -> str:
    """The reference page of all commands, and the table of who may give them."""
    lines = [
        "# Commands",
        "",
        "<!-- Made from the code; do not edit. `make docs` writes it anew. -->",
        "",
        "The same verbs are given on a promotion's pull request (in a comment, or in the text of a review), in Slack, on the command",
        "line and by HTTP (`POST /api/v1/commands/run`). On a pull request a command stands on a line of its own, at the very beginning",
        f"of the line, and begins with `{PREFIX}`; code, quotes, lists, tables, folded parts and edited comments never hold one.",
        "At most ten count per comment. A comment approves, merges and overrides the head that stood when it was written;",
        "`approve --sha` names it.",
        "",
        "The App's own name speaks to the bot too (`@promotion-bot approve`), as do the prefixes under `people.prefixes`; where",
        "`people.bare_aliases` is set, so does the verb alone (`/approve`). A command that is read gets 👀, and then 🚀 (done),",
        "👍 (nothing to change) or 😕 (refused, with one reply that is folded once the next command works).",
        "",
        "The stage's check has buttons: *Explain* is `why`, *Hold* is `hold`, *Retry* is `retry`; GitHub's own *Re-run* looks again.",
        "In Slack, *Hold* and *Revert* ask for a reason first.",
        "",
        "Roles: *viewer* (may read the stage's repository) < *operator* < *approver* < *release* < *admin*; `people` in the",
        "configuration says who fills them.",
        "",
        "| command | role | what it does |",
        "|---|---|---|",
    ]
    lines += [f"| [`{spec.verb}`](#{spec.verb}) | {spec.role}{f', or {spec.mine}' if spec.mine else ''} | {spec.help} |" for spec in specs]
    names = {"pr": "pull request", "slack": "Slack", "cli": "command line, HTTP"}
    for spec in specs:
        lines += ["", f"## {spec.verb}", "", f"`{PREFIX} {spec.usage}`", "", spec.help, ""]
        lines += [f"- `{argument.name}`: {argument.help}" for argument in spec.arguments]
        lines += [f"- `--{flag.name} {flag.value}`: {flag.help}" for flag in spec.flags]
        lines += [f"- role: {spec.role}{f', or {spec.mine}' if spec.mine else ''}"]
        lines += [f"- also: {', '.join(f'`{alias}`' for alias in spec.aliases)}"] if spec.aliases else []
        lines += [f"- where: {', '.join(names[surface.value] for surface in spec.surfaces)}"]
        lines += [f"- for example: {', '.join(f'`{PREFIX} {example}`' for example in spec.examples)}"] if spec.examples else []
    return "\n".join(lines) + "\n"
