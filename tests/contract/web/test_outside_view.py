"""What the server shows of itself: counted refusals, links that do not follow the request's host, a late event loop."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from bot.adapters.store.database import Database
from bot.adapters.store.history import StoredHistory
from bot.domain.promotion import PromotionState
from bot.domain.verdict import Outcome, Verdict
from bot.web import metrics
from bot.web.github_hook import PATH
from bot.web.health import loop_watch
from tests.support.builders import NOW, promotion
from tests.support.web import WebWorld, web_world

ROOT = Path(__file__).parents[3]
LIES = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "javascript", "forwarded": "host=evil.example"}


@pytest.fixture
def world(database: Database) -> Iterator[WebWorld]:
    with web_world(database) as found:
        yield found


def refused(world: WebWorld) -> float:
    lines = world.http.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("promotion_bot_webhook_rejected_total{"))


@pytest.mark.parametrize(
    ("payload", "headers", "status"),
    [
        (None, {"x-hub-signature-256": "sha256=" + "0" * 64}, 401),
        (None, {"x-hub-signature-256": ""}, 401),
        (b"{", {}, 400),
        (None, {"content-encoding": "gzip"}, 415),
        (None, {"x-github-delivery": ""}, 400),
    ],
)
def test_every_refusal_is_counted_once(world: WebWorld, payload: bytes | None, headers: dict[str, str], status: int) -> None:
    before = refused(world)
    assert world.send(payload=payload, headers=headers).status_code == status
    assert refused(world) == before + 1


@pytest.mark.parametrize("path", ["/healthz", "/healthz/", "/metrics/", "/api/openapi.json", f"{PATH}/", "/nowhere", "//evil.example/"])
def test_no_answer_repeats_the_host_that_a_request_names(world: WebWorld, path: str) -> None:
    answer = world.http.get(f"{world.url}{path}", headers=LIES)
    assert "evil.example" not in answer.text.replace("//evil.example/", "")
    assert "location" not in answer.headers


def test_a_blocked_event_loop_is_measured_told_and_seen_for_a_minute() -> None:
    async def blocked() -> list[float]:
        seen = []
        async with loop_watch(0.05):
            await asyncio.sleep(0.2)
            seen.append(metrics.LOOP_LAG._value.get())
            time.sleep(1.3)  # noqa: ASYNC251 - this is the fault
            await asyncio.sleep(0.3)
            seen.append(metrics.LOOP_LAG._value.get())
        return seen

    with structlog.testing.capture_logs() as told:
        calm, late = asyncio.run(blocked())
    assert calm < 1.0
    assert 1.0 < late < 5.0
    [line] = [one for one in told if one["event"] == "web.loop_blocked"]
    assert (line["log_level"], line["seconds"] > 1.0) == ("warning", True)


def test_gates_are_told_alike_by_every_process_and_no_longer_than_they_say_so(world: WebWorld) -> None:
    """Whichever replica judged them: each reads what was recorded last of the promotions that are open now."""
    history = StoredHistory(world.database)

    def says(outcome: Outcome) -> Verdict:
        return Verdict(gate="soak", outcome=outcome, sentence="x", changer="time")

    def told(outcome: str) -> str:
        name = f'promotion_bot_gates{{gate="soak",outcome="{outcome}",stage="qa"}}'
        return next((line.rpartition(" ")[2] for line in world.http.get("/metrics").text.splitlines() if line.startswith(name)), "")

    one = history.save_promotion(promotion(), why="opened", actor="promotion-bot", now=NOW)
    history.save_verdicts(one, [says(Outcome.PENDING)], now=NOW)
    history.save_verdicts(one, [says(Outcome.UNKNOWN)], now=NOW)
    assert (told("unknown"), told("pending") in ("", "0.0")) == ("1.0", True)
    history.save_promotion(replace(one, state=PromotionState.CLOSED, ended_at=NOW), why="closed", actor="ana", now=NOW)
    assert told("unknown") == "0.0"


def test_leaving_the_merge_queue_only_says_look_again(world: WebWorld) -> None:
    where = {"repository": {"id": 17, "full_name": "acme/env-qa"}, "sender": {"id": 5, "login": "github-merge-queue[bot]"}}
    told = {"action": "dequeued", "reason": "CI_FAILURE", "pull_request": {"number": 7, "state": "open", "base": {"ref": "main"}}}
    assert world.send("pull_request", {**told, **where}).json() == {"status": "accepted"}
    history = StoredHistory(world.database)
    assert set(history.stale_pulls("acme/env-qa")) == {7}
    assert list(history.promotions("qa")) == []


def test_without_a_secret_serve_ends_with_2_and_says_how_to_set_one(tmp_path: Path) -> None:
    config = tmp_path / "bot.yaml"
    config.write_text("version: 1\npipeline:\n  stages:\n    dev: {repository: acme/env-dev}\n")
    given = {name: value for name, value in os.environ.items() if not name.startswith("PROMOTION_BOT_")}
    done = subprocess.run(
        [sys.executable, "-c", "from bot.cli.main import main; main()", "serve", "--config", str(config)],
        env=given | {"PROMOTION_BOT_STATE_DIR": str(tmp_path / "state"), "PROMOTION_BOT_GITHUB_TOKEN": "t" * 20, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    told = done.stderr.splitlines()
    assert done.returncode == 2, done.stderr
    assert [line.partition(":")[0] for line in told[-3:]] == ["error", "why", "fix"]
    assert "PROMOTION_BOT_GITHUB_WEBHOOK_SECRETS" in done.stderr
