"""Webhooks that nobody took are asked for again, those that were taken are not."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.github.auth import AppInstallation
from bot.adapters.github.deliveries import redeliver_missed
from tests.contract.forge_world import MAIN, REPO, ForgeWorld, build
from tests.support.hook_sink import HookSink


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ForgeWorld]:
    made = build(tmp_path)
    yield made
    made.hub.stop()


def test_only_what_was_missed_comes_again_and_under_its_own_id(world: ForgeWorld) -> None:
    sink = HookSink(secret="hook-secret")
    app = world.forge.credentials
    assert isinstance(app, AppInstallation)
    begin = world.clock() - timedelta(minutes=1)
    sink.start()
    try:
        world.hub.set_webhook(sink.url, "hook-secret")
        world.hub.push(REPO, MAIN, {"a": "1"}, message="taken", author="ada")
        world.hub.deliveries.wait_idle()
        taken = {one.guid for one in sink.received}
        sink.status = 503
        world.hub.push(REPO, MAIN, {"a": "2"}, message="missed", author="ada")
        world.hub.push(REPO, MAIN, {"a": "3"}, message="missed too", author="ada")
        world.hub.deliveries.wait_idle()
        missed = {one.guid for one in sink.received} - taken
        assert missed
        sink.received.clear()
        sink.status = 202
        assert set(redeliver_missed(app, since=begin).again) == missed
        world.hub.deliveries.wait_idle()
        assert {one.guid for one in sink.received} == missed
        assert all(one.signed for one in sink.received)
        assert redeliver_missed(app, since=begin).again == ()
        assert redeliver_missed(app, since=world.clock() + timedelta(hours=1)).again == ()
    finally:
        sink.stop()


def test_what_is_too_much_for_one_time_comes_at_the_next(world: ForgeWorld) -> None:
    sink = HookSink(secret="hook-secret")
    sink.status = 503
    app = world.forge.credentials
    assert isinstance(app, AppInstallation)
    since = world.clock() - timedelta(minutes=1)
    sink.start()
    try:
        world.hub.set_webhook(sink.url, "hook-secret")
        for number in range(5):
            world.hub.push(REPO, MAIN, {"a": str(number)}, message="missed", author="ada")
        world.hub.deliveries.wait_idle()
        missed = {one.guid for one in sink.received}
        assert len(missed) >= 5
        sink.status = 202
        again: set[str] = set()
        for _ in range(len(missed)):
            found = redeliver_missed(app, since=since, limit=2)
            world.hub.deliveries.wait_idle()
            since = found.since
            again |= set(found.again)
            if not found.again:
                break
        assert again == missed
    finally:
        sink.stop()


@pytest.mark.parametrize("shift", [timedelta(minutes=-20), timedelta(minutes=20)])
def test_a_clock_of_ours_that_is_wrong_hides_none(world: ForgeWorld, shift: timedelta) -> None:
    """The next look begins where GitHub's log ended, not where our clock stands."""
    sink = HookSink(secret="hook-secret")
    app = world.forge.credentials
    assert isinstance(app, AppInstallation)
    sink.start()
    try:
        world.hub.set_webhook(sink.url, "hook-secret")
        world.clock.shift = shift
        since = redeliver_missed(app, since=world.clock() - timedelta(days=3)).since
        world.hub.push(REPO, MAIN, {"a": "1"}, message="taken", author="ada")
        world.hub.deliveries.wait_idle()
        since = redeliver_missed(app, since=since).since
        sink.status = 503
        world.hub.push(REPO, MAIN, {"a": "2"}, message="missed", author="ada")
        world.hub.deliveries.wait_idle()
        assert len(redeliver_missed(app, since=since).again) == 1
    finally:
        sink.stop()
