"""The alarms of docs/operations.md in Prometheus' own hands: valid, about metrics that there are; those of replicas fire."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import bot.web.composition
from bot.adapters.store.database import Database
from bot.adapters.store.replicas import Replicas
from bot.reconcile.engine import Timing
from tests.contract.store.test_silent_replicas import stand_still, told
from tests.support.web import WebWorld, web_world

ROOT = Path(__file__).parents[2]
PROMTOOL = shutil.which("promtool")
pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="promtool (from Prometheus) is not installed")
TABLE = (ROOT / "docs/operations.md").read_text().partition("Worth an alarm:")[2].partition("\n\n[")[0]
ALARMS = [(row.group(1), row.group(2)) for row in re.finditer(r"(?m)^\| `(.+?)`.*? \| (.+) \|$", TABLE)]
NOT_REPLACED, SILENT = "a replica died and was not replaced", "a replica's heart stands still, and no other one takes its work over"


def promtool(*arguments: str) -> str:
    done = subprocess.run([str(PROMTOOL), *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def rules(tmp_path: Path) -> Path:
    written = [{"alert": f"a{place}", "expr": expression} for place, (expression, _) in enumerate(ALARMS)]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "operations", "rules": written}]}))
    return file


def fires(tmp_path: Path, what: str, scraped: dict[str, float]) -> bool:
    """Whether the alarm of that meaning fires over what was scraped, for ten minutes."""
    [place] = [place for place, (_, meaning) in enumerate(ALARMS) if meaning == what]
    series = [{"series": f'promotion_bot_replicas{{state="{state}"}}', "values": f"{value:g}x10"} for state, value in scraped.items()]
    case: dict[str, Any] = {"interval": "1m", "input_series": series}
    case["alert_rule_test"] = [{"eval_time": "9m", "alertname": f"a{place}", "exp_alerts": [{"exp_labels": {}}]}]
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(rules(tmp_path))], "evaluation_interval": "1m", "tests": [case]}))
    done = subprocess.run([str(PROMTOOL), "test", "rules", str(file)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0 or "got:[]" in done.stdout + done.stderr, done.stdout + done.stderr
    return done.returncode == 0


def test_every_alarm_is_valid_and_about_a_metric_that_there_is(tmp_path: Path) -> None:
    assert f"SUCCESS: {len(ALARMS)} rules found" in promtool("check", "rules", str(rules(tmp_path)))
    assert len(ALARMS) >= 9
    code = "".join(file.read_text() for file in Path(str(bot.web.composition.__file__)).parents[1].rglob("*.py"))
    for expression, _ in ALARMS:
        [name] = set(re.findall(r"promotion_bot_\w+", expression))
        assert f'"{name}"' in code, name


def test_replicas_that_die_are_told_of(database: Database, tmp_path: Path) -> None:
    with web_world(database) as world:
        replicas = Replicas(database)
        for name in ("one", "two"):
            replicas.register(name)
        assert both(tmp_path, world) == (False, False)
        stand_still(database, "two", Timing().dead_after.total_seconds() + 1)
        assert both(tmp_path, world) == (True, True)
        assert replicas.claim_dead("one", dead_after=Timing().dead_after) == ["two"]
        replicas.finish("two")
        assert both(tmp_path, world) == (True, False), "its work goes on, but nobody has come in its place"
        replicas.register("three")
        assert both(tmp_path, world) == (False, False)


def both(tmp_path: Path, world: WebWorld) -> tuple[bool, bool]:
    scraped = told(world)
    return fires(tmp_path, NOT_REPLACED, scraped), fires(tmp_path, SILENT, scraped)


def test_no_replica_at_all_is_told_of(tmp_path: Path) -> None:
    assert fires(tmp_path, "no replica answers", {})
