"""The whole bot, as a process, leaves right after a merge or in the middle of one: the version travels as if nothing had happened.

One crash point on each database and one SIGTERM, for every change; every crash point is `make faults`, other disturbances `make disturbed`.
The end is compared with that of an undisturbed run: on forge, in chat, history and audit log nothing lacks and nothing stands twice.
"""

import pytest

from bot.reconcile import crash
from tests.faults.matrix import Job, Undisturbed, good, points, run_job, story, undisturbed
from tests.faults.world import World

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("killed"), pytest.mark.timeout(600)]
POINT = f"{crash.MERGED}:after:1"


@pytest.fixture(scope="module")
def travel() -> Undisturbed:
    """A version travels from dev to qa."""
    found = undisturbed("travel")
    assert POINT in points(found)
    return found


def test_killed_right_after_the_merge_on_sqlite(travel: Undisturbed) -> None:
    good(run_job(Job(point=POINT, expected=travel)))


@pytest.mark.postgres
def test_killed_right_after_the_merge_on_postgresql(travel: Undisturbed, postgres_url: str) -> None:
    good(run_job(Job(point=POINT, expected=travel, database_url=postgres_url)))


def test_told_to_leave_in_the_middle_of_a_merge(travel: Undisturbed) -> None:
    statuses: list[int] = []

    def disturb(world: World) -> None:
        world.once("slow", lambda: world.github.faults.add("PUT", "/repos/*/*/pulls/*/merge", kind="delay:3"))
        if not statuses and any(fault.struck for fault in world.github.faults.script):
            statuses.append(world.bot.terminate())

    good(story(travel, None, "SIGTERM while merging", disturb=disturb))
    assert statuses == [0]
