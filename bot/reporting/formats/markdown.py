"""The report as GitHub Markdown, for an issue, a comment or a file."""

import re
from collections.abc import Sequence

from bot.reporting.cards import Trend, cards_of, headline
from bot.reporting.formats._rows import BLOCKED_HEADS, PHASE_HEADS, blocked, facts, open_failures, phases, services, title
from bot.reporting.page import Page

_ARROWS = {Trend.BETTER: "▲ better", Trend.WORSE: "▼ worse", Trend.NOISE: "noise", Trend.UNKNOWN: "–"}


def render(page: Page) -> str:
    """Header, headline, the five metrics, open failures; services and data quality folded."""
    cards = cards_of(page)
    standings = page.standings()
    lines = [f"# {text(title(page))}", "", *(f"- **{name}:** {text(value)}" for name, value in facts(page)), "", text(headline(cards)), ""]
    rows = []
    for card in cards:
        place = standings.get(card.metric)
        better = f"better than {place.better_than_pct:g} %" if place else "–"
        if place and page.tiers and place.tier:
            better += f", {page.tiers} tier: {place.tier}"
        rows.append((card.name, card.value, card.sample, card.before, f"{card.change} {_ARROWS[card.trend]}".strip(), better))
    lines += table(("Metric", "Value", "Over", "Before", "Change", "2025 respondents"), rows)
    lines += ["", "## Open failures", ""]
    if page.report.open_failures:
        lines += table(("Deploy", "Service", "Version", "Age", "Why"), open_failures(page.report))
    else:
        lines += ["None."]
    if page.restated:
        lines += ["", "## Restated since the last report", "", *(f"- {text(line)}" for line in page.restated)]
    if page.blocked:
        lines += ["", "## Promotions that wait now", "", *table(BLOCKED_HEADS, blocked(page))]
    if page.phases:
        lines += ["", "<details><summary>Where promotions waited</summary>", "", *table(PHASE_HEADS, phases(page)), "", "</details>"]
    heads = ("Service", "Deployments", "Failed changes", "Fail rate", "Lead time", "Change")
    lines += ["", "<details><summary>Services</summary>", "", *table(heads, services(page)), "", "</details>"]
    if page.quality:
        doubts = [(str(row.count), row.sentence, ", ".join(row.names)) for row in page.quality]
        lines += ["", "<details><summary>Data quality</summary>", "", *table(("Rows", "What", "Which"), doubts), "", "</details>"]
    return "\n".join(lines) + "\n"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table; every cell is told literally."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return lines + [f"| {' | '.join(text(cell) for cell in row)} |" for row in rows]


def text(raw: str) -> str:
    """A text that Markdown, HTML and mentions leave alone, on one line."""
    plain = " ".join(raw.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "@\u200b")
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", plain)
