# ruff: noqa: E501
"""GraphQL's picture brought to ours: states, people, required checks; and no odd answer is half believed."""

import copy
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.adapters.github.pages import Known, Reader
from bot.adapters.github.reading import GHOST, Required, check, checks, labels, person, required_checks, review
from bot.adapters.github.reply import Ask
from bot.adapters.github.wire import Graph
from bot.domain.errors import TransientError
from bot.domain.pull import CheckState, PullRequest

AT = "2026-05-01T10:00:00Z"
LATER = "2026-05-01T11:00:00Z"
HEAD = "a" * 40
USER = {"__typename": "User", "login": "ada", "databaseId": 5}
BOT = {"__typename": "Bot", "login": "promoter", "databaseId": 9}


def status(context: str, state: str, at: str = AT, creator: Mapping[str, Any] | None = USER) -> dict[str, Any]:
    return {"__typename": "StatusContext", "context": context, "state": state, "createdAt": at, "targetUrl": None, "creator": creator}


def run(name: str, conclusion: str | None, *, done: bool = True, at: str = AT, app: int | None = 7) -> dict[str, Any]:
    return {
        "__typename": "CheckRun",
        "id": "CR",
        "name": name,
        "status": "COMPLETED" if done else "IN_PROGRESS",
        "conclusion": conclusion,
        "startedAt": at,
        "completedAt": at if done else None,
        "detailsUrl": "https://ci/1",
        "checkSuite": {"app": None if app is None else {"databaseId": app, "slug": f"app{app}"}},
    }


def connection(*nodes: Mapping[str, Any]) -> dict[str, Any]:
    page = {"hasPreviousPage": False, "startCursor": None, "hasNextPage": False, "endCursor": None}
    return {"pageInfo": page, "nodes": list(nodes)}


def pull_node() -> dict[str, Any]:
    comment = {"id": "IC", "fullDatabaseId": "4294967299", "body": "hi", "createdAt": AT, "lastEditedAt": None, "isMinimized": False}
    return {
        "id": "PR_1", "number": 7, "url": "https://h/7", "title": "t", "body": "b", "state": "OPEN", "isCrossRepository": False,
        "headRefName": "promote/qa/x", "headRefOid": HEAD, "baseRefName": "main", "baseRefOid": "b" * 40, "mergeable": "UNKNOWN",
        "createdAt": AT, "updatedAt": LATER, "mergedAt": None, "closedAt": None, "viewerDidAuthor": True, "author": BOT, "mergedBy": None,
        "mergeCommit": None, "labels": {"nodes": [{"id": "LA", "name": "l"}]},
        "timelineItems": {"nodes": [{"createdAt": AT, "label": {"name": "l"}, "actor": USER}]},
        "comments": connection(comment | {"viewerDidAuthor": False, "author": None}),
        "reviews": connection(
            {"fullDatabaseId": "3", "state": "APPROVED", "body": "", "submittedAt": AT, "author": USER, "commit": {"oid": HEAD}}
        ),
        "commits": {"nodes": [{"commit": {"oid": HEAD, "statusCheckRollup": {"contexts": connection(run("ci", "SUCCESS"), status("s", "PENDING"))}}}]},
    }  # fmt: skip


