"""A backfill into the bot's own database: everything of the running bot that shows delivery figures sees it, once, and marked."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.adapters.backfilling import Backfill, Place
from bot.adapters.store.database import Database
from bot.adapters.store.delivery import StoredDelivery
from bot.adapters.store.history import StoredHistory
from bot.adapters.store.migrate import upgrade
from bot.adapters.store.outbox import StoredOutbox
from bot.adapters.store.rebuilt import StoredBackfill
from bot.app.sole import sole_server
from bot.cli.main import load_commands
from bot.collectors.delivery import DeliveryFigures
from bot.collectors.proposals import answer
from bot.collectors.reports import send_due
from bot.config.load import load
from bot.config.schema import Config
from bot.domain.action import SaveDeployment
from bot.domain.dora_rule import DeliveryStats
from bot.domain.promotion import Move
from bot.sandbox.github import GitHubSandbox
from bot.web.delivery_metrics import DeliveryMetrics
from tests.contract.git_world import git
from tests.contract.test_backfill import DEPLOYMENT, Repository
from tests.support.builders import promotion, release

APP = load_commands()
MONDAY = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
RULES = """version: 1
forge: {{url: "{url}", api_url: "{api}"}}
pipeline:
  stages:
    dev: {{repository: acme/env-dev, folder: prod}}
    live: {{repository: acme/env-live, folder: prod, after: dev, gates: [{{gate: dora}}]}}
services:
  payments: {{images: [registry.acme.io/shop/api], team: blue}}
teams: {{blue: {{}}}}
reports: {{periods: [weekly], zone: UTC}}
simulation: {{repository: acme/bot, branch: main, file: config.yaml}}
"""
WINDOW = ["--from", "2026-11-02", "--to", "2026-11-16", "--as-of", "2026-11-16T08:00:00Z"]


class World:
    """Two environment repositories with a fortnight of history, a configuration, and the database of a running bot."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config = folder, folder / "config.yaml"
        self.config.write_text(RULES.format(url="https://github.example", api="https://api.github.example"))
        self.dev, self.live = Repository(folder / "dev"), Repository(folder / "live")
        self.shas = {}
        for repository, hour in ((self.dev, "08"), (self.live, "20")):
            for day, version in (("10-01", "1.0.0"), ("11-03", "1.1.0"), ("11-10", "1.2.0")):
                message, at = f"promote {version}\n\nPromotion-Id: {version}", f"2026-{day}T{hour}:00:00Z"
                self.shas[version] = repository.put(message, at=at, api=version)
        self.live.put("revert\n\nReverts-Promotion: 1.2.0", at="2026-11-10T22:00:00Z", api="1.1.0")
        self.url = f"sqlite:///{folder / 'bot.db'}"
        self.database = Database(self.url)
        upgrade(self.database)
        self.delivery = StoredDelivery(self.database)

    @property
    def rules(self) -> Config:
        return load(self.config)

    def run(self, *more: str) -> Any:
        places = [f"{name}={one.path}@main//prod" for name, one in (("dev", self.dev), ("live", self.live))]
        stages = [word for place in places for word in ("--stage", place)]
        return CliRunner().invoke(APP, ["backfill", "--config", str(self.config), *stages, "--store", "--database", self.url, *more])

    def report(self, *more: str) -> dict[str, Any]:
        done = CliRunner().invoke(APP, ["report", "--config", str(self.config), "--database", self.url, *WINDOW, "-o", "json", *more])
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.database.close()


