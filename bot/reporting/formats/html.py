"""The report as one self-contained HTML page: no outside file, inline charts, a print style for PDF, tables that sort.

Lays the page out; everything on it is counted elsewhere. Every text from the history is escaped.
"""

from collections.abc import Iterable, Sequence
from html import escape

from bot.reporting.cards import Card, Trend, cards_of, headline
from bot.reporting.charts import bars, lines, sparkline, stacked_bars
from bot.reporting.charts_time import heat_map, spans
from bot.reporting.dora import age
from bot.reporting.dwell import funnel, stage_order, steps
from bot.reporting.explain import METRICS, explain
from bot.reporting.formats._rows import BLOCKED_HEADS, PHASE_HEADS, blocked, facts, open_failures, phases, recovered, services, title
from bot.reporting.formats._style import SORT, STYLE
from bot.reporting.hours import WEEKDAYS, Span, by_weekday_and_hour, failure_spans
from bot.reporting.page import Page
from bot.reporting.weekly import weekly
from bot.reporting.words import number, span

_SHOWN_ROWS = 500
_SHOWN_SPANS = 50
_SIGNS = {Trend.BETTER: "▲ better", Trend.WORSE: "▼ worse", Trend.NOISE: "● noise", Trend.UNKNOWN: "– no comparison"}


def render(page: Page) -> str:
    """The page as a document in UTF-8."""
    cards = cards_of(page)
    body = [
        f"<h1>{escape(title(page))}</h1>",
        "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts(page)) + "</dl>",
        f'<p class="headline">{escape(headline(cards))}</p>',
        '<div class="cards">' + "".join(_card(page, card) for card in cards) + "</div>",
        "<h2>Open failures</h2>",
        _table(("Deploy", "Service", "Version", "Age", "Why"), open_failures(page.report)) if page.report.open_failures else "<p>None.</p>",
        *_waiting(page),
        *_charts(page),
        *_times(page),
        "<h2>Services</h2>",
        _table(("Service", "Deployments", "Failed changes", "Fail rate", "Lead time", "Change"), services(page)),
        *_drill_down(page),
        "<h2>Data quality</h2>",
        _quality(page),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title(page))}</title>'
    top = f'<!doctype html>\n<html lang="en"><head>{head}<style>{STYLE}</style></head>\n<body>\n'
    return top + "\n".join(body) + f"\n<script>{SORT}</script></body></html>\n"


def _card(page: Page, card: Card) -> str:
    place = page.standings().get(card.metric)
    extra = [card.sample, card.interval and f"90 % interval {card.interval}", f"before: {card.before}"]
    if place:
        extra.append(f"better than {place.better_than_pct:g} % of the 2025 respondents")
        if page.tiers and place.tier:
            extra.append(f"{page.tiers} tier: {place.tier}")
    if card.metric == "recovery_s":
        extra.append(recovered(page.report))
    told = f"{card.name}, last {len(card.spark)} weeks: {', '.join(number(value) for value in card.spark)}"
    return (
        f'<section class="card {card.trend.value}"><h3>{escape(card.name)}</h3><p class="value">{escape(card.value)}</p>'
        f"<p>{escape(card.change)} {_SIGNS[card.trend]}</p>{sparkline(card.spark, told)}"
        + "".join(f"<p>{escape(line)}</p>" for line in extra if line)
        + "</section>"
    )


def _charts(page: Page) -> Iterable[str]:
    found = weekly(page)
    yield "<h2>Rollouts each week, by outcome</h2>"
    yield stacked_bars(found.names, found.rollouts, "rollouts each week by outcome")
    yield "<h2>Change lead time each week</h2>"
    yield lines(found.names, found.lead_times, "lead time each week, median and 90th percentile, in days")
    window, as_of = page.report.window, page.report.as_of
    path = page.stages if page.stages is not None else stage_order(page.rollouts, as_of)
    if len(path) > 1:
        yield "<h2>Where time goes between stages (median)</h2>"
        rows = [
            (f"{step.origin} → {step.target}", step.median, f"{span(step.median)}, p90 {span(step.p90)}, n {len(step.seconds)}")
            for step in steps(page.rollouts, path, window, as_of)
        ]
        yield bars(rows, "waiting time between stages")
        yield "<h2>How far versions came</h2>"
        reached = funnel(page.rollouts, path, window, as_of)
        yield bars([(stage, float(count), str(count)) for stage, count in reached], "versions that reached each stage")


