"""What the forge answers when GitHub fails: only our three families leave the adapter, a write is never sent twice, pauses are kept."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.github.connecting import connect
from bot.adapters.github.forge import GitHubForge
from bot.domain.errors import OutcomeUnknown, RateLimited, Refused, Stale, TransientError, UserError
from bot.domain.pull import PullState
from tests.contract.forge_world import BRANCH, MAIN, REPO, ForgeWorld, build

MERGE = "/repos/*/pulls/*/merge"
PULLS = "/repos/*/pulls"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ForgeWorld]:
    made = build(tmp_path)
    yield made
    made.hub.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForgeWorld]:
    made = build(tmp_path_factory.mktemp("forge"))
    made.open()
    made.hub.comment(REPO, 1, "ada", "hello")
    yield made
    made.hub.stop()


def asked(world: ForgeWorld, method: str) -> int:
    return sum(1 for entry in world.hub.ledger.rest if entry.method == method and "access_tokens" not in entry.operation)


@pytest.mark.parametrize("kind", ["applied_then_500", "applied_then_reset", "applied_then:502", "truncate"])
def test_an_opening_whose_answer_is_lost_is_found_and_not_repeated(world: ForgeWorld, kind: str) -> None:
    head = world.push()
    world.hub.faults.add("POST", PULLS, kind=kind)
    with pytest.raises(OutcomeUnknown):
        world.forge.open_pull(REPO, branch=BRANCH, base_branch=MAIN, title="t", body="b")
    assert asked(world, "POST") == 1, "nobody sent it twice"
    found = world.forge.find_pull(REPO, BRANCH, head=head)
    assert found is not None
    again = world.forge.open_pull(REPO, branch=BRANCH, base_branch=MAIN, title="t", body="b")
    assert again.number == found.number
    assert len(world.hub.pulls(REPO)) == 1


@pytest.mark.parametrize("kind", ["reset", "status:502", "html200", "status:500"])
def test_an_opening_that_never_arrived_is_unknown_too_and_nothing_is_found(world: ForgeWorld, kind: str) -> None:
    world.push()
    world.hub.faults.add("POST", PULLS, kind=kind)
    with pytest.raises(OutcomeUnknown):
        world.forge.open_pull(REPO, branch=BRANCH, base_branch=MAIN, title="t", body="b")
    assert world.forge.find_pull(REPO, BRANCH) is None


@pytest.mark.parametrize("kind", ["applied_then_500", "applied_then_reset", "applied_then:504", "truncate"])
def test_a_merge_whose_answer_is_lost_is_sent_once(world: ForgeWorld, kind: str) -> None:
    number = world.open()
    head = world.read(number).head
    world.hub.faults.add("PUT", MERGE, kind=kind)
    with pytest.raises(OutcomeUnknown):
        world.forge.merge(REPO, number, head=head, method="squash", title="t")
    assert asked(world, "PUT") == 1
    found = world.forge.find_pull(REPO, BRANCH, head=head)
    assert found is not None
    assert found.state is PullState.MERGED


def test_an_answer_that_comes_too_late_is_unknown_after_a_write(world: ForgeWorld) -> None:
    number = world.open()
    head = world.read(number).head
    hasty = connect(world.access, clock=world.clock, api_url=world.hub.api_url, timeout=timedelta(seconds=1))
    hasty.identity()
    world.hub.faults.add("PUT", MERGE, kind="delay:2")
    with pytest.raises(OutcomeUnknown):
        hasty.merge(REPO, number, head=head, method="squash", title="t")
    world.hub.faults.add("GRAPHQL", "repository", kind="delay:2")
    with pytest.raises(TransientError) as caught:
        hasty.find_pull(REPO, BRANCH)
    assert not isinstance(caught.value, OutcomeUnknown)


@pytest.mark.parametrize(
    ("fault", "family"),
    [
        ("status:405:Base branch was modified. Review and try the merge again.", Stale),
        ("status:405:Pull Request is not mergeable", Stale),
        ("status:409:Head branch was modified. Review and try the merge again.", Stale),
        ("status:405:Rebase merges are not allowed on this repository.", Refused),
        ("status:403:Resource not accessible by integration", Refused),
        ("status:404:Not Found", TransientError),
    ],
)
def test_refusals_of_a_merge(world: ForgeWorld, fault: str, family: type) -> None:
    number = world.open()
    world.hub.faults.add("PUT", MERGE, kind=fault)
    with pytest.raises(family):
        world.forge.merge(REPO, number, head=world.read(number).head, method="squash", title="t")
    assert world.read(number).state is PullState.OPEN


def test_reading_is_repeated_by_itself_and_writing_is_not(world: ForgeWorld) -> None:
    world.hub.faults.add("GET", "/repos/*/collaborators/*/permission", kind="status:502", times=2)
    assert world.forge.permission(REPO, "ada") == "write"
    assert asked(world, "GET") == 3


def test_a_query_that_is_too_much_is_asked_in_smaller_pages(world: ForgeWorld) -> None:
    number = world.open()
    world.hub.faults.add("GRAPHQL", "repository*", kind="status:502")
    with world.calls() as calls:
        assert [pull.number for pull in world.forge.pulls(REPO, base_branch=MAIN, prefix="promote/")] == [number]
    assert len(calls()) == 2


def test_a_secondary_limit_stops_everything_for_as_long_as_it_says(world: ForgeWorld) -> None:
    number = world.open()
    world.hub.faults.add("POST", "/repos/*/issues/*/labels", kind="secondary_limit:30")
    with pytest.raises(RateLimited) as caught:
        world.forge.add_labels(REPO, number, ["x"])
    assert caught.value.retry_after == timedelta(seconds=30)
    with world.calls() as calls:
        for ask in (lambda: world.forge.find_pull(REPO, BRANCH), lambda: world.forge.permission(REPO, "ada")):
            with pytest.raises(RateLimited):
                ask()
    assert calls() == [], "nothing is sent during the pause"
    world.ticks[0] += 30
    world.forge.add_labels(REPO, number, ["x"])
    assert set(world.read(number).labels) == {"x"}


def test_a_secondary_limit_that_names_no_end_is_waited_for_longer_each_time(world: ForgeWorld) -> None:
    number = world.open()
    world.hub.faults.add("POST", "/repos/*/issues/*/labels", kind="status:403:You have exceeded a secondary rate limit.", times=2)
    for seconds in (60, 120):
        with pytest.raises(RateLimited) as caught:
            world.forge.add_labels(REPO, number, ["x"])
        assert caught.value.retry_after == timedelta(seconds=seconds)
        world.ticks[0] += seconds
    world.forge.add_labels(REPO, number, ["x"])


def test_a_primary_limit_stops_its_own_resource(world: ForgeWorld) -> None:
    world.push()
    world.hub.faults.add("GRAPHQL", "repository", kind="primary_limit")
    with pytest.raises(RateLimited) as caught:
        world.forge.find_pull(REPO, BRANCH)
    assert caught.value.retry_after is not None
    assert timedelta(seconds=30) < caught.value.retry_after <= timedelta(seconds=70)
    with pytest.raises(RateLimited):
        world.forge.find_pull(REPO, BRANCH)
    world.forge.open_pull(REPO, branch=BRANCH, base_branch=MAIN, title="t", body="b")
    world.ticks[0] += 70
    assert world.forge.find_pull(REPO, BRANCH) is not None


def methods(world: ForgeWorld) -> dict[str, Callable[[GitHubForge], object]]:
    """Every method of the port."""
    pull = world.as_opened(1)
    head = pull.head
    face = {"comment": "c", "check": "promotion/qa", "conclusion": "success", "title": "t", "summary": "s", "labels": ["l"]}
    return {
        "identity": lambda forge: forge.identity(),
        "pulls": lambda forge: forge.pulls(REPO, base_branch=MAIN, prefix="promote/", numbers=[1]),
        "find_pull": lambda forge: forge.find_pull(REPO, BRANCH),
        "open_pull": lambda forge: forge.open_pull(REPO, branch="nowhere", base_branch=MAIN, title="t", body="b"),
        "add_labels": lambda forge: forge.add_labels(REPO, 1, ["l"]),
        "update_pull": lambda forge: forge.update_pull(REPO, 1, title="t", body="b"),
        "close_pull": lambda forge: forge.close_pull(REPO, 999),
        "merge": lambda forge: forge.merge(REPO, 1, head="0" * 40, method="squash", title="t"),
        "queue_merge": lambda forge: forge.queue_merge(REPO, pull, head="0" * 40, method="squash"),
        "show": lambda forge: forge.show(REPO, pull, bound={}, **face),  # type: ignore[arg-type]
        "react": lambda forge: forge.react(REPO, world.hub.pull(REPO, 1).comments[0].id, "eyes"),
        "settle": lambda forge: forge.settle(
            REPO, world.read(1).comments[0].node_id, "rocket", instead_of="eyes", hide=[world.read(1).comments[0].node_id]
        ),
        "reply": lambda forge: forge.reply(REPO, 1, "text", marker="reply:1"),
        "permission": lambda forge: forge.permission(REPO, "ada"),
        "teams_of": lambda forge: forge.teams_of("ada", ["acme/release"]),
        "commit_files": lambda forge: forge.commit_files(
            REPO, branch=BRANCH, expected=head, files={"x": b"1"}, message="m", create_from=head
        ),
    }


METHODS = (
    "identity", "pulls", "find_pull", "open_pull", "add_labels", "update_pull", "close_pull", "merge", "queue_merge",
    "show", "react", "settle", "reply", "permission", "teams_of", "commit_files",
)  # fmt: skip
STRIKES = (
    "status:500", "status:401", "status:403:Resource not accessible by integration", "status:404:Not Found", "status:422:x", "status:429:x",
    "status:301:Moved", "status:307:Moved", "applied_then_500", "reset", "truncate", "html200", "secondary_limit", "primary_limit",
    "stale_read",
)  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_nothing_but_our_errors_leaves_the_adapter(shared: ForgeWorld, method: str) -> None:
    """Every method under every fault, at its first request and for ever: an answer, a UserError or a TransientError."""
    assert set(METHODS) == set(methods(shared))
    for kind in STRIKES:
        forge = shared.again()
        if method != "identity":
            forge.identity()
            forge.credentials.token()
        for verb in ("GET", "POST", "PUT", "PATCH", "GRAPHQL"):
            shared.hub.faults.add(verb, "*", kind=kind, times=None)
        try:
            methods(shared)[method](forge)
        except (UserError, TransientError):
            continue
        finally:
            shared.hub.faults.clear()


def test_a_server_that_is_gone_is_transient_everywhere(tmp_path: Path) -> None:
    world = build(tmp_path)
    number = world.open()
    world.hub.comment(REPO, number, "ada", "hello")
    world.forge.identity()
    calls = methods(world)
    world.hub.stop()
    for name, call in calls.items():
        if name != "identity":
            with pytest.raises(TransientError) as caught:
                call(world.forge)
            assert not isinstance(caught.value, OutcomeUnknown), f"{name}: nothing was sent"
    with pytest.raises(TransientError):
        world.repositories.refresh(REPO)
