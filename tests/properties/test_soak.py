"""Promotion after promotion through the whole bot: memory, file handles, threads and child processes stay what they were."""

import gc
from collections.abc import Iterator

import psutil
import pytest

from tests.support.model_story import go_on, pulls, push, until
from tests.support.model_world import APPROVER, ModelWorld, settled

pytestmark = pytest.mark.slow
WARM, MORE = 2, 5
SLACK_MB = 12


@pytest.fixture
def world() -> Iterator[ModelWorld]:
    with settled(ModelWorld) as found:
        yield found


def travel(world: ModelWorld, version: str) -> None:
    """From dev to prod, with the approval that it needs."""
    push(world, version)
    until(world, lambda: [pull for pull in pulls(world, "prod") if pull.state == "open" and version in pull.title])
    world.github.approve(world.repository("prod"), pulls(world, "prod")[-1].number, APPROVER)
    until(world, lambda: ("web", version) in set(world.healthy("prod")))
    go_on(world, 2)


def used() -> Iterator[float]:
    """Megabytes, file handles, threads, children."""
    gc.collect()
    process = psutil.Process()
    yield process.memory_info().rss / 1e6
    yield process.num_fds()
    yield process.num_threads()
    yield len(process.children(recursive=True))


def test_promotion_after_promotion_costs_nothing_that_stays(world: ModelWorld) -> None:
    for number in range(WARM):
        travel(world, f"1.{number + 1}.0")
    memory, handles, threads, children = used()
    for number in range(WARM, WARM + MORE):
        travel(world, f"1.{number + 1}.0")
    more_memory, more_handles, more_threads, more_children = used()
    assert more_memory - memory < SLACK_MB, f"{more_memory - memory:.1f} MB more after {MORE} promotions into two stages"
    assert more_handles <= handles + 4, f"{more_handles - handles} file handles more"
    assert more_threads <= threads + 4, f"{more_threads - threads} threads more"
    assert more_children <= children
