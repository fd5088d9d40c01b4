"""The alert rules and the dashboard in Prometheus' own hands (promtool): they parse, and alerts fire when and only when they should."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.domain.history_file import read_history
from bot.reporting.exposition import exposition, totals, windowed
from bot.reporting.lineage import trace
from tests.support.deliveries import deploy, failure, recovery, report

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/delivery-alerts.yaml"
PROMTOOL = shutil.which("promtool")
pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="promtool (from Prometheus) is not installed")

WINDOW = 'stage="prod",window="28d"'
EVENTS = [
    deploy("d1", "3 09:00", "v1", commits={"a": "3 08:00"}),
    deploy("d2", "4 09:00", "v2", commits={"b": "4 08:00"}),
    failure("f1", "4 10:00", "d2"),
    recovery("f1", "4 11:00"),
    deploy("d3", "5 09:00", "v3", status="failed"),
]


def promtool(*arguments: str, stdin: str = "") -> str:
    done = subprocess.run([str(PROMTOOL), *arguments], input=stdin, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def check_alert(tmp_path: Path, series: dict[str, str], alert: str, at: str, labels: dict[str, str] | None) -> None:
    """One alert over some series: fires with these labels at that time, or (None) does not."""
    rules = yaml.safe_load(RULES.read_text())
    (told,) = [rule for group in rules["groups"] for rule in group["rules"] if rule["alert"] == alert]
    fired = [] if labels is None else [{"exp_labels": labels | told["labels"]}]
    case: dict[str, Any] = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": fired}],
    }
    rule_file = tmp_path / "rules.yaml"
    for group in rules["groups"]:
        group["rules"] = [{**rule, "annotations": {}} for rule in group["rules"]]  # their words are templates, tested by check
    rule_file.write_text(yaml.safe_dump(rules))
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(rule_file)], "evaluation_interval": "1m", "tests": [case]}))
    promtool("test", "rules", str(file))


def test_the_rules_are_valid() -> None:
    assert "SUCCESS: 3 rules found" in promtool("check", "rules", str(RULES))


def test_the_dashboards_queries_are_valid(tmp_path: Path) -> None:
    dashboard = json.loads((ROOT / "deploy/grafana/delivery.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(queries) >= 5
    plain = [re.sub(r"\$\{?__?\w+\}?", "5m", query) if "[$" in query else re.sub(r"\$\{?\w+\}?", "x", query) for query in queries]
    rules = [{"record": f"a{place}", "expr": query} for place, query in enumerate(plain)]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"SUCCESS: {len(queries)} rules found" in promtool("check", "rules", str(file))


def test_what_metrics_show_passes_prometheus_own_check() -> None:
    lineage = trace(read_history(json.dumps({"events": EVENTS})).events, stage="prod", as_of=datetime(2025, 3, 10, tzinfo=UTC))
    promtool("check", "metrics", stdin=exposition(iter([*totals(lineage), *windowed(report(EVENTS), "28d")])))


def test_an_open_failure_fires_after_an_hour_and_five_minutes(tmp_path: Path) -> None:
    name = 'promotion_bot_open_failure_age_seconds{stage="prod",service="api",deploy="d3"}'
    labels = {"stage": "prod", "service": "api", "deploy": "d3"}
    check_alert(tmp_path, {name: "0+60x120"}, "FailedDeploymentOpen", "60m", None)
    check_alert(tmp_path, {name: "0+60x120"}, "FailedDeploymentOpen", "67m", labels)
    check_alert(tmp_path, {}, "FailedDeploymentOpen", "67m", None)


@pytest.mark.parametrize(("rate", "changes", "fires"), [("0.2", "10", True), ("0.2", "9", False), ("0.15", "40", False)])
def test_the_fail_rate_fires_with_ten_changes_or_more(tmp_path: Path, rate: str, changes: str, fires: bool) -> None:
    series = {
        f"promotion_bot_dora_change_fail_ratio{{{WINDOW}}}": f"{rate}x180",
        f'promotion_bot_dora_sample_size{{metric="change_fail_ratio",{WINDOW}}}': f"{changes}x180",
        f'promotion_bot_dora_sample_size{{metric="rework_ratio",{WINDOW}}}': "99x180",
    }
    check_alert(tmp_path, series, "ChangeFailRateHigh", "90m", {"stage": "prod", "window": "28d"} if fires else None)


def test_slow_recovery_of_a_team_is_that_teams(tmp_path: Path) -> None:
    series = {
        f'promotion_bot_dora_recovery_median_seconds{{team="red",{WINDOW}}}': "90000x180",
        f'promotion_bot_dora_recovery_median_seconds{{team="blue",{WINDOW}}}': "90000x180",
        f'promotion_bot_dora_sample_size{{metric="recovery_median_seconds",team="red",{WINDOW}}}': "3x180",
        f'promotion_bot_dora_sample_size{{metric="recovery_median_seconds",team="blue",{WINDOW}}}': "2x180",
    }
    check_alert(tmp_path, series, "RecoverySlow", "90m", {"stage": "prod", "window": "28d", "team": "red"})
