"""The weekly or monthly message for a team: header, headline, one line per metric, open failures, what was restated, a link.

Plain text that Slack, mail and a terminal show alike. Its key (team, window) is the same for every attempt to send it.
"""

from collections.abc import Sequence

from bot.reporting.cards import Trend, cards_of, headline
from bot.reporting.formats._rows import open_failures, title
from bot.reporting.page import Page
from bot.reporting.words import span

_SIGNS = {Trend.BETTER: "▲", Trend.WORSE: "▼", Trend.NOISE: "●", Trend.UNKNOWN: "–"}
_SHOWN = 5


def digest_key(page: Page) -> str:
    """Under this key one message is sent once, however often it is tried."""
    report = page.report
    return f"digest:{report.team or report.service or '*'}:{report.stage}:{report.window.first}:{report.window.end}"


def digest(page: Page, *, link: str = "", restated: Sequence[str] = ()) -> str:
    """The message. `link` leads to the page, `restated` tells earlier figures that late events changed."""
    report = page.report
    last_day = report.days[-1] if report.days else report.window.first
    lines = [f"{title(page)}, {report.window.first} to {last_day} ({report.window.zone.key})", headline(cards_of(page)), ""]
    for card in cards_of(page):
        change = f", {card.change}" if card.change and card.trend is not Trend.NOISE else ""
        lines.append(f"{_SIGNS[card.trend]} {card.name}: {card.value} (before: {card.before}{change}; {card.sample})")
    found = open_failures(report)
    if found:
        lines += ["", f"Open failures: {len(found)}"]
        lines += [f"• {service} {version} ({deploy}), open for {age}: {why}" for deploy, service, version, age, why in found[:_SHOWN]]
        if len(found) > _SHOWN:
            lines.append(f"… and {len(found) - _SHOWN} more")
    if page.blocked:
        lines += ["", f"Promotions that wait now: {len(page.blocked)}"]
        lines += [f"• {row.service} {row.version} into {row.stage}, for {span(row.age_s)}: {row.reason}" for row in page.blocked[:_SHOWN]]
    if restated:
        lines += ["", "Restated since the last report:", *(f"• {line}" for line in restated)]
    if page.quality:
        lines += ["", "Data quality: " + "; ".join(f"{row.count} {row.sentence}" for row in page.quality[:_SHOWN])]
    return "\n".join([*lines, *(["", link] if link else [])])
