"""Dying at each named point of each action, and starting again: the same end, nothing doubled.

The process's death is an exception that nothing catches; the bot after it has the database, the forge and git, no memory.
(The whole bot, killed by the kernel, is tried in the crash matrix; here each action is, quickly.)
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.adapters.store.outbox import CLAIM_LASTS
from bot.domain.action import ClosePromotion, Notify, Reply, Severity
from bot.domain.promotion import PromotionState
from bot.reconcile.apply import apply
from bot.reconcile.crash import CrashPoints
from bot.reconcile.settling import settle
from tests.contract.reconcile.stage_world import Crashed, DiesAt, StageWorld, manifest
from tests.contract.reconcile.test_apply import renewal, shown


@pytest.fixture
def either(request: pytest.FixtureRequest) -> StageWorld:
    found: StageWorld = request.getfixturevalue(request.param)
    return found


both = pytest.mark.parametrize("either", ["world", "signing"], indirect=True)


def dies(world: StageWorld, point: str, act: Callable[[StageWorld, CrashPoints], None], again: Callable[[StageWorld], None]) -> None:
    """Act and die at the point; start again, settle, and go on as the plan would."""
    points = DiesAt(point)
    with pytest.raises(Crashed):
        act(world, points)
    settle(world.tools())
    again(world)


def open_it(world: StageWorld, points: CrashPoints | None = None) -> None:
    rows = world.rows()
    if rows and rows[-1].state is PromotionState.OPEN:
        return
    promotion = rows[-1] if rows else world.promotion()
    apply(world.tools(points), world.opening(promotion))


PUSHED = ["branch-pushed:before", "branch-pushed:after", "pull-opened:before", "pull-opened:after", "pull-opened:saved"]
SIGNED = [point for point in PUSHED if point.startswith("pull-opened")]
"""Where the forge signs, branch and pull request come to be in one request."""


def ways(*more: str) -> pytest.MarkDecorator:
    """Each way to open with each point that it passes."""
    found = [("world", point) for point in (*PUSHED, *more)] + [("signing", point) for point in SIGNED]
    return pytest.mark.parametrize(("either", "point"), found, indirect=["either"])


@ways("labels:before", "labels:after")
def test_opening(either: StageWorld, point: str) -> None:
    world = either
    dies(world, point, open_it, open_it)
    found = world.only()
    assert (found.state, found.number) == (PromotionState.OPEN, 1)
    assert [pull.number for pull in world.hub.pulls(world.repo)] == [1]
    assert sorted(world.hub.list_branches(world.repo)) == ["main", found.branch]
    assert world.hub.head(world.repo, found.branch) == found.head
    assert world.text(found.branch) == manifest("1.1.0")
    assert len(world.hub.log(world.repo, found.branch)) == 2


@ways()
def test_opening_while_the_base_moves(either: StageWorld, point: str) -> None:
    world = either
    """After the crash the plan is another one: a new base, so another promotion on the same branch."""

    def again(world: StageWorld) -> None:
        world.hub.push(world.repo, "main", {"README.md": b"moved\n"}, message="moved", author="ana")
        if world.rows()[-1].state is PromotionState.OPENING:
            apply(world.tools(), world.opening(world.promotion()))

    dies(world, point, open_it, again)
    found = world.rows()[-1]
    assert found.state is PromotionState.OPEN
    assert [row.state for row in world.rows() if row.state.in_flight] == [PromotionState.OPEN]
    assert len(world.hub.pulls(world.repo)) == 1
    assert world.hub.head(world.repo, found.branch) == found.head


def merge_it(world: StageWorld, points: CrashPoints | None = None) -> None:
    promotion = world.rows()[-1]
    if promotion.state is PromotionState.OPEN:
        apply(world.tools(points), world.merging(promotion))


@pytest.mark.parametrize("point", ["merged:before", "merged:after", "merged:saved", "history-saved:before", "history-saved:after"])
def test_merging(world: StageWorld, point: str) -> None:
    open_it(world)
    dies(world, point, merge_it, merge_it)
    found = world.only()
    assert found.state is PromotionState.MERGED
    assert found.merge_commit == world.hub.head(world.repo, "main")
    assert world.subjects().count("promote(qa): payments (#1)") == 1


def failed(world: StageWorld) -> None:
    open_it(world)
    merge_it(world)
    world.failed(world.only())


def revert_it(world: StageWorld, points: CrashPoints | None = None) -> None:
    promotion = world.only()
    if promotion.state is PromotionState.FAILED:
        apply(world.tools(points), world.reverting(promotion))


@both
@pytest.mark.parametrize("point", ["reverted:before", "reverted:after", "history-saved:before", "history-saved:after"])
def test_reverting(either: StageWorld, point: str) -> None:
    world = either
    failed(world)
    dies(world, point, revert_it, revert_it)
    found = world.only()
    assert (found.state, found.revert_commit) == (PromotionState.REVERTING, world.hub.head(world.repo, "main"))
    assert world.text() == manifest("1.0.0")
    assert world.subjects().count("revert payments") == 1


def revert_by_pull_request(world: StageWorld, points: CrashPoints | None = None) -> None:
    promotion = world.only()
    if promotion.state is PromotionState.FAILED:
        apply(world.tools(points), world.reverting(promotion, as_pull_request=True))


@both
@pytest.mark.parametrize(
    "point",
    [
        "revert-opened:before",
        "revert-opened:after",
        "revert-opened:saved",
        "revert-merged:before",
        "revert-merged:after",
        "revert-merged:saved",
        "history-saved:before",
        "history-saved:after",
    ],
)
def test_reverting_by_pull_request(either: StageWorld, point: str) -> None:
    world = either
    failed(world)
    dies(world, point, revert_by_pull_request, revert_by_pull_request)
    found = world.only()
    assert (found.state, found.revert_number, found.revert_commit) == (PromotionState.REVERTING, 2, world.hub.head(world.repo, "main"))
    assert world.text() == manifest("1.0.0")
    assert len(world.hub.pulls(world.repo)) == 2


@both
@pytest.mark.parametrize("moved", [False, True])
def test_a_revert_whose_branch_was_made_without_its_commit(either: StageWorld, moved: bool) -> None:
    """Where the forge signs, branch and commit are two steps of one request, and the second may fail alone."""
    world = either
    failed(world)
    branch = f"promotion-revert/qa/{world.only().id}"
    world.repositories.push(world.repo, {branch: (None, world.repositories.refresh(world.repo)["main"])})
    if moved:
        world.hub.push(world.repo, "main", {"README.md": b"moved\n"}, message="moved", author="ana")
    revert_by_pull_request(world)
    found = world.only()
    assert (found.state, found.revert_commit) == (PromotionState.REVERTING, world.hub.head(world.repo, "main"))
    assert world.text() == manifest("1.0.0")
    assert world.hub.read_file(world.repo, "main", "README.md") == (b"moved\n" if moved else b"qa\n")


def renew_it(world: StageWorld, points: CrashPoints | None = None) -> None:
    promotion = next(row for row in world.rows() if row.state is PromotionState.OPEN)
    if str(promotion.moves[0].new) == "1.1.0":
        apply(world.tools(points), renewal(world, promotion))


@both
@pytest.mark.parametrize("point", ["pull-updated:before", "pull-updated:after", "branch-pushed:before", "branch-pushed:after"])
def test_renewing(either: StageWorld, point: str) -> None:
    world = either
    open_it(world)
    dies(world, point, renew_it, renew_it)
    states = sorted(row.state for row in world.rows())
    assert states.count(PromotionState.OPEN) == 1
    fresh = next(row for row in world.rows() if row.state is PromotionState.OPEN)
    assert (str(fresh.moves[0].new), fresh.number) == ("1.2.0", 1)
    assert world.hub.head(world.repo, fresh.branch) == fresh.head
    assert world.text(fresh.branch) == manifest("1.2.0")
    assert [(pull.number, pull.title) for pull in world.hub.pulls(world.repo)] == [(1, "promote 1.2.0")]


def close_it(world: StageWorld, points: CrashPoints | None = None) -> None:
    promotion = world.only()
    if promotion.state.in_flight:
        apply(world.tools(points), ClosePromotion(promotion=promotion, reason="reverted upstream"))


@pytest.mark.parametrize("point", ["pull-closed:before", "pull-closed:after", "pull-closed:saved"])
def test_closing(world: StageWorld, point: str) -> None:
    """What was begun is finished before anybody looks: the closed pull request is not taken for a person's doing."""
    open_it(world)
    dies(world, point, close_it, lambda _world: None)
    assert (world.only().state, world.only().reason) == (PromotionState.CLOSED, "reverted upstream")
    assert world.hub.list_branches(world.repo) == ["main"]
    assert sum("reverted upstream" in comment.body for comment in world.hub.pull(world.repo, 1).comments) == 1


