"""Every layout of the report over one history: what stands in it, what is escaped, and that totals and rows agree."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.domain.history_file import read_history
from bot.domain.statistics import counts_differ, rates_differ, samples_differ
from bot.reporting.cards import Trend, cards_of, headline
from bot.reporting.digest import digest, digest_key
from bot.reporting.dwell import funnel, stage_order, steps
from bot.reporting.explain import METRICS, explain
from bot.reporting.exposition import exposition, totals, windowed
from bot.reporting.formats import find_formats
from bot.reporting.lineage import trace
from bot.reporting.page import Page, build_page
from bot.reporting.restated import restated
from bot.reporting.words import points, relative, span
from tests.support.deliveries import deploy, failure, recovery, report, window

NASTY = '=1+1|<script>alert("x")</script>@all'
EVENTS = [
    deploy("d1", "3 09:00", "v1", baseline=True, commits={"a": "3 08:00"}),
    deploy("d2", "4 09:00", "v2", commits={"b": "4 08:00", "late": "4 09:30"}),
    failure("f1", "4 10:00", "d2"),
    recovery("f1", "4 11:00"),
    deploy("d3", "5 09:00", "v3", kind="hotfix", commits={"c": "4 09:00"}),
    deploy("d4", "5 10:00", "v2", kind="rollback"),
    deploy("d5", "6 09:00", "v2"),
    deploy(NASTY, "7 09:00", "v4", service=NASTY, status="failed"),
    failure("f2", "7 10:00", None, service="api", stage="prod"),
    deploy("e2", "3 09:00", "v2", stage="dev"),
]
ROOT = Path(__file__).parents[3]


def page(events: list[dict[str, Any]] = EVENTS, **more: Any) -> Page:
    history = read_history(json.dumps({"events": events}))
    return build_page(history, window=window(), as_of=datetime(2025, 3, 10, tzinfo=UTC), stage="prod", **more)


@pytest.mark.parametrize("name", sorted(find_formats()))
@pytest.mark.parametrize("events", [EVENTS, []], ids=["some", "none"])
def test_every_format_renders_and_ends_with_a_newline(name: str, events: list[dict[str, Any]]) -> None:
    rendered = find_formats()[name](page(events))
    assert rendered.endswith("\n")
    assert rendered == find_formats()[name](page(events[::-1]))


def test_the_formats_that_were_promised_are_there() -> None:
    assert {"json", "markdown", "csv", "html", "table"} <= set(find_formats())


class Tags(HTMLParser):
    """Collects tags and outside references."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.outside += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.outside += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_stands_alone_is_well_formed_and_escapes_everything() -> None:
    text = find_formats()["html"](page())
    tags = Tags()
    tags.feed(text)
    assert (tags.open, tags.scripts, tags.outside) == ([], 1, [])
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
    assert "@media print" in text


def test_markdown_tells_names_literally() -> None:
    text = find_formats()["markdown"](page())
    assert "<script>" not in text
    assert "@all" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ") and "alert" in line]
    assert rows
    assert all(len(re.findall(r"(?<!\\)\|", row)) in (6, 7) for row in rows)


def test_csv_has_one_row_for_each_rollout_and_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(find_formats()["csv"](page()))))
    assert [row["role"] for row in rows] == ["deployment", "deployment", "deployment", "rollback", "redeploy", "failed attempt"]
    assert not [cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "@")]
    assert sum(row["role"] == "deployment" for row in rows) == len(page().report.deployments)
    assert [row["recovery_s"] for row in rows if row["id"] == "d2"] == ["7200.0"]


def test_metrics_as_csv_leave_unknown_figures_empty() -> None:
    rows = {row["metric"]: row for row in csv.DictReader(io.StringIO(find_formats()["csv-metrics"](page([])))) if not row["service"]}
    assert (rows["change_fail_rate"]["value"], rows["deployments"]["value"]) == ("", "0")


def test_tiers_are_off_unless_asked_for() -> None:
    for name in ("table", "markdown", "html"):
        assert "2023" not in find_formats()[name](page())
        assert "2023" in find_formats()[name](page(tiers="2023"))
    assert "tiers_2023" in json.loads(find_formats()["json"](page(tiers="2023")))


