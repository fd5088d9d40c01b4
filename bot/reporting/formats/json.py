"""The report as one JSON object: every figure under its field name, the same for the window before, data quality, benchmarks."""

import json

from bot.reporting.page import Page


def render(page: Page) -> str:
    """The object, indented, with a newline at its end."""
    found = page.report.to_json()
    found["benchmarks_2025"] = {metric: {"top_pct": place.top_pct} for metric, place in page.standings().items()}
    if page.tiers is not None:
        found[f"tiers_{page.tiers}"] = {metric: place.tier for metric, place in page.standings().items() if place.tier}
    found["quality"] = [row.to_json() for row in page.quality]
    found["before"] = {name: value for name, value in page.before.figures_to_json().items() if name not in ("definitions", "as_of")}
    return json.dumps(found, indent=2, allow_nan=False) + "\n"