def test_the_report_of_the_first_day_stands_with_its_doubts_and_a_second_run_changes_nothing(world: World) -> None:
    first = world.run("-o", "json")
    assert (first.exit_code, json.loads(first.stdout)["events"], json.loads(first.stdout)["changed"]) == (0, 7, 7)
    assert "live: 4 of 4 commits" in first.stderr
    found = world.report("--stage", "live", "--team", "blue")
    assert (found["deployments"], found["failed_changes"], found["rollbacks"]) == (2, 1, 1)
    doubts = {row["code"]: row["count"] for row in found["quality"]}
    assert (doubts["commit_time"], doubts["health_unknown"]) == (3, 3)
    again = world.run("-o", "json")
    assert (again.exit_code, json.loads(again.stdout)["changed"]) == (0, 0)
    assert world.report("--stage", "live", "--team", "blue") == found
    assert json.loads(world.run("--fresh", "-o", "json").stdout)["changed"] == 0


def test_what_a_branch_could_not_tell_is_data_quality_of_its_stage(world: World) -> None:
    job = world.live.path / "prod" / "job.yaml"
    job.write_text(DEPLOYMENT.format(name="api", version="1.2.0").replace("name: api", "name: job"))
    world.live.put("half of it", at="2026-11-12T10:00:00Z")
    world.run()
    rows = {row["code"]: (row["count"], row["sentence"]) for row in world.report("--stage", "live")["quality"]}
    assert rows["ambiguous"][0] == 1
    assert "disagreed about its version" in rows["ambiguous"][1]
    assert "ambiguous" not in {row["code"] for row in world.report("--stage", "dev")["quality"]}


def test_the_last_stage_is_meant_where_nothing_says_which_and_what_the_configuration_says_goes_first(world: World) -> None:
    world.run()
    assert world.report() == world.report("--stage", "live")
    assert (world.report()["stage"], world.report()["deployments"]) == ("live", 2)
    explained = ["explain", "deployments_per_day", "--config", str(world.config), "--database", world.url, *WINDOW]
    assert CliRunner().invoke(APP, explained).stdout == CliRunner().invoke(APP, [*explained, "--stage", "live"]).stdout
    world.config.write_text(world.config.read_text().replace("zone: UTC}", "zone: UTC, stage: dev}"))
    assert world.report()["stage"] == "dev"
    without = CliRunner().invoke(APP, ["report", "--database", world.url, *WINDOW, "-o", "json"])
    assert json.loads(without.stdout)["stage"] == "prod"


def test_what_the_bot_recorded_itself_wins_and_is_not_doubled(world: World) -> None:
    moves = (Move(service="payments", old=release("1.1.0"), new=release("1.2.0")),)
    moved = promotion(id="p", stage="live", merge_commit=world.shas["1.2.0"], moves=moves)
    at = datetime(2026, 11, 10, 20, 15, tzinfo=UTC)
    row = SaveDeployment(promotion=moved, service="payments", at=at, status="failed", kind="promotion", version=moved.moves[0].new.text)
    StoredHistory(world.database).save_deployment(row)
    world.run()
    found = world.report("--stage", "live")
    assert (found["deployments"], found["failed_changes"], found["rollbacks"]) == (1, 1, 1)
    listed = CliRunner().invoke(
        APP, ["explain", "change_fail_rate", "--config", str(world.config), "--database", world.url, *WINDOW, "--stage", "live"]
    )
    assert "p:payments:promotion:failed" in listed.stdout
    assert world.delivery.records().deployments == (row,)


def test_scheduled_reports_show_it(world: World) -> None:
    world.run()
    outbox = StoredOutbox(world.database)

    class Board:
        def open_issue(self, repository: str, *, title: str, body: str, mark: str) -> str:
            raise AssertionError("no issues are configured")

    assert send_due(world.rules, world.delivery, outbox, lambda: MONDAY + timedelta(hours=1), Board()) == 1
    told = [message.text for message in outbox.due(now=MONDAY + timedelta(hours=2))]
    assert "1 deployments in 7 days" in told[0]
    assert "100 %" in told[0], "the one change of the week was rolled back"


def test_the_dora_gate_counts_it(world: World) -> None:
    def ask() -> DeliveryStats:
        params = {"stage": "live", "over": str(28 * 24 * 3600)}
        found = DeliveryFigures(world.rules, StoredHistory(world.database)).ask(params, now=MONDAY, before=None).value
        assert isinstance(found, DeliveryStats)
        return found

    assert ask().changes == 0
    world.run()
    assert (ask().changes, ask().failed, ask().recovered) == (2, 1, 1)


