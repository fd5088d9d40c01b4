"""`Forge.show` on the sandbox: one comment, one check, the labels; written only where they differ, and never doubled."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.github.budget import Priority
from bot.domain.errors import OutcomeUnknown, TransientError
from bot.domain.pull import CheckState
from tests.contract.forge_world import REPO, ForgeWorld, build

MARK = "<!-- promotion-bot:status -->"


@pytest.fixture(params=["app", "token"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ForgeWorld]:
    made = build(tmp_path, app=request.param == "app")
    yield made
    made.hub.stop()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[ForgeWorld]:
    made = build(tmp_path)
    yield made
    made.hub.stop()


def faces(world: ForgeWorld, number: int) -> list[str]:
    return [one.body for one in world.hub.pull(REPO, number).comments if MARK in one.body and one.author.login == world.forge.identity()]


def runs(world: ForgeWorld, number: int) -> list[tuple[str, str | None]]:
    head = world.hub.pull(REPO, number).head_sha
    repository = world.hub.repository(REPO)
    return [(run.name, run.conclusion) for run in repository.check_runs.values() if run.head_sha == head]


def test_a_face_is_shown_and_then_costs_nothing(world: ForgeWorld) -> None:
    number = world.open()
    bound = world.show(number, {})
    pull = world.read(number)
    assert [one.body for one in pull.comments] == [f"### waiting\n{MARK}"]
    assert set(pull.labels) == {"promotion:waiting"}
    assert [(check.name, check.state) for check in pull.checks] == [("promotion/qa", CheckState.PENDING)]
    with world.calls() as calls:
        assert world.show(number, bound, pull=pull) == bound
    assert calls() == []


def test_only_what_differs_is_written_by_one_document(app: ForgeWorld) -> None:
    number = app.open()
    bound = app.show(number, {})
    for change, fields in (
        ({"comment": "### ready"}, "updateIssueComment"),
        ({"comment": "### ready", "conclusion": "success"}, "updateCheckRun"),
        ({"comment": "### done", "conclusion": "neutral"}, "updateIssueComment,updateCheckRun"),
    ):
        pull = app.read(number)
        with app.calls() as calls:
            bound = app.show(number, bound, pull=pull, **change)
        assert calls() == [f"graphql {fields}"]
    assert faces(app, number) == [f"### done\n{MARK}"]
    assert runs(app, number) == [("promotion/qa", "neutral")]


def test_labels_follow_and_only_ours_are_taken_off(world: ForgeWorld) -> None:
    number = world.open()
    world.hub.label(REPO, number, "ada", "theirs")
    bound = world.show(number, {}, labels=["a", "b"])
    bound = world.show(number, bound, labels=["b", "c"])
    assert set(world.read(number).labels) == {"b", "c", "theirs"}
    assert set(world.show(number, {}, labels=["b"]).get("labels", "").split()) == {"b"}
    assert set(world.read(number).labels) == {"b", "theirs"}, "the timeline tells which labels are ours when nothing is remembered"
    world.hub.label(REPO, number, "ada", "b", remove=True)
    world.show(number, bound, labels=["b"])
    assert "b" in world.read(number).labels


def test_after_a_loss_of_memory_the_face_is_found_by_author_and_marker(world: ForgeWorld) -> None:
    number = world.open()
    world.hub.comment(REPO, number, "ada", f"I am the bot, all green {MARK}")
    world.show(number, {})
    for text in ("### two", "### three"):
        world.show(number, {}, comment=text, forge=world.again())
    assert faces(world, number) == [f"### three\n{MARK}"]
    assert len(world.hub.pull(REPO, number).comments) == 2
    assert len(runs(world, number)) <= 1


def test_a_stale_picture_of_the_pull_request_doubles_nothing(app: ForgeWorld) -> None:
    number = app.open()
    stale = app.read(number)
    app.show(number, {}, pull=stale)
    app.show(number, {}, pull=stale, comment="### two", forge=app.again())
    assert faces(app, number) == [f"### two\n{MARK}"]
    assert runs(app, number) == [("promotion/qa", None)]


@pytest.mark.parametrize(
    "kind", ["applied_then_500", "applied_then_reset", "applied_then:502", "truncate", "reset", "html200", "status:502"]
)
def test_a_lost_answer_doubles_nothing(app: ForgeWorld, kind: str) -> None:
    number = app.open()
    pull = app.as_opened(number)
    app.hub.faults.add("GRAPHQL", "addComment", kind=kind)
    with pytest.raises(OutcomeUnknown):
        app.show(number, {}, pull=pull, labels=["promotion"])
    app.show(number, {}, pull=pull, labels=["promotion"])
    assert faces(app, number) == [f"### waiting\n{MARK}"]
    assert runs(app, number) == [("promotion/qa", None)]


def test_a_deleted_comment_is_made_anew_once(app: ForgeWorld) -> None:
    number = app.open()
    bound = app.show(number, {})
    app.hub.pull(REPO, number).comments.clear()
    again = app.show(number, bound, comment="### two")
    assert faces(app, number) == [f"### two\n{MARK}"]
    assert again["comment"] != bound["comment"]
    app.show(number, again, comment="### three")
    assert faces(app, number) == [f"### three\n{MARK}"]


def test_a_comment_that_a_person_edited_is_restored(app: ForgeWorld) -> None:
    number = app.open()
    bound = app.show(number, {})
    ours = app.read(number).comments[0]
    app.hub.edit_comment(REPO, ours.id, "ada", f"### all green {MARK}")
    bound = app.show(number, bound)
    assert faces(app, number) == [f"### waiting\n{MARK}"]
    with app.calls() as calls:
        app.show(number, bound, pull=app.read(number))
    assert calls() == ["graphql repository,rateLimit"], "only the test's own reading"


def test_a_new_head_gets_its_own_check(app: ForgeWorld) -> None:
    number = app.open()
    bound = app.show(number, {}, conclusion="success")
    old = app.hub.pull(REPO, number).head_sha
    app.push("image: shop:1.2\n", old=old)
    bound = app.show(number, bound, conclusion="")
    assert runs(app, number) == [("promotion/qa", None)]
    assert bound["check_head"] == app.hub.pull(REPO, number).head_sha


@pytest.mark.parametrize(
    ("conclusion", "state"),
    [
        ("", CheckState.PENDING),
        ("pending", CheckState.PENDING),
        ("success", CheckState.SUCCESS),
        ("failure", CheckState.FAILURE),
        ("timed_out", CheckState.FAILURE),
    ],
)
def test_conclusions(world: ForgeWorld, conclusion: str, state: CheckState) -> None:
    number = world.open()
    world.show(number, {}, conclusion=conclusion, title="t" * 500, summary="s" * 70_000, comment="c" * 70_000)
    (check,) = world.read(number).checks
    assert check.state is state


def test_what_the_forge_forbids_is_named_and_the_rest_is_shown(tmp_path: Path) -> None:
    rights = {"metadata": "read", "contents": "write", "pull_requests": "write", "issues": "write"}
    world = build(tmp_path, permissions=rights)
    try:
        number = world.open()
        bound = world.show(number, {}, pull=world.as_opened(number))
        assert "checks: write" in bound["problem"]
        assert faces(world, number) == [f"### waiting\n{MARK}"]
        assert "check" not in bound
    finally:
        world.hub.stop()


def test_when_the_budget_is_short_cosmetics_wait_and_merges_do_not(app: ForgeWorld) -> None:
    number = app.open()
    pull = app.read(number)
    app.forge.identity()
    for _ in range(70):
        try:
            app.forge.budget.spend(Priority.COSMETIC)
        except TransientError:
            break
    with app.calls() as calls, pytest.raises(TransientError) as caught:
        app.show(number, {}, pull=pull)
    assert caught.value.retry_after is not None
    assert not any("addComment" in call for call in calls())
    app.forge.merge(REPO, number, head=pull.head, method="squash", title="t")
