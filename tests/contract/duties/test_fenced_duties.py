"""A replica that was paused and taken for dead goes on with what it does by the clock before its heart has told it: nothing leaves it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest
from structlog.testing import capture_logs

from bot.adapters.store.replicas import Replicas
from bot.domain.action import Notify, Severity
from tests.contract.duties.duties_world import AGAIN, RULES, DutiesWorld, duties_world
from tests.contract.forge_world import MAIN, REPO

NOTICE = Notify(key="to:mail.ops:k", thread="t", severity=Severity.CRITICAL, stage="qa", text="shop failed", fields={})


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[DutiesWorld]:
    with duties_world(tmp_path, database_url) as made:
        yield made


def proposal(world: DutiesWorld) -> int:
    """A pull request whose rules the bot would not start with: it is to be told so."""
    world.forge.hub.push(REPO, "policy", {RULES: "version: 1\nsoek: 1\n"}, message="policy", author="ada")
    return world.forge.hub.open_pr(REPO, title="policy", head="policy", base=MAIN, author="ada").number


def taken_for_dead(world: DutiesWorld) -> Replicas:
    replicas = Replicas(world.bot.parts.database)
    replicas.register("heir")
    assert replicas.claim_dead("heir", dead_after=timedelta(seconds=-1)) == [world.bot.engine.replica]
    return replicas


def reports(world: DutiesWorld) -> list[str]:
    return [one.title for one in world.forge.hub.world.repository(REPO).issues.values() if one.title.startswith("Delivery of")]


def test_no_duty_of_a_fenced_replica_writes_and_all_go_on_once_it_joined_anew(world: DutiesWorld) -> None:
    bot, number, missed = world.bot, proposal(world), world.missed()
    bot.outbox.put(NOTICE, now=bot.parts.clock())
    taken_for_dead(world)
    before = (bot.outbox.counts(), world.comments(number), reports(world), world.taken(missed))
    with world.forge.calls() as calls, capture_logs() as lines:
        world.work_off(monotonic())
    assert [call for call in calls() if not call.startswith("graphql")] == []
    assert (bot.outbox.counts(), world.comments(number), reports(world), world.taken(missed)) == before
    assert world.mailed() == []
    quiet = [line for line in lines if line["event"] != "duty.fenced"]
    assert quiet == []
    assert [line["duty"] for line in lines] == [duty.name for duty in world.duties()]

    bot.engine.beat()
    world.work_off(monotonic() + AGAIN)
    world.work_off(monotonic() + 2 * AGAIN)
    assert any("shop failed" in str(message) for message in world.mail.messages)
    assert [("would not start" in told) for told in world.comments(number)] == [True]
    assert len(reports(world)) == 1
    assert sorted(world.taken(missed)) == sorted([*missed, *missed])
