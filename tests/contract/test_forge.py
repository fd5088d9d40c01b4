"""`Forge` on the GitHub-compatible sandbox: what each method does and what it costs, as a GitHub App and with a token."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.errors import Refused, Stale
from bot.domain.pull import CheckState, PullState, ReviewState
from tests.contract.forge_world import BRANCH, MAIN, REPO, ForgeWorld, build


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


def test_we_know_who_we_are(world: ForgeWorld) -> None:
    expected = "promoter[bot]" if world.forge.credentials.is_app else "robot"
    assert world.forge.identity() == expected
    with world.calls() as calls:
        assert world.forge.identity() == expected
    assert calls() == []


def test_a_pull_request_is_opened_by_one_push_and_one_call(world: ForgeWorld) -> None:
    head = world.push()
    with world.calls() as calls:
        opened = world.forge.open_pull(REPO, branch=BRANCH, base_branch=MAIN, title="promote(qa): shop", body="why\n<!-- id -->")
    assert [call for call in calls() if "access_tokens" not in call] == ["rest /repos/{owner}/{repo}/pulls"]
    pull = world.read(opened.number)
    assert (pull.number, pull.node_id, pull.url) == (opened.number, opened.node_id, opened.url)
    assert (pull.title, pull.body, pull.branch, pull.head) == ("promote(qa): shop", "why\n<!-- id -->", BRANCH, head)
    assert (pull.base_branch, pull.base, pull.state) == (MAIN, world.hub.head(REPO, MAIN), PullState.OPEN)
    assert pull.ours
    assert pull.author.login == world.forge.identity()
    assert pull.author.bot is world.forge.credentials.is_app
    assert pull.mergeable is True
    assert pull.comments == pull.reviews == pull.checks == ()
    assert pull.labels == {}


def test_labels_are_made_and_put_on_by_one_call(world: ForgeWorld) -> None:
    number = world.open()
    with world.calls() as calls:
        world.forge.add_labels(REPO, number, ["promotion", "qa: ä"])
    assert calls() == ["rest /repos/{owner}/{repo}/issues/{issue_number}/labels"]
    labels = world.read(number).labels
    assert set(labels) == {"promotion", "qa: ä"}
    event = labels["promotion"]
    assert event is not None
    assert event.actor.login == world.forge.identity()
    with world.calls() as calls:
        world.forge.add_labels(REPO, number, [])
    assert calls() == []


def test_one_query_reads_all_that_people_and_ci_said(world: ForgeWorld) -> None:
    number = world.open()
    hub = world.hub
    hub.add_user("bob")
    hub.add_collaborator(REPO, "bob", "read")
    head = world.read(number).head
    hub.approve(REPO, number, "ada")
    hub.approve(REPO, number, "bob", state="CHANGES_REQUESTED", body="no")
    first = hub.comment(REPO, number, "bob", "looks fine")
    hub.label(REPO, number, "ada", "hurry")
    hub.set_status(REPO, head, "ci/old", "failure")
    hub.set_status(REPO, head, "ci/old", "success")
    hub.set_status(REPO, head, "ci/wait", "pending")
    hub.set_check(REPO, head, "build", "failure")
    hub.set_check(REPO, head, "lint", "skipped")
    hub.set_check(REPO, head, "deploy", None)
    hub.edit_comment(REPO, first.id, "bob", "edited")
    with world.calls() as calls:
        (pull,) = world.forge.pulls(REPO, base_branch=MAIN, prefix="promote/qa/")
    assert calls() == ["graphql repository,rateLimit"]
    assert [(review.author.login, review.state, review.commit) for review in pull.reviews] == [
        ("ada", ReviewState.APPROVED, head),
        ("bob", ReviewState.CHANGES_REQUESTED, head),
    ]
    assert [(one.author.login, one.body, one.edited, one.ours, one.via_app) for one in pull.comments] == [
        ("bob", "edited", True, False, False)
    ]
    assert pull.comments[0].id == first.id
    assert pull.comments[0].author.id == hub.account("bob").id
    label = pull.labels["hurry"]
    assert label is not None
    assert label.actor.login == "ada"
    assert {check.name: check.state for check in pull.checks} == {
        "build": CheckState.FAILURE,
        "ci/old": CheckState.SUCCESS,
        "ci/wait": CheckState.PENDING,
        "deploy": CheckState.PENDING,
        "lint": CheckState.SKIPPED,
    }
    assert {check.commit for check in pull.checks} == {head}
    assert not any(check.required for check in pull.checks)


def test_a_required_check_that_nobody_reported_is_pending(app: ForgeWorld) -> None:
    app.hub.protect(REPO, MAIN, checks=("ci/must", "ci/done"))
    number = app.open()
    app.hub.set_status(REPO, app.read(number).head, "ci/done", "success")
    checks = {check.name: (check.state, check.required) for check in app.read(number).checks}
    assert checks == {"ci/must": (CheckState.PENDING, True), "ci/done": (CheckState.SUCCESS, True)}

    assert app.forge.required_checks(REPO, MAIN) == {"ci/must", "ci/done"}
    assert app.forge.required_checks(REPO, "nowhere") == frozenset()


def test_pulls_are_those_of_the_prefix_and_of_the_numbers(app: ForgeWorld) -> None:
    mine = app.open()
    other = app.open(branch="promote/prod/shop")
    app.hub.push(REPO, "feature", {"x": "1"}, message="x", author="ada", base=MAIN)
    human = app.hub.open_pr(REPO, title="human", head="feature", base=MAIN, author="ada").number
    app.hub.close_pr(REPO, other, "ada")
    assert [pull.number for pull in app.forge.pulls(REPO, base_branch=MAIN, prefix="promote/")] == [mine]
    assert [pull.number for pull in app.forge.pulls(REPO, base_branch="nowhere", prefix="promote/")] == []
    found = {pull.number: pull for pull in app.forge.pulls(REPO, base_branch=MAIN, prefix="promote/", numbers=[mine, other, human])}
    assert set(found) == {mine, other, human}
    assert found[other].state is PullState.CLOSED
    assert found[other].closed_at is not None
    assert not found[human].ours
    assert [pull.number for pull in app.forge.pulls(REPO, base_branch=MAIN, prefix="promote/", numbers=[999, mine])] == [mine]


def test_more_than_a_page_of_everything_is_read_whole(app: ForgeWorld) -> None:
    number = app.open()
    head = app.read(number).head
    for count in range(205):
        app.hub.comment(REPO, number, "ada", f"comment {count}")
    for count in range(103):
        app.hub.set_status(REPO, head, f"ci/{count}", "success")
        if count < 5:
            app.hub.approve(REPO, number, "ada", state="COMMENTED", body=f"review {count}")
    pull = app.read(number)
    assert [one.body for one in pull.comments] == [f"comment {count}" for count in range(205)]
    assert [one.body for one in pull.reviews] == [f"review {count}" for count in range(5)]
    assert len(pull.checks) == 103
    app.forge.show(REPO, pull, comment="status", check="c", conclusion="success", title="t", summary="s", labels=[], bound={})
    with app.calls() as calls:
        app.again().show(REPO, app.read(number), comment="status", check="c", conclusion="", title="t", summary="s", labels=[], bound={})
    assert sum(1 for one in app.hub.pull(REPO, number).comments if "status" in one.body) == 1
    assert "graphql addComment" not in " ".join(calls())


@pytest.mark.slow
def test_fifty_pull_requests_cost_one_query_and_fifty_one_cost_two(app: ForgeWorld) -> None:
    base = app.repositories.refresh(REPO)[MAIN]
    updates = {}
    for count in range(51):
        files = {f"qa/{count}.yaml": b"1"}
        updates[f"promote/qa/{count}"] = (None, app.repositories.commit(REPO, parent=base, files=files, message="m", at=app.clock()))
    app.repositories.push(REPO, updates)
    for count, branch in enumerate(updates):
        app.ticks[0] += 1
        app.forge.open_pull(REPO, branch=branch, base_branch=MAIN, title=f"t{count}", body="")
    with app.calls() as calls:
        pulls = app.forge.pulls(REPO, base_branch=MAIN, prefix="promote/")
    assert len(pulls) == 51
    assert len(calls()) == 2
    app.hub.close_pr(REPO, pulls[0].number, "ada")
    with app.calls() as calls:
        assert len(app.forge.pulls(REPO, base_branch=MAIN, prefix="promote/")) == 50
    assert len(calls()) == 1


def test_find_pull_takes_the_newest_from_this_branch(app: ForgeWorld) -> None:
    assert app.forge.find_pull(REPO, BRANCH) is None
    first = app.open()
    old = app.read(first).head
    app.hub.close_pr(REPO, first, "ada")
    new = app.push("image: shop:1.2\n", old=old)
    second = app.forge.open_pull(REPO, branch=BRANCH, base_branch=MAIN, title="t", body="").number
    newest = app.forge.find_pull(REPO, BRANCH)
    assert newest is not None
    assert (newest.number, newest.head) == (second, new)
    with app.calls() as calls:
        assert app.forge.find_pull(REPO, BRANCH, head="0" * 40) is None
    assert calls() == ["graphql repository"]


def test_title_and_body_change_and_it_closes(world: ForgeWorld) -> None:
    number = world.open()
    with world.calls() as calls:
        world.forge.update_pull(REPO, number, title="new", body="new body")
        world.forge.close_pull(REPO, number)
    assert calls() == ["rest /repos/{owner}/{repo}/pulls/{pull_number}"] * 2
    pull = world.read(number)
    assert (pull.title, pull.body, pull.state) == ("new", "new body", PullState.CLOSED)
    world.forge.close_pull(REPO, number)


def test_a_second_pull_request_of_ours_is_adopted_and_anothers_is_not(app: ForgeWorld) -> None:
    number = app.open()
    opened = app.forge.open_pull(REPO, branch=BRANCH, base_branch=MAIN, title="again", body="")
    assert opened.number == number
    app.push(branch="promote/qa/hers")
    app.hub.open_pr(REPO, title="hers", head="promote/qa/hers", base=MAIN, author="ada")
    with pytest.raises(Refused) as caught:
        app.forge.open_pull(REPO, branch="promote/qa/hers", base_branch=MAIN, title="t", body="")
    assert caught.value.code == "PullNotOurs"


def test_a_branch_without_a_difference_is_stale(app: ForgeWorld) -> None:
    base = app.repositories.refresh(REPO)[MAIN]
    app.repositories.push(REPO, {BRANCH: (None, base)})
    with pytest.raises(Stale):
        app.forge.open_pull(REPO, branch=BRANCH, base_branch=MAIN, title="t", body="")


def test_a_promotion_costs_four_calls(world: ForgeWorld) -> None:
    world.forge.identity()
    pull = world.read(world.open(branch="promote/qa/warm"))
    world.forge.add_labels(REPO, pull.number, ["promotion", "done"])
    world.push()
    with world.calls() as calls:
        number = world.forge.open_pull(REPO, branch=BRANCH, base_branch=MAIN, title="t", body="b").number
        world.forge.add_labels(REPO, number, ["promotion"])
        pull = world.hub.pull(REPO, number)
        shown = world.show(number, {}, pull=world.as_opened(number), labels=["promotion", "done"], conclusion="success")
        world.forge.merge(REPO, number, head=pull.head_sha, method="squash", title="t")
    rest = [call for call in calls() if call.startswith("rest")]
    graphql = [call for call in calls() if call.startswith("graphql")]
    assert len(graphql) == 1
    assert len(rest) == (3 if world.forge.credentials.is_app else 4)
    assert "problem" not in shown
    assert dict(world.forge.ledger.of(f"{REPO}#{number}")) == {"rest": len(rest), "graphql": 1}
