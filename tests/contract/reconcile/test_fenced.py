"""A replica that was paused right before it writes, and goes on after another one took its work over: nothing leaves it any more."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from bot.adapters.store.replicas import Replicas
from bot.domain.action import Notify, Severity
from bot.domain.errors import Fenced
from bot.reconcile.apply import apply
from bot.reconcile.crash import CrashPoints
from tests.contract.reconcile.stage_world import StageWorld
from tests.contract.reconcile.test_apply import renewal, shown
from tests.contract.reconcile.test_crash import failed, merge_it, open_it, revert_by_pull_request, revert_it

PAUSED = "paused"


class WakesUpAt(CrashPoints):
    """At this point the process was stopped for so long that another took its work over; then it goes on."""

    def __init__(self, point: str, replicas: Replicas) -> None:
        super().__init__({})
        self._point, self._replicas = point, replicas
        self.reached = False

    def at(self, point: str) -> None:
        if point == self._point and not self.reached:
            self.reached = True
            assert self._replicas.claim_dead("heir", dead_after=timedelta(seconds=-1)) == [PAUSED]


def face(world: StageWorld, points: CrashPoints) -> None:
    apply(world.tools(points), shown(world.only()))


def renew(world: StageWorld, points: CrashPoints) -> None:
    apply(world.tools(points), renewal(world, world.only()))


CASES: list[tuple[str, Callable[[StageWorld], None], Callable[[StageWorld, CrashPoints], None]]] = [
    ("branch-pushed:before", lambda _: None, open_it),
    ("pull-opened:before", lambda _: None, open_it),
    ("labels:before", lambda _: None, open_it),
    ("shown:before", open_it, face),
    ("pull-updated:before", open_it, renew),
    ("branch-pushed:before", open_it, renew),
    ("merged:before", open_it, merge_it),
    ("reverted:before", failed, revert_it),
    ("reverted:before", failed, revert_by_pull_request),
    ("revert-opened:before", failed, revert_by_pull_request),
    ("revert-merged:before", failed, revert_by_pull_request),
]


def stands(world: StageWorld) -> object:
    """Everything on the forge that a write would change."""
    pulls = [
        (pull.number, pull.title, pull.state, [label.name for label in pull.labels], [one.body for one in pull.comments])
        for pull in world.hub.pulls(world.repo)
    ]
    checks = sorted(run.name for run in world.hub.repository(world.repo).check_runs.values())
    return {name: world.hub.head(world.repo, name) for name in world.hub.list_branches(world.repo)}, pulls, checks


@pytest.fixture
def replicas(world: StageWorld) -> Iterator[Replicas]:
    found = Replicas(world.database)
    found.register(PAUSED)
    with found.acting_as(PAUSED):
        yield found


class Seen(WakesUpAt):
    """Remembers what stood on the forge when it woke up."""

    def __init__(self, point: str, replicas: Replicas, world: StageWorld) -> None:
        super().__init__(point, replicas)
        self._world = world
        self.before: object = None

    def at(self, point: str) -> None:
        first = not self.reached
        super().at(point)
        if first and self.reached:
            self.before = stands(self._world)


@pytest.mark.parametrize(("point", "first", "act"), CASES, ids=[f"{point.partition(':')[0]}-{n}" for n, (point, *_) in enumerate(CASES)])
def test_nothing_leaves_a_replica_that_was_taken_for_dead(
    world: StageWorld,
    replicas: Replicas,
    point: str,
    first: Callable[[StageWorld], None],
    act: Callable[[StageWorld, CrashPoints], None],
) -> None:
    first(world)
    points = Seen(point, replicas, world)
    with pytest.raises(Fenced):
        act(world, points)
    assert points.reached
    assert stands(world) == points.before


class Chat:
    def __init__(self) -> None:
        self.posted: list[str] = []

    def post(self, *, key: str, **_other: object) -> str:
        self.posted.append(key)
        return "ref"


def test_nor_is_anybody_told_by_it(world: StageWorld, replicas: Replicas) -> None:
    chat = Chat()
    notice = Notify(key="k", thread="t", severity=Severity.INFO, stage="qa", text="healthy", fields={})
    world.outbox.put(notice, now=world.clock())
    from bot.reconcile.telling import post

    replicas.claim_dead("heir", dead_after=timedelta(seconds=-1))
    with pytest.raises(Fenced):
        post(world.tools(chat=chat), notice)
    assert chat.posted == []
