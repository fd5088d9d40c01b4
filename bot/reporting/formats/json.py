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
    found["blocked_promotions"] = [
        {"stage": row.stage, "service": row.service, "version": row.version, "age_s": row.age_s, "gate": row.gate, "reason": row.reason}
        for row in page.blocked
    ]
    found["waiting_s"] = [
        {"stage": row.stage, "for": row.name, "n": len(row.seconds), "median": row.median, "p90": row.p90} for row in page.phases
    ]
    found["restated"] = list(page.restated)
    return json.dumps(found, indent=2, allow_nan=False) + "\n"
