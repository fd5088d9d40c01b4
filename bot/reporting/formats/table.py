"""The report as plain text for a terminal."""

from collections.abc import Sequence

from bot.reporting.cards import cards_of, headline
from bot.reporting.formats._rows import BLOCKED_HEADS, blocked, facts, open_failures, services, title
from bot.reporting.page import Page


def render(page: Page) -> str:
    """Title, header, headline, the five metrics, open failures, services, data quality."""
    cards = cards_of(page)
    standings = page.standings()
    lines = [title(page), *(f"{name}: {value}" for name, value in facts(page)), "", headline(cards), ""]
    rows = [("metric", "value", "over", "before", "change", "2025 respondents")]
    for card in cards:
        place = standings.get(card.metric)
        better = f"better than {place.better_than_pct:g} %" if place else ""
        if place and page.tiers and place.tier:
            better += f" ({page.tiers}: {place.tier})"
        rows.append((card.name, card.value, card.sample, card.before, f"{card.change} {card.trend.value}".strip(), better))
    lines += columns(rows)
    if page.report.open_failures:
        lines += ["", "Open failures", *columns([("deploy", "service", "version", "age", "why"), *open_failures(page.report)])]
    if page.blocked:
        lines += ["", "Promotions that wait now", *columns([BLOCKED_HEADS, *blocked(page)])]
    lines += ["", *columns([("service", "deployments", "failed", "fail rate", "lead time", "change"), *services(page)])]
    if page.quality:
        lines += ["", "Data quality", *(f"  {row.count} {row.sentence}" for row in page.quality)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of text with their columns in line."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
