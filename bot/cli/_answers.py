"""An answer of a running bot as it is printed: plain text with tables, Markdown as people see it on GitHub, JSON, YAML or CSV.

Decides the form only. The bot answers in Markdown; on a terminal its marks would only be in the way.
"""

import html
import json
import re
from typing import Any, Literal

from bot.cli.get import printed

Form = Literal["text", "json", "yaml", "markdown", "csv"]
MACHINES = ("json", "yaml")
_ESCAPED = re.compile(r"\\([\\`*_<>\[\]|#~])")
_RULE = re.compile(r"\|(?:\s*:?-+:?\s*\|)+")
_TAGS = re.compile(r"</?(?:details|summary|sub)>")
_LINK = re.compile(r"\[([^\]\n]{1,200})\]\((https?://[^\s()<>|]{1,1000})\)")


def worded(answer: dict[str, Any], form: Form) -> str:
    """The answer in this form, without the line end."""
    told = str(answer.get("told", "")) or str(answer.get("outcome", ""))
    match form:
        case "json":
            return json.dumps(answer, ensure_ascii=False)
        case "yaml":
            import yaml

            return yaml.safe_dump(answer, sort_keys=False, allow_unicode=True).rstrip("\n")
        case "markdown":
            return told
        case "csv":
            plainly: list[tuple[str, ...]] = [("outcome", "told"), (str(answer.get("outcome", "")), plain(told))]
            columns, *rows = next(iter(_tables(told)), plainly)
            return printed(columns, rows, "csv").rstrip("\n")
        case _:
            return plain(told)


def plain(told: str) -> str:
    """Markdown without its marks, tables with their columns in line."""
    found: list[str] = []
    rows: list[tuple[str, ...]] = []
    for line in [*told.split("\n"), ""]:
        if line.startswith("|"):
            rows += [_cells(line)] if not _RULE.fullmatch(line.strip()) else []
            continue
        if rows:
            found.append(printed(rows[0], rows[1:], "table").rstrip("\n"))
            rows = []
        found.append(_bare(line))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(found)).strip("\n")


def _tables(told: str) -> list[list[tuple[str, ...]]]:
    """The tables of a text, each with its head first."""
    found: list[list[tuple[str, ...]]] = []
    before = False
    for line in told.split("\n"):
        row = line.startswith("|")
        if row and not before:
            found.append([])
        if row and not _RULE.fullmatch(line.strip()):
            found[-1].append(_cells(line))
        before = row
    return found


def _cells(line: str) -> tuple[str, ...]:
    return tuple(_bare(cell.replace("\\|", "|")).strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|")))


def _bare(line: str) -> str:
    """One line of prose without marks: code spans, bold, links (their address behind them), folded parts, and signs that mention nobody."""
    text = _LINK.sub(r"\1 (\2)", _TAGS.sub("", line))
    text = re.sub(r"\*\*(.+?)\*\*", r"\1", text)
    text = re.sub(r"(?<![\w*])\*(?=\S)([^*]+?)(?<=\S)\*(?![\w*])", r"\1", text)
    return html.unescape(_ESCAPED.sub(r"\1", text.replace("`", ""))).replace("\u200b", "")