def test_metrics_count_it(world: World) -> None:
    world.run()
    text = DeliveryMetrics(world.rules, world.delivery, lambda: MONDAY).text()
    assert 'promotion_bot_dora_sample_size{metric="deployments_per_day",stage="live",window="28d"} 2' in text
    assert 'promotion_bot_dora_change_fail_ratio{stage="live",team="blue",window="28d"} 0.5' in text


def test_simulations_replay_it_in_comments_and_on_the_command_line(world: World) -> None:
    stricter = world.config.read_text().replace("[{gate: dora}]", "[{gate: soak, for: 24h}]")
    empty = answer(world.rules, world.delivery, stricter.encode(), MONDAY)
    world.run()
    told = answer(world.rules, world.delivery, stricter.encode(), MONDAY)
    assert "| live | soak | 2 |" in told
    assert "| live | soak | 2 |" not in empty
    file = world.folder / "new.yaml"
    file.write_text(stricter)
    command = ["simulate", "--config", str(file), "--database", world.url, "--since", "2026-10-15", "--as-of", "2026-11-16T08:00:00Z"]
    assert "soak" in CliRunner().invoke(APP, command).stdout


def test_it_is_taken_back_by_stage_or_altogether(world: World) -> None:
    world.run()
    forget = ["backfill", "--forget", "--database", world.url]
    one = CliRunner().invoke(APP, [*forget, "--stage", "dev"])
    assert (one.exit_code, one.stdout) == (0, "3 backfilled rollouts are forgotten; what the bot recorded stays\n")
    assert {deploy.stage for deploy in world.delivery.records().rebuilt} == {"live"}
    unknown = CliRunner().invoke(APP, [*forget, "--stage", "dev"])
    assert unknown.exit_code == 5
    assert "a backfill of live" in unknown.stderr
    assert json.loads(CliRunner().invoke(APP, [*forget, "-o", "json"]).stdout) == {"forgotten": 4}
    assert world.delivery.records().rebuilt == ()
    assert json.loads(world.run("-o", "json").stdout)["changed"] == 7


def test_a_run_that_is_killed_goes_on_and_one_that_looks_further_back_reads_anew(world: World) -> None:
    whole = [event["id"] for event in Backfill(places=[Place(stage="live", path=world.live.path, folder="prod")]).run({}).events]
    stored, kept = StoredBackfill(world.database), []

    class Killed(Exception):
        pass

    def keep(state: dict[str, dict[str, Any]]) -> None:
        stored.keep(state, now=MONDAY)
        kept.append(state)
        if len(kept) == 2:
            raise Killed

    places = [Place(stage="live", path=world.live.path, folder="prod")]
    with pytest.raises(Killed):
        Backfill(places=places, keep=keep, chunk=1).run(stored.read())
    assert [one.id for one in world.delivery.records().rebuilt] == whole[:2]
    after = StoredBackfill(world.database)
    Backfill(places=places, keep=lambda state: after.keep(state, now=MONDAY) and None).run(after.read())
    assert [one.id for one in world.delivery.records().rebuilt] == whole
    world.run("--since", "2026-11-10", "--fresh")
    assert [one.version for one in world.delivery.records("live").rebuilt] == ["1.1.0", "1.2.0", "1.1.0"]
    world.run("--since", "2026-11-12")
    assert [one.version for one in world.delivery.records("live").rebuilt] == ["1.1.0", "1.2.0", "1.1.0"], "it forgets nothing by itself"
    world.run("--since", "2026-09-01")
    assert [one.version for one in world.delivery.records("live").rebuilt] == ["1.0.0", "1.1.0", "1.2.0", "1.1.0"]


