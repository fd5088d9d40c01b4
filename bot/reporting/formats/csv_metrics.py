"""The figures as CSV: one row for each metric, for the whole selection and for each service."""

import csv
import io

from bot.reporting.formats.csv import cell
from bot.reporting.page import Page

HEADS = ("from", "to", "tz", "as_of", "stage", "service", "team", "metric", "value", "before")


def render(page: Page) -> str:
    """Header line and rows; a figure that is not known is empty, never 0."""
    now, before = page.report.to_json(), page.before.to_json()
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADS)
    window = page.report.window
    place = (window.first, window.end, window.zone.key, now["as_of"], page.report.stage)
    older = dict(_flat(before))
    for metric, value in _flat(now):
        writer.writerow(cell(part) for part in (*place, page.report.service, page.report.team, metric, value, older.get(metric)))
    services, services_before = now["by_service"], before["by_service"]
    if isinstance(services, dict) and isinstance(services_before, dict):
        for service, row in services.items():
            for metric, value in row.items():
                earlier = services_before.get(service, {}).get(metric)
                writer.writerow(cell(part) for part in (*place, service, page.report.team, metric, value, earlier))
    return out.getvalue()


def _flat(found: dict[str, object]) -> list[tuple[str, object]]:
    """The single figures of a report, nested ones with a dotted name; lists by their length."""
    flat: list[tuple[str, object]] = []
    for name, value in found.items():
        if name in ("definitions", "stage", "service", "team", "window", "as_of", "weekly", "daily", "by_service"):
            continue
        if isinstance(value, dict):
            flat += [(f"{name}.{part}", inner) for part, inner in value.items()]
        else:
            flat.append((name, len(value) if isinstance(value, list) else value))
    return flat