@pytest.mark.parametrize("point", ["shown:before", "shown:after"])
def test_showing(world: StageWorld, point: str) -> None:
    open_it(world)

    def show_it(world: StageWorld, points: CrashPoints | None = None) -> None:
        apply(world.tools(points), shown(world.only()))

    dies(world, point, show_it, show_it)
    assert sum("waits for soak" in comment.body for comment in world.hub.pull(world.repo, 1).comments) == 1


@pytest.mark.parametrize("point", ["replied:before", "replied:after", "replied:saved"])
def test_replying(world: StageWorld, point: str) -> None:
    open_it(world)
    comment = world.hub.comment(world.repo, 1, "ana", "/promote approve")
    action = Reply(number=1, comment_id=comment.id, reaction="confused", text="you need the role approver")

    def reply_it(world: StageWorld, points: CrashPoints | None = None) -> None:
        apply(world.tools(points), action)

    dies(world, point, reply_it, reply_it)
    assert sum("you need the role" in found.body for found in world.hub.pull(world.repo, 1).comments) == 1


class Chat:
    """A chat that, as the port says, posts once per key."""

    def __init__(self) -> None:
        self.posted: dict[str, str] = {}
        self.times = 0

    def post(self, *, key: str, text: str, **_other: object) -> str:
        if key not in self.posted:
            self.times += 1
        return self.posted.setdefault(key, text)


@pytest.mark.parametrize("point", ["notified:before", "notified:after"])
def test_notifying(world: StageWorld, point: str) -> None:
    chat = Chat()
    notice = Notify(key="k", thread="t", severity=Severity.INFO, stage="qa", text="healthy", fields={})
    with pytest.raises(Crashed):
        apply(world.tools(DiesAt(point), chat=chat), notice)
    from bot.reconcile.telling import post

    assert list(world.outbox.due(now=world.clock())) == [], "who claimed it may still be at it"
    world.clock.shift = CLAIM_LASTS

    for due in world.outbox.due(now=world.clock()):
        post(world.tools(chat=chat), due)
    assert (chat.posted, chat.times) == ({"k": "healthy"}, 1)
    assert list(world.outbox.due(now=world.clock())) == []


def test_a_promotion_that_was_never_pushed_is_planned_anew(world: StageWorld) -> None:
    promotion = world.promotion()
    world.history.save_promotion(replace(promotion, head="0" * 40), why="about to push", actor="promotion-bot", now=world.clock())
    assert settle(world.tools()) == 0
    assert world.only().state is PromotionState.OPENING