def test_other_services_or_a_new_source_are_read_anew_and_a_source_that_is_away_takes_nothing_back(world: World) -> None:
    world.run()
    source = Repository(world.folder / "source")
    for number, version in enumerate(("1.0.0", "1.1.0", "1.2.0")):
        source.git("tag", version, source.put("work", at=f"2026-09-0{number + 1}T00:00:00Z"))
    given = ["--source", f"payments={source.path}", "-o", "json"]
    assert json.loads(world.run(*given).stdout)["changed"] == 4, "two promotions in each stage brought commits"
    assert json.loads(world.run(*given).stdout)["changed"] == 0
    assert json.loads(world.run("-o", "json").stdout)["changed"] == 0
    assert sum(len(one.commits) for one in world.delivery.records().rebuilt) == 4
    world.config.write_text(world.config.read_text().replace("payments:", "checkout:"))
    assert json.loads(world.run("-o", "json").stdout)["events"] == 7
    assert {one.service for one in world.delivery.records().rebuilt} == {"checkout"}


def test_it_is_written_beside_the_process_that_serves(world: World) -> None:
    with sole_server(world.url, lambda: MONDAY):
        assert json.loads(world.run("-o", "json").stdout)["changed"] == 7


def test_without_stages_it_reads_those_of_the_configuration_from_the_bots_own_clones(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = GitHubSandbox(tmp_path / "hub")
    hub.start()
    try:
        for name in ("env-dev", "env-live"):
            hub.create_repo(f"acme/{name}", {"prod/api.yaml": DEPLOYMENT.format(name="api", version="1.0.0")}, default_branch="main")
        monkeypatch.setenv("PROMOTION_BOT_GITHUB_TOKEN", hub.add_user("robot"))
        monkeypatch.setenv("PROMOTION_BOT_STATE_DIR", str(tmp_path / "state"))
        monkeypatch.delenv("PROMOTION_BOT_DATABASE_URL", raising=False)
        for name in ("env-dev", "env-live"):
            hub.add_collaborator(f"acme/{name}", "robot", "admin")
        world.config.write_text(RULES.format(url=hub.url, api=hub.api_url))
        done = CliRunner().invoke(APP, ["backfill", "--config", str(world.config), "--store", "-o", "json"])
    finally:
        hub.stop()
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["events"] == 2
    database = Database(f"sqlite:///{tmp_path / 'state' / 'promotion-bot.db'}")
    assert {(one.stage, one.service) for one in StoredDelivery(database).records().rebuilt} == {("dev", "payments"), ("live", "payments")}
    database.close()
    assert git(tmp_path / "state" / "clones" / "acme+env-dev.git", "rev-parse", "refs/remotes/origin/main")


def test_it_is_written_into_either_database_made_where_it_is_not_there_yet(world: World, database_url: str) -> None:
    world.url = database_url
    assert json.loads(world.run("-o", "json").stdout)["changed"] == 7
    assert json.loads(world.run("-o", "json").stdout)["changed"] == 0
    assert world.report()["deployments"] == 2
    assert json.loads(CliRunner().invoke(APP, ["backfill", "--forget", "--database", database_url, "-o", "json"]).stdout) == {
        "forgotten": 7
    }


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ([], 2, "say one of --out, --store and --forget"),
        (["--store", "--forget"], 2, "say one of --out, --store and --forget"),
        (["--store", "--stage", "prod=."], 2, "--config is missing"),
        (["--out", "x.json"], 2, "--config is missing"),
        (["--store", "--config", "CONFIG", "--stage", "nowhere=."], 2, "there is no stage nowhere"),
    ],
)
def test_what_is_not_meant_is_refused_with_a_reason(world: World, words: list[str], code: int, told: str) -> None:
    given = [str(world.config) if word == "CONFIG" else word for word in words]
    done = CliRunner().invoke(APP, ["backfill", *given, "--database", world.url])
    assert done.exit_code == code
    error, why, fix = done.stderr.splitlines()
    assert told in error
    assert why.startswith("why: ")
    assert fix.startswith("fix: ")