def _times(page: Page) -> Iterable[str]:
    """When it happened: nothing is drawn where nothing happened."""
    report = page.report
    found = by_weekday_and_hour(report)
    if any(map(any, found)):
        zone = report.window.zone.key
        yield f"<h2>Rollouts by weekday and hour ({escape(zone)})</h2>"
        rows = list(zip(WEEKDAYS, found, strict=True))
        yield heat_map(rows, [f"{hour:02d}" for hour in range(24)], f"rollouts by weekday and hour, {zone}")
    failed = failure_spans(report)[-_SHOWN_SPANS:]
    if failed:
        begin, until = report.window.starts_at, max(min(report.window.ends_at, report.as_of), failed[-1].begin)
        whole = (until - begin).total_seconds() or 1
        drawn = [
            (
                f"{one.change.first.service} {one.change.first.version}"[:30],
                (one.begin - begin).total_seconds() / whole,
                None if one.end is None else (one.end - begin).total_seconds() / whole,
                _lasted(one, page),
            )
            for one in failed
        ]
        yield "<h2>Failures and their recovery</h2>"
        yield spans(drawn, "failed changes: " + "; ".join(told for *_, told in drawn))


def _lasted(one: Span, page: Page) -> str:
    if one.end is None:
        return f"{one.change.first.id}: open for {span(age(one.change, page.report.as_of))}"
    return f"{one.change.first.id}: recovered after {span(one.change.recovery_s)}"


def _waiting(page: Page) -> Iterable[str]:
    if page.restated:
        yield "<h2>Restated since the last report</h2><ul>" + "".join(f"<li>{escape(line)}</li>" for line in page.restated) + "</ul>"
    if page.blocked:
        yield "<h2>Promotions that wait now</h2>" + _table(BLOCKED_HEADS, blocked(page))
    if page.phases:
        yield "<h2>Where promotions waited (median)</h2>"
        yield bars(
            [(f"{row.stage}: {row.name}", row.median, f"{span(row.median)}, n {len(row.seconds)}") for row in page.phases], "waiting"
        )
        yield _table(PHASE_HEADS, phases(page))


def _drill_down(page: Page) -> Iterable[str]:
    yield "<h2>The rows behind each number</h2>"
    for metric in METRICS:
        found = explain(page.report, metric)
        yield f"<details><summary>{escape(metric.replace('_', ' '))}: {escape(found.value)}</summary><p>{escape(found.rule)}</p>"
        yield "<ul>" + "".join(f"<li>{escape(step)}</li>" for step in found.steps) + "</ul>"
        for name, rows in (("counted", found.counted), ("left out", found.left_out)):
            if rows:
                heads = list(dict.fromkeys(head for row in rows for head in row))
                shown = [["" if row.get(head) is None else str(row[head]) for head in heads] for row in rows[:_SHOWN_ROWS]]
                more = f" (the first {_SHOWN_ROWS} of {len(rows)})" if len(rows) > _SHOWN_ROWS else f" ({len(rows)})"
                yield f"<h4>{name}{more}</h4>" + _table(heads, shown)
        yield "</details>"


def _quality(page: Page) -> str:
    if not page.quality:
        return "<p>Nothing to report.</p>"
    return _table(("Rows", "What", "Which"), [(str(row.count), row.sentence, ", ".join(row.names)) for row in page.quality])


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(head.replace('_', ' '))}</th>" for head in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