def test_explanations_count_the_rows_of_the_figures() -> None:
    found = report(EVENTS)
    told = {name: explain(found, name) for name in METRICS}
    assert len(told["deployment_frequency"].counted) == len(found.deployments)
    assert [row["why"] for row in told["deployment_frequency"].left_out] == [
        "v2 was live already", "a rollback; it has its own count", "the rollout failed",
    ]  # fmt: skip
    assert len(told["change_lead_time"].counted) == len(found.lead_times)
    assert {row["commit"]: row["why"] for row in told["change_lead_time"].left_out} == {
        "late": "younger than its deployment by 30m: a clock was wrong", "a": "came with the stage's first sight (baseline)",
    }  # fmt: skip
    assert [row["deploy"] for row in told["change_fail_rate"].counted if row["failed"] == "yes"] == ["d2", "d3", NASTY]
    assert [row["failure"] for row in told["change_fail_rate"].left_out if "failure" in row] == ["f2"]
    assert [row["recovered_by"] for row in told["recovery_time"].counted] == ["f1", "d4"]
    assert len(told["rework_rate"].counted) == 2
    assert [row["deploy"] for row in told["open_failures"].counted] == [NASTY]


def test_data_quality_names_every_doubt() -> None:
    events = [*EVENTS, EVENTS[0], failure("f9", "4 10:00", "ghost"), recovery("nobody", "4 10:00"), failure("f8", "6 10:00", "d5")]
    events += [deploy("d9", "8 09:00", "v9", fixes=["ghost"]), deploy("d10", "2025-03-11T00:00:00Z", "v10")]
    counts = {row.code: row.count for row in page(events).quality}
    assert counts == {
        "lead_time_invalid": 1, "unlinked_incidents": 2, "unknown_deploy": 1, "failure_of_no_change": 1, "unknown_failure": 1,
        "lost_links": 1, "without_commits": 1, "baselines": 1, "later_events": 1, "doubled_events": 1,
    }  # fmt: skip


def test_noise_is_named_as_noise_and_what_clears_it_is_told() -> None:
    few = [deploy(f"a{n}", f"{3 + n} 09:00", f"a{n}") for n in range(3)]
    assert headline(cards_of(page(few))).startswith("Nothing changed beyond noise")
    before = [deploy(f"b{n}", f"2025-02-{24 + n % 5:02d}T{n:02d}:00:00Z", f"b{n}") for n in range(4)]
    many = [*before, *(deploy(f"c{n}", f"{3 + n % 7} {n % 24:02d}:{n // 24:02d}", f"c{n}") for n in range(40))]
    card = cards_of(page(many))[0]
    assert (card.trend, card.change) == (Trend.BETTER, "+900 %")
    assert "Deployment frequency 0.57 a day → 5.71 a day (better" in headline(cards_of(page(many)))
    assert headline(cards_of(page([]))) == "Nothing changed beyond noise."


def test_differences_that_chance_explains() -> None:
    assert (counts_differ(4, 5), counts_differ(1, 8), counts_differ(2, 20)) == (False, False, True)
    assert (rates_differ(1, 10, 3, 10), rates_differ(1, 100, 30, 100), rates_differ(0, 0, 1, 2)) == (False, True, False)
    assert samples_differ([1, 2, 3, 4, 5], [11, 12, 13, 14, 15])
    assert not samples_differ([1, 5, 3, 9, 5], [2, 5, 4, 8, 5])
    assert not samples_differ([1.0] * 9, [1.0] * 9)
    assert not samples_differ([1, 2, 3, 4], [11, 12, 13, 14])


def test_the_digest_is_text_with_one_key() -> None:
    found = page(service="api")
    text = digest(found, link="https://bot.acme.io/reports/1", restated=("x",))
    assert text.splitlines()[0] == "Delivery of api to prod, 2025-03-03 to 2025-03-09 (UTC)"
    assert "Open failures: 1" in digest(page())
    assert "Restated since the last report:\n• x" in text
    assert text.endswith("https://bot.acme.io/reports/1")
    assert digest_key(found) == "digest:api:prod:2025-03-03:2025-03-10"


