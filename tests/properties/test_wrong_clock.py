"""The machine's clock is wrong, or is set while the bot runs: what must last lasts as long as it must, by GitHub's time."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.support.model_story import go_on, push, until
from tests.support.model_world import STAGES, ModelWorld, settled

pytestmark = pytest.mark.slow


@pytest.fixture
def world() -> Iterator[ModelWorld]:
    with settled(ModelWorld) as found:
        yield found


def look_at_once(world: ModelWorld) -> None:
    """No time goes by."""
    for stage in STAGES * 3:
        world.look(stage)


@pytest.mark.parametrize("anew", [False, True])
def test_a_clock_that_jumps_ahead_shortens_no_soak(world: ModelWorld, anew: bool) -> None:
    push(world, "1.1.0")
    until(world, lambda: ("web", "1.1.0") in set(world.healthy("dev")))
    look_at_once(world)
    world.clock.skew = timedelta(minutes=10)
    if anew:
        world.start()
    look_at_once(world)
    assert world.declares("qa", "web") == "1.0.0"
    until(world, lambda: world.declares("qa", "web") == "1.1.0", rounds=4)


def test_a_clock_that_jumps_ahead_makes_no_rollout_overdue(world: ModelWorld) -> None:
    world.clusters["qa"].behave("ghcr.io/acme/web", "1.1.0", "hang")
    push(world, "1.1.0")
    until(world, lambda: world.declares("qa", "web") == "1.1.0")
    world.clock.skew = timedelta(minutes=15)
    look_at_once(world)
    assert world.declares("qa", "web") == "1.1.0"
    go_on(world, 12)
    assert world.declares("qa", "web") == "1.0.0", "after ten minutes it is overdue, and taken back"
