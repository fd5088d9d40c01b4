"""`serve` as a process, seen by what watches it: one scrape with its numbers, and how it leaves when it is told to.

It finds an old delivery that waits for a stage which is no more, and a dead letter; then one webhook comes, and a run of each stage.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import Session

from bot.adapters.store import inbox, migrate
from bot.adapters.store.database import Database
from bot.adapters.store.inbox import Delivery
from tests.faults.world import HOOK_SECRET, World, new_world, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("seen-from-outside"), pytest.mark.timeout(300)]
DRAIN = 6
HOUR = timedelta(hours=1)

FIXED = {
    "promotion_bot_deliveries": {"event": {"push", "other"}, "outcome": {"accepted", "again", "duplicate", "replay", "ignored"}},
    "promotion_bot_inbox_deliveries": {"state": {"received", "done", "dead"}},
    "promotion_bot_inbox_lag_seconds": {},
    "promotion_bot_replicas": {"state": {"alive", "silent", "dead"}},
    "promotion_bot_api_calls": {"kind": {"rest", "graphql", "git"}},
    "promotion_bot_api_budget_remaining": {"resource": {"core", "graphql", "other"}},
    "promotion_bot_runs": {"outcome": {"done", "put off", "refused", "failed"}},
    "promotion_bot_run_seconds": {"le": {"0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "30.0", "60.0", "300.0", "+Inf"}},
    "promotion_bot_stage_failures": {"stage": {"dev", "qa"}},
    "promotion_bot_messages": {"state": {"queued", "sent", "dropped"}},
    "promotion_bot_webhook_secret_used": {"place": {"0"}},
}
"""The values that a label may have."""


def old(session: Session) -> None:
    """A delivery of an hour ago that is not done, and one whose runs failed five times."""
    now = datetime.now(UTC)
    for name, stage in (("waits", "gone"), ("poison", "lost")):
        event = Delivery(source="github", delivery=name, event="push", meaning=name, received_at=now - HOUR)
        inbox.receive_all(session, [(event, [stage])])
    inbox.take(session, "lost", "r")
    for _ in range(inbox.TRIES):
        inbox.failed(session, "lost", "r", "internal error: KeyError", counts=True, now=now)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    found = new_world({})
    database = Database(found.bot.environment["PROMOTION_BOT_DATABASE_URL"])
    migrate.upgrade(database)
    with database.write() as session:
        old(session)
    database.close()
    found.github.set_webhook("http://127.0.0.1:9/", HOOK_SECRET)  # nobody: only this test's own delivery comes
    found.bot.start(PROMOTION_BOT_DRAIN_SECONDS=str(DRAIN))
    try:
        assert wait_until(lambda: found.bot.answers() and get(found, "readyz").status_code == 200, 60), found.bot.log.read_text()
        yield found
    finally:
        found.close()


def get(world: World, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{world.bot.port}/{path}", timeout=10)


def deliver(world: World, delivery: str, event: str = "push") -> httpx.Response:
    """An event of dev's repository, signed as GitHub does."""
    told = {"ref": "refs/heads/main", "repository": {"id": 1, "full_name": world.repository("dev")}, "sender": {"id": 2, "login": "ana"}}
    body = json.dumps({**told, "after": delivery}).encode()
    signature = hmac.new(HOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", "x-github-event": event, "x-github-delivery": delivery}
    url = f"http://127.0.0.1:{world.bot.port}/webhooks/github"
    return httpx.post(url, content=body, headers={**headers, "x-hub-signature-256": f"sha256={signature}"}, timeout=10)


class Scrape:
    """What one scrape said."""

    def __init__(self, text: str) -> None:
        self.families: dict[str, Metric] = {family.name: family for family in text_string_to_metric_families(text)}
        self._samples = {
            (sample.name.removeprefix("promotion_bot_"), *sorted(sample.labels.values())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def value(self, name: str, *labels: str) -> float:
        return self._samples.get((name, *sorted(labels)), -1)


def scrape(world: World) -> Scrape:
    return Scrape(get(world, "metrics").text)


def settled(seen: Scrape) -> bool:
    """The delivery is done, each stage ran, and the forge said what is left."""
    done = seen.value("inbox_deliveries", "done") == 1 and seen.value("runs_total", "done") >= 2
    return done and seen.value("api_calls_total", "git") >= 2 and seen.value("api_budget_remaining", "core") > 0


def test_one_scrape_says_how_much_of_everything(world: World) -> None:
    assert deliver(world, "d1").status_code == 202
    assert deliver(world, "d2", "never_heard_of").status_code == 202
    assert wait_until(lambda: settled(scrape(world)), 60)
    began = len(world.github.ledger.rest), len(world.github.ledger.graphql)
    seen = scrape(world)
    ended = len(world.github.ledger.rest), len(world.github.ledger.graphql)

    assert seen.value("deliveries_total", "push", "accepted") == 1
    assert seen.value("deliveries_total", "other", "ignored") == 1, "events that nobody knows are one label"
    assert seen.value("webhook_secret_used_total", "0") == 2
    assert {state: seen.value("inbox_deliveries", state) for state in ("received", "done", "dead")} == {"received": 1, "done": 1, "dead": 1}
    assert HOUR.total_seconds() <= seen.value("inbox_lag_seconds") < HOUR.total_seconds() + 300
    assert {state: seen.value("replicas", state) for state in ("alive", "silent", "dead")} == {"alive": 1, "silent": 0, "dead": 0}
    assert began[0] - 2 <= seen.value("api_calls_total", "rest") <= ended[0] + 2
    assert began[1] - 2 <= seen.value("api_calls_total", "graphql") <= ended[1] + 2
    assert seen.value("api_calls_total", "git") >= 2, "each stage's repository was fetched"
    assert 5000 - ended[0] <= seen.value("api_budget_remaining", "core") < 5000
    assert seen.value("runs_total", "done") >= 2
    runs = sum(max(0.0, seen.value("runs_total", how)) for how in FIXED["promotion_bot_runs"]["outcome"])
    assert abs(seen.value("run_seconds_count") - runs) <= 2, "at most those that end just now"
    assert 0 < seen.value("run_seconds_sum") < 300
    assert seen.value("stage_failures", "dev") == 0

    for name, labels in FIXED.items():
        samples = [sample for sample in seen.families[name].samples if not sample.name.endswith("_created")]
        assert samples, name
        for sample in samples:
            assert all(value in labels.get(label, ()) for label, value in sample.labels.items()), sample


def test_told_to_stop_it_is_not_ready_while_it_still_takes_webhooks(world: World) -> None:
    assert world.bot.process is not None
    began = time.monotonic()
    world.bot.process.terminate()
    assert wait_until(lambda: get(world, "readyz").status_code == 503, DRAIN / 2), "it was to say so at once"
    assert get(world, "readyz").json() == {"status": "not ready", "reason": "stopping"}
    assert deliver(world, "d3").status_code == 202
    assert get(world, "readyz").status_code == 503
    assert get(world, "healthz").status_code == 200
    assert world.bot.process.wait(60) == 0
    assert time.monotonic() - began >= DRAIN
    database = Database(world.bot.environment["PROMOTION_BOT_DATABASE_URL"])
    with database.read() as session:
        assert {one.delivery: one.state for one in inbox.listing(session)}["d3"] in ("received", "done")
    database.close()
