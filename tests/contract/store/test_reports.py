"""Scheduled reports and /metrics over a real database: due by the calendar, once per team and period, restated, written to files."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.store.database import Database
from bot.adapters.store.delivery import StoredDelivery
from bot.adapters.store.history import StoredHistory
from bot.adapters.store.outbox import StoredOutbox
from bot.collectors.reports import send_due
from bot.config.schema import Config
from bot.domain.action import SaveDeployment
from bot.domain.errors import UserError
from bot.domain.incident import Incident
from bot.reporting.schedule import due
from bot.web.delivery_metrics import DeliveryMetrics
from tests.support.builders import promotion

MONDAY = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def config(**reports: object) -> Config:
    stages = {"dev": {"repository": "acme/env-dev"}, "qa": {"repository": "acme/env-qa", "after": "dev"}}
    services = {"payments": {"images": ["ghcr.io/acme/payments"], "team": "blue"}}
    top = {"version": 1, "pipeline": {"stages": stages}, "services": services, "teams": {"blue": {}}}
    return Config.model_validate(top | {"reports": {"periods": ["weekly"], "zone": "Europe/Berlin", **reports}})


@dataclass
class Board:
    """Issues that are only remembered."""

    opened: list[tuple[str, str, str, str]] = field(default_factory=list)
    refusal: UserError | None = None

    def open_issue(self, repository: str, *, title: str, body: str, mark: str) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.opened.append((repository, title, body, mark))
        return f"https://github.example/{repository}/issues/{len(self.opened)}"


@pytest.fixture
def delivery(database: Database) -> StoredDelivery:
    for day in (3, 10):
        at = datetime(2026, 11, day, 12, tzinfo=UTC)
        row = SaveDeployment(
            promotion=promotion(id=f"p{day}"), service="payments", at=at, status="success", kind="promotion", version=f"0=1.{day}"
        )
        StoredHistory(database).save_deployment(row)
    return StoredDelivery(database)


@pytest.mark.parametrize(
    ("now", "windows"),
    [
        (MONDAY - timedelta(seconds=1), []),
        (MONDAY, [("weekly", "2026-11-09", "2026-11-16")]),
        (MONDAY + timedelta(days=2), []),
        (datetime(2026, 12, 1, 8, tzinfo=UTC), [("weekly", "2026-11-23", "2026-11-30"), ("monthly", "2026-11-01", "2026-12-01")]),
        (datetime(2026, 3, 30, 7, tzinfo=UTC), [("weekly", "2026-03-23", "2026-03-30")]),
    ],
)
def test_a_report_is_due_at_nine_in_its_own_zone_and_for_two_days(now: datetime, windows: list[tuple[str, str, str]]) -> None:
    found = due(config(periods=["weekly", "monthly"]), now)
    assert [(one.period, str(one.window.first), str(one.window.end)) for one in found] == windows
    assert {one.team for one in found} <= {"blue"}


def test_a_report_is_made_once_told_in_the_chat_and_written_to_files(database: Database, delivery: StoredDelivery, tmp_path: Path) -> None:
    outbox, rules = StoredOutbox(database), config(folder=str(tmp_path / "reports"))
    instants = iter([MONDAY, MONDAY + HOUR, MONDAY + 2 * HOUR])
    assert [send_due(rules, delivery, outbox, lambda: next(instants), Board()) for _ in range(3)] == [1, 0, 0]
    (told,) = outbox.due(now=MONDAY + HOUR)
    assert (told.service, told.stage) == ("payments", "qa")
    assert "1 deployments in 7 days" in told.text
    files = {path.suffix: path.read_text() for path in (tmp_path / "reports").iterdir()}
    assert set(files) == {".md", ".html"}
    assert "team blue" in files[".md"]


def test_what_late_events_changed_since_the_last_report_is_told(database: Database, delivery: StoredDelivery) -> None:
    outbox = StoredOutbox(database)
    send_due(config(), delivery, outbox, lambda: MONDAY - timedelta(days=7), Board())
    late = Incident(
        id="api:1", source="api", at=MONDAY - timedelta(days=6), stage="qa", service="payments", deploy="p3:payments:promotion:success"
    )
    delivery.save_incident(late)
    send_due(config(), delivery, outbox, lambda: MONDAY, Board())
    texts = [message.text for message in outbox.due(now=MONDAY + HOUR)]
    assert len(texts) == 2
    assert "Restated since the last report:\n• change fail rate of 2026-11-02 to 2026-11-09: 0 % → 100 %" in texts[-1]


def test_metrics_show_windowed_gauges_with_sample_sizes_and_no_series_twice(delivery: StoredDelivery) -> None:
    text = DeliveryMetrics(config(), delivery, lambda: MONDAY).text()
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    values = {name: float(value) for name, _, value in lines}
    assert len(values) == len(lines)
    assert values['promotion_bot_dora_deployments_per_day{stage="qa",window="7d"}'] == pytest.approx(1 / 7, abs=1e-6)
    assert values['promotion_bot_dora_sample_size{metric="deployments_per_day",stage="qa",window="28d"}'] == 2
    assert values['promotion_bot_dora_sample_size{metric="lead_time_median_seconds",stage="qa",window="28d"}'] == 0
    assert 'promotion_bot_dora_lead_time_median_seconds{stage="qa",window="28d"}' not in values


def test_a_report_becomes_an_issue_to_which_the_message_leads(database: Database, delivery: StoredDelivery) -> None:
    outbox, board = StoredOutbox(database), Board()
    assert send_due(config(issues="acme/reports"), delivery, outbox, lambda: MONDAY, board) == 1
    ((repository, title, body, mark),) = board.opened
    assert (repository, mark) == ("acme/reports", "report:weekly:blue:qa:2026-11-09")
    assert "2026-11-09 to 2026-11-15" in title
    assert "| Metric | Value |" in body
    (told,) = outbox.due(now=MONDAY + HOUR)
    assert told.text.endswith("https://github.example/acme/reports/issues/1")


def test_an_issue_that_is_forbidden_keeps_no_report_from_the_chat(database: Database, delivery: StoredDelivery) -> None:
    outbox, board = StoredOutbox(database), Board(refusal=UserError("Issues are switched off.", fix="switch them on"))
    assert send_due(config(issues="acme/reports"), delivery, outbox, lambda: MONDAY, board) == 1
    (told,) = outbox.due(now=MONDAY + HOUR)
    assert "could not be written as an issue of acme/reports: Issues are switched off." in told.text