def test_late_failures_restate_earlier_windows() -> None:
    then = report(EVENTS, as_of="4 09:30", end="2025-03-05")
    now = report(EVENTS, end="2025-03-05")
    assert "change fail rate of 2025-03-03 to 2025-03-05: 0 % → 50 %" in restated(then, now)
    with pytest.raises(ValueError, match="same window"):
        restated(then, report(EVENTS))


def test_prometheus_samples_are_readable_and_absent_where_unknown() -> None:
    history = read_history(json.dumps({"events": EVENTS}))
    lineage = trace(history.events, stage="prod", as_of=datetime(2025, 3, 10, tzinfo=UTC))
    text = exposition(iter([*totals(lineage), *windowed(report(EVENTS), "7d")]))
    families = {family.name: family for family in text_string_to_metric_families(text)}
    rollouts = {
        sample.labels["kind"]: sample.value for sample in families["promotion_bot_rollouts"].samples if sample.labels["service"] == "api"
    }
    assert rollouts == {"promotion": 2, "hotfix": 1, "rollback": 1, "redeploy": 1}
    buckets = {s.labels.get("le"): s.value for s in families["promotion_bot_lead_time_seconds"].samples if s.name.endswith("_bucket")}
    assert (buckets["3600"], buckets["86400"], buckets["+Inf"]) == (1, 2, 2)
    assert families["promotion_bot_dora_change_fail_ratio"].samples[0].value == 0.75
    empty = exposition(windowed(report([]), "7d"))
    assert "promotion_bot_dora_change_fail_ratio" not in empty
    assert 'promotion_bot_dora_sample_size{metric="change_fail_ratio",stage="prod",window="7d"} 0' in empty


def test_dashboard_and_alerts_ask_for_metrics_that_exist() -> None:
    history = read_history(json.dumps({"events": EVENTS}))
    lineage = trace(history.events, stage="prod", as_of=datetime(2025, 3, 10, tzinfo=UTC))
    known = set(re.findall(r"promotion_bot_\w+", exposition(iter([*totals(lineage), *windowed(report(EVENTS), "7d")]))))
    dashboard = json.loads((ROOT / "deploy/grafana/delivery.json").read_text())
    rules = yaml.safe_load((ROOT / "deploy/prometheus/delivery-alerts.yaml").read_text())
    asked = json.dumps([dashboard, rules])
    assert set(re.findall(r"promotion_bot_\w+", asked)) <= known
    assert all(rule["annotations"]["action"] for group in rules["groups"] for rule in group["rules"])


def test_the_way_through_the_stages() -> None:
    events = read_history(json.dumps({"events": EVENTS})).events
    asked = {"window": window(), "as_of": datetime(2025, 3, 10, tzinfo=UTC)}
    (step,) = steps(events, ("dev", "prod"), **asked)
    assert (step.seconds, step.negative) == ((86400.0,), 0)
    assert funnel(events, ("dev", "prod"), **asked) == (("dev", 1), ("prod", 1))
    assert stage_order(events, asked["as_of"])[-1] == "prod"


def test_words() -> None:
    assert [span(value) for value in (None, 0, 59, 60, 3599, 3600, 86399, 187200, -90)] == [
        "no data", "0s", "59s", "1m", "1h", "1h", "1d", "2d 4h", "-1m 30s",
    ]  # fmt: skip
    assert (relative(5, 4), relative(5, 0), relative(None, 4), relative(4, 4)) == ("+25 %", "", "", "±0 %")
    assert (points(0.1, 0.132), points(None, 0.1)) == ("-3.2 points", "")


def test_windows_before_are_as_long() -> None:
    before = window("2025-03-31", "2025-04-07", "Europe/Berlin").before()
    assert (before.first, before.end, before.zone) == (date(2025, 3, 24), date(2025, 3, 31), ZoneInfo("Europe/Berlin"))