class Canned:
    """A wire whose answer is given."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data

    def graphql(self, document: str, variables: Mapping[str, object], ask: Ask) -> Graph:
        return Graph(data=self.data)

    def rest(self, verb: str, path: str, ask: Ask) -> Any:
        raise AssertionError("nothing here asks REST")


def read(home: Mapping[str, Any]) -> list[PullRequest]:
    reader = Reader(Canned({"repository": home}), Known(), lambda: datetime(2026, 5, 1, tzinfo=UTC))  # type: ignore[arg-type]
    return reader.pulls("acme/env", base_branch="main", prefix="promote/", numbers=[])


def home() -> dict[str, Any]:
    rules = {
        "nodes": [
            {"parameters": {"requiredStatusChecks": [{"context": "must", "integrationId": None}]}},
            {"parameters": None},
            {"parameters": {}},
        ]
    }
    return {
        "id": "R_1",
        "labels": {"nodes": []},
        "ref": {"refUpdateRule": {"requiredStatusCheckContexts": ["ci"]}, "rules": rules},
        "pullRequests": connection(pull_node()),
    }


def test_a_whole_pull_request() -> None:
    (pull,) = read(home())
    assert (pull.number, pull.head, pull.mergeable, pull.ours) == (7, HEAD, None, True)
    assert (pull.author.login, pull.author.bot, pull.author.id) == ("promoter[bot]", True, 9)
    assert pull.comments[0].author == GHOST
    assert pull.comments[0].id == 2**32 + 3, "ids have more than 32 bits"
    assert {one.name: (one.state, one.required) for one in pull.checks} == {
        "ci": (CheckState.SUCCESS, True),
        "must": (CheckState.PENDING, True),
        "s": (CheckState.PENDING, False),
    }
    event = pull.labels["l"]
    assert event is not None
    assert event.actor.login == "ada"


def test_a_rollup_of_another_commit_says_nothing_about_the_head() -> None:
    node = home()
    node["pullRequests"]["nodes"][0]["commits"]["nodes"][0]["commit"]["oid"] = "c" * 40
    (pull,) = read(node)
    assert {one.state for one in pull.checks} == {CheckState.PENDING}
    assert {one.name for one in pull.checks} == {"ci", "must"}


def test_a_fork_cannot_pass_for_our_branch() -> None:
    node = home()
    node["pullRequests"]["nodes"][0]["isCrossRepository"] = True
    assert read(node) == []


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if here:
        yield here
    if isinstance(value, dict):
        for key in value:
            yield from paths(value[key], (*here, key))
    elif isinstance(value, list):
        for key, entry in enumerate(value):
            yield from paths(entry, (*here, key))


@pytest.mark.parametrize("odd", [None, "", 0, [], {}, "x", -1, True, "gone"], ids=repr)
def test_an_answer_with_any_one_thing_odd_is_refused_or_read_never_a_crash(odd: object) -> None:
    for path in paths(home()):
        answer = copy.deepcopy(home())
        place: Any = answer
        for step in path[:-1]:
            place = place[step]
        if odd == "gone":
            del place[path[-1]]
        else:
            place[path[-1]] = odd
        try:
            found = read(answer)
        except TransientError:
            continue
        assert len(found) <= 1


@pytest.mark.parametrize(
    ("node", "state"),
    [
        (status("s", "SUCCESS"), CheckState.SUCCESS),
        (status("s", "EXPECTED"), CheckState.PENDING),
        (status("s", "ERROR"), CheckState.FAILURE),
        (status("s", "SOMETHING_NEW"), CheckState.FAILURE),
        (run("r", None, done=False), CheckState.PENDING),
        (run("r", "SUCCESS", done=False), CheckState.PENDING),
        (run("r", "SUCCESS"), CheckState.SUCCESS),
        (run("r", "NEUTRAL"), CheckState.NEUTRAL),
        (run("r", "SKIPPED"), CheckState.SKIPPED),
        *(
            (run("r", word), CheckState.FAILURE)
            for word in ("CANCELLED", "TIMED_OUT", "ACTION_REQUIRED", "STALE", "STARTUP_FAILURE", "NEW")
        ),
        (run("r", None), CheckState.FAILURE),
    ],
)
def test_states_of_checks(node: dict[str, Any], state: CheckState) -> None:
    assert check(node, HEAD)[0].state is state


def test_of_one_source_the_newest_and_of_several_the_worst() -> None:
    again = checks([run("ci", "FAILURE"), run("ci", "SUCCESS", at=LATER)], HEAD, Required())
    assert [one.state for one in again] == [CheckState.SUCCESS]
    reverse = checks([run("ci", "SUCCESS", at=LATER), run("ci", "FAILURE")], HEAD, Required())
    assert [one.state for one in reverse] == [CheckState.SUCCESS]
    spoof = checks([run("ci", "FAILURE"), run("ci", "SUCCESS", at=LATER, app=8)], HEAD, Required())
    assert [one.state for one in spoof] == [CheckState.FAILURE]


def test_a_required_check_counts_from_its_app_only() -> None:
    required = Required(contexts={"ci": 7})
    assert checks([run("ci", "SUCCESS", app=8)], HEAD, required)[0].state is CheckState.PENDING
    found = checks([run("ci", "SUCCESS", app=7), run("ci", "FAILURE", app=8)], HEAD, required)
    assert [(one.state, one.required) for one in found] == [(CheckState.SUCCESS, True)]


def test_required_checks_of_protection_and_rulesets() -> None:
    assert required_checks(None).contexts == {}
    assert required_checks({"refUpdateRule": None, "rules": None}).contexts == {}
    assert required_checks(home()["ref"]).contexts == {"ci": None, "must": None}


def test_people() -> None:
    assert person(None) is GHOST
    assert person(BOT).login == "promoter[bot]"
    assert person({"__typename": "Mannequin", "login": "m"}).id == 0
    assert review({"state": "PENDING", "submittedAt": None, "fullDatabaseId": "1", "author": USER, "body": "", "commit": None}) is None


def test_who_put_a_label_on_last() -> None:
    node = pull_node()
    node["timelineItems"]["nodes"].append({"createdAt": LATER, "label": {"name": "l"}, "actor": BOT})
    node["labels"]["nodes"].append({"id": "LB", "name": "old"})
    found = labels(node)
    assert found["l"] is not None
    assert found["l"].actor.bot
    assert found["old"] is None
