"""Delivery events as JSON: nothing is lost on the way there and back, and what is wrong is named with its place."""

import json
from typing import Any

import pytest

from bot.domain.history import Deploy, Failure, PullRef
from bot.domain.history_file import read_history
from bot.domain.history_json import HistoryError, event_to_json, read_event, unknown_fields

DEPLOY: dict[str, Any] = {
    "t": "deploy", "id": "d1", "service": "api", "stage": "prod", "at": "2025-03-04T09:00:00Z", "version": "v1", "status": "success",
}  # fmt: skip
FULL = DEPLOY | {
    "kind": "hotfix",
    "commits": [{"sha": "a", "at": "2025-03-04T08:00:00Z"}],
    "prs": [{"number": 3, "merged_at": "2025-03-04T08:30:00Z", "commits": ["a"]}, {"number": 4}],
    "fixes": ["d0"],
    "reverts_prs": [2],
    "rolls_back": "d0",
    "baseline": True,
    "team": "red",
    "doubts": ["commit_time"],
}
FAILURE = {
    "t": "failure", "id": "f1", "deploy": "d1", "at": "2025-03-04T10:00:00Z", "service": "api", "stage": "prod", "source": "incident",
    "cause": "disk", "team": "red",
}  # fmt: skip
RECOVERY = {"t": "recovery", "failure": "f1", "at": "2025-03-04T11:00:00Z"}


@pytest.mark.parametrize("raw", [DEPLOY, FULL, FAILURE, {**FAILURE, "deploy": "d1"}, RECOVERY], ids=lambda raw: f"{raw['t']}-{len(raw)}")
def test_an_event_comes_back_as_it_was_written(raw: dict[str, Any]) -> None:
    event = read_event(raw)
    assert event_to_json(event) == raw
    assert read_event(json.loads(json.dumps(event_to_json(event)))) == event
    assert unknown_fields(raw) == frozenset()


def test_null_and_empty_count_as_absent() -> None:
    nothing = {"kind": None, "commits": None, "prs": None, "fixes": [], "reverts_prs": None, "rolls_back": None, "baseline": False}
    event = read_event(DEPLOY | nothing | {"team": None, "doubts": None})
    assert event == read_event(DEPLOY)
    assert event_to_json(event) == DEPLOY
    empty = read_event(DEPLOY | {"prs": [{"number": 1, "merged_at": None, "commits": None}], "commits": []})
    assert isinstance(empty, Deploy)
    assert (empty.prs, empty.commits) == ((PullRef(number=1),), ())
    bare = read_event({**FAILURE, "deploy": None, "cause": None})
    assert isinstance(bare, Failure)
    assert (bare.deploy, bare.cause) == (None, None)


WRONG: list[tuple[object, str | None, str]] = [
    ("deploy", None, "an event is a JSON object"),
    ({}, "t", "it is missing"),
    ({"t": "rollout"}, "t", "'rollout' is not a kind of event"),
    ({"t": 7}, "t", "7 is not a kind of event"),
    (DEPLOY | {"id": None}, "id", "it is missing"),
    (DEPLOY | {"id": ""}, "id", "a text that is not empty"),
    (DEPLOY | {"service": 7}, "service", "this is int 7"),
    (DEPLOY | {"at": None}, "at", "it is missing"),
    (DEPLOY | {"at": "yesterday"}, "at", "yesterday"),
    (DEPLOY | {"at": "2025-03-04T09:00:00"}, "at", "2025-03-04T09:00:00"),
    (DEPLOY | {"status": "healthy"}, "status", "'healthy' is not one of"),
    (DEPLOY | {"kind": "deploy"}, "kind", "'deploy' is not one of"),
    (DEPLOY | {"baseline": "yes"}, "baseline", "true or false"),
    (DEPLOY | {"commits": {"sha": "a"}}, "commits", "it is a list"),
    (DEPLOY | {"commits": ["a"]}, "commits[0]", "a commit is an object"),
    (DEPLOY | {"commits": [FULL["commits"][0], {"at": "2025-03-04T08:00:00Z"}]}, "commits[1].sha", "it is missing"),
    (DEPLOY | {"commits": [{"sha": "a", "at": "x"}]}, "commits[0].at", "x"),
    (DEPLOY | {"commits": [{"sha": "", "at": "2025-03-04T08:00:00Z"}]}, "commits[0].sha", "not empty"),
    (DEPLOY | {"commits": [{"sha": 7, "at": "2025-03-04T08:00:00Z"}]}, "commits[0].sha", "this is int 7"),
    (DEPLOY | {"prs": 3}, "prs", "it is a list"),
    (DEPLOY | {"prs": [3]}, "prs[0]", "a pull request is an object"),
    (DEPLOY | {"prs": [{"number": True}]}, "prs[0]", "a whole number"),
    (DEPLOY | {"prs": [{"number": "3"}]}, "prs[0]", "a whole number"),
    (DEPLOY | {"prs": [{"number": 3, "commits": [1]}]}, "prs[0].commits[0]", "not empty"),
    (DEPLOY | {"reverts_prs": [3.5]}, "reverts_prs[0]", "a whole number"),
    (DEPLOY | {"fixes": [""]}, "fixes[0]", "not empty"),
    (RECOVERY | {"failure": None}, "failure", "it is missing"),
    (FAILURE | {"cause": "x" * 5, "source": ["y" * 100]}, "source", "..."),
]


@pytest.mark.parametrize(("raw", "field", "why"), WRONG)
def test_what_is_wrong_is_named_with_its_place(raw: object, field: str | None, why: str) -> None:
    with pytest.raises(HistoryError) as caught:
        read_event(raw)
    assert caught.value.field == field
    assert why in caught.value.why
    assert len(str(caught.value)) < 200
    with pytest.raises(HistoryError) as inside:
        read_history(json.dumps({"events": [DEPLOY, raw]}))
    assert (inside.value.event, inside.value.field) == (1, field)
    assert str(inside.value).startswith("event 1")


def test_what_nobody_knows_is_counted_and_never_refused() -> None:
    assert unknown_fields({"t": "deploy", "id": "x", "moon": 1}) == {"moon"}
    assert unknown_fields({"t": "other", "id": "x"}) == {"t", "id"}
    found = read_history(json.dumps({"events": [DEPLOY | {"moon": 1}, RECOVERY | {"moon": 2, "sun": 1}]}))
    assert found.ignored_fields == (("moon", 2), ("sun", 1))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"events": [] "more": 1}', "not JSON"),
        ('{"events": [1 2]}', "event 0"),
        ("{7: 1}", "not JSON"),
        ('{"events": []} x', "not JSON"),
        ('{"events"', "not JSON"),
        ("{}", 'no "events"'),
        ('{"version_order": ["a", "a"], "events": []}', "twice"),
        ('{"version_order": "a", "events": []}', "a list of versions"),
        ('{"version_order": [1], "events": []}', "a list of versions"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(text: str, why: str) -> None:
    with pytest.raises(HistoryError, match=why):
        read_history(text)


def test_a_file_may_hold_nothing_and_other_things_besides() -> None:
    assert read_history('{"events": []}').events == ()
    found = read_history('{"comment": {"a": [1, {"b": null}]}, "version_order": null, "events": [], "x": []}')
    assert (found.events, found.version_order) == ((), None)
