"""Issues of ours, and what a pull request that changes the configuration is told, on the GitHub-compatible sandbox with a real database."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.store.database import Database
from bot.adapters.store.delivery import StoredDelivery
from bot.adapters.store.history import StoredHistory
from bot.adapters.store.migrate import upgrade
from bot.collectors.proposals import tell_proposals
from bot.config.schema import Config
from bot.domain.action import SaveDeployment
from bot.domain.promotion import Move
from tests.contract.forge_world import MAIN, REPO, ForgeWorld, build
from tests.support.builders import promotion, release

BASE = {"dev": {"repository": "acme/env-dev"}, "qa": {"repository": "acme/env-qa", "after": "dev"}}
RULES = Config.model_validate(
    {"version": 1, "pipeline": {"stages": BASE}, "simulation": {"repository": REPO, "branch": MAIN, "file": "bot/config.yaml"}}
)
SOAK = """
version: 1
pipeline:
  stages:
    dev: {repository: acme/env-dev}
    qa:
      repository: acme/env-qa
      after: dev
      gates: [{gate: soak, for: 12h}]
"""
NOW = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ForgeWorld]:
    made = build(tmp_path)
    yield made
    made.hub.stop()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[StoredDelivery]:
    database = Database(f"sqlite:///{tmp_path / 'bot.db'}")
    upgrade(database)
    for hour, stage in ((0, "dev"), (1, "qa")):
        moved = replace(
            promotion(id=f"p-{stage}", stage=stage), moves=(Move(service="payments", old=release("1.0.0"), new=release("1.1.0")),)
        )
        row = SaveDeployment(
            promotion=moved,
            service="payments",
            at=NOW - timedelta(days=3) + timedelta(hours=hour),
            status="success",
            kind="promotion",
            version=moved.moves[0].new.text,
        )
        StoredHistory(database).save_deployment(row)
    yield StoredDelivery(database)
    database.close()


def propose(world: ForgeWorld, text: str, branch: str = "policy") -> int:
    base = world.repositories.refresh(REPO)[MAIN]
    sha = world.repositories.commit(REPO, parent=base, files={"bot/config.yaml": text.encode()}, message="policy", at=world.clock())
    old = world.repositories.heads(REPO).get(branch)
    world.repositories.push(REPO, {branch: (old, sha)})
    found = world.forge.find_pull(REPO, branch)
    return found.number if found else world.forge.open_pull(REPO, branch=branch, base_branch=MAIN, title="stricter", body="").number


def comments(world: ForgeWorld, number: int) -> list[str]:
    return [comment.body for comment in world.hub.pull(REPO, number).comments]


def test_a_change_of_the_rules_is_told_what_it_would_have_done(world: ForgeWorld, kept: StoredDelivery) -> None:
    number, seen = propose(world, SOAK), set[tuple[int, str]]()
    assert tell_proposals(RULES, world.forge, world.repositories, kept, NOW, seen) == 1
    (told,) = comments(world, number)
    assert "What these rules would have done" in told
    assert "1 of 1 promotions since" in told
    assert "| qa | soak | 1 | 11h |" in told
    with world.calls() as calls:
        assert tell_proposals(RULES, world.forge, world.repositories, kept, NOW, seen) == 0
    assert calls() == ["graphql repository,rateLimit"]


def test_one_comment_is_edited_when_the_content_changes_and_only_then(world: ForgeWorld, kept: StoredDelivery) -> None:
    number = propose(world, SOAK)
    for _ in range(2):
        tell_proposals(RULES, world.forge, world.repositories, kept, NOW, set())
    assert len(comments(world, number)) == 1
    assert propose(world, SOAK.replace("12h", "30m")) == number
    for later in range(2):
        tell_proposals(RULES, world.forge, world.repositories, kept, NOW + timedelta(hours=later), set())
    (told,) = comments(world, number)
    assert "0 of 1 promotions" in told
    with world.calls() as calls:
        tell_proposals(RULES, world.forge, world.repositories, kept, NOW + timedelta(days=1), set())
    assert not [call for call in calls() if call.startswith("rest")]
    assert comments(world, number) == [told]


def test_a_proposal_that_is_taken_back_is_said_to_be(world: ForgeWorld, kept: StoredDelivery) -> None:
    number = propose(world, SOAK)
    tell_proposals(RULES, world.forge, world.repositories, kept, NOW, set())
    base, head = (world.repositories.refresh(REPO)[name] for name in (MAIN, "policy"))
    sha = world.repositories.commit(REPO, parent=base, files={"README.md": b"only words"}, message="policy", at=world.clock())
    world.repositories.push(REPO, {"policy": (head, sha)})
    for _ in range(2):
        tell_proposals(RULES, world.forge, world.repositories, kept, NOW, set())
    (told,) = comments(world, number)
    assert told.startswith("### This pull request does not change the rules any more\n\n`bot/config.yaml` is as on the branch")
    propose(world, SOAK)
    tell_proposals(RULES, world.forge, world.repositories, kept, NOW, set())
    (told,) = comments(world, number)
    assert "1 of 1 promotions since" in told


def test_the_comment_of_somebody_else_is_never_taken_for_ours(world: ForgeWorld, kept: StoredDelivery) -> None:
    number = propose(world, SOAK)
    world.hub.comment(REPO, number, "ana", "<!-- promotion-bot:simulation:0 --> mine")
    tell_proposals(RULES, world.forge, world.repositories, kept, NOW, set())
    first, told = comments(world, number)
    assert first.endswith("mine")
    assert "What these rules would have done" in told


def test_a_configuration_that_the_bot_would_not_start_with(world: ForgeWorld, kept: StoredDelivery) -> None:
    number = propose(world, SOAK.replace("soak", "soek"))
    tell_proposals(RULES, world.forge, world.repositories, kept, NOW, set())
    (told,) = comments(world, number)
    assert "would not start with this configuration" in told
    assert "bot/config.yaml:" in told
    assert "soek" in told


def test_pull_requests_that_leave_the_file_alone_are_told_nothing(world: ForgeWorld, kept: StoredDelivery) -> None:
    number = world.open()
    assert tell_proposals(RULES, world.forge, world.repositories, kept, NOW, set()) == 0
    assert comments(world, number) == []
    nowhere = RULES.model_copy(update={"simulation": RULES.simulation.model_copy(update={"repository": None})})
    with world.calls() as calls:
        assert tell_proposals(nowhere, world.forge, world.repositories, kept, NOW, set()) == 0
    assert calls() == []


def test_an_issue_is_opened_once_and_found_again_after_a_restart(world: ForgeWorld) -> None:
    with world.calls() as calls:
        address = world.forge.open_issue(REPO, title="Delivery report", body="| a |", mark="report:weekly:blue:qa:2026-11-09")
    paths = [call for call in calls() if "issues" in call]
    assert paths == ["rest /repos/{owner}/{repo}/issues", "rest /repos/{owner}/{repo}/issues"]
    assert world.again().open_issue(REPO, title="Delivery report", body="| b |", mark="report:weekly:blue:qa:2026-11-09") == address
    assert world.forge.open_issue(REPO, title="Another", body="x" * 70_000, mark="report:other") != address
