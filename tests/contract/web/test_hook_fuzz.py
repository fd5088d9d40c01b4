"""Recorded payloads with each key gone, null, or of another type: never a crash, never a 500, always one of the known answers."""

import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.store import inbox
from bot.adapters.store.database import Database
from bot.adapters.store.wakeups import Wakeups
from bot.web.hints import LARGEST_NUMBER, Hints, hints_of
from bot.web.intake import Intake, StageMap, StagePlace
from bot.web.strict_json import BadJson, parse_object
from tests.support.builders import NOW

EXAMPLES: dict[str, list[dict[str, Any]]] = json.loads(
    gzip.decompress((Path(__file__).parents[2] / "data/github/webhook-examples.json.gz").read_bytes())
)
OTHERS: tuple[object, ...] = (None, 0, -1, 2**63, 1.5, True, "", "\0", "\ud800", "x" * 100_000, [], {}, [None], {"number": "7"})
READ = ("repository", "sender", "pull_request", "issue", "check_run", "check_suite", "workflow_run", "ref", "action", "sha", "ref_type")


def sound(hints: Hints) -> None:
    assert all(0 < number <= LARGEST_NUMBER for number in hints.numbers)
    assert all("\0" not in text and len(text) <= 300 for text in (hints.repository, hints.action, hints.sender, hints.commit))
    for text in (hints.repository, hints.action, hints.sender, hints.commit, hints.branch or "", hints.app, hints.check, hints.button):
        text.encode()
    assert hints.repository_id is None or 0 < hints.repository_id < 2**62


def mutations(payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in payload:
        yield {name: value for name, value in payload.items() if name != key}
        for other in OTHERS:
            yield {**payload, key: other}
        if isinstance(payload[key], dict) and key in READ:
            for inner in mutations(payload[key]):
                yield {**payload, key: inner}


@pytest.mark.parametrize("event", sorted(EXAMPLES))
def test_a_broken_payload_is_only_a_poorer_hint(event: str) -> None:
    for payload in EXAMPLES[event]:
        sound(hints_of(event, payload))
        for broken in mutations(payload):
            sound(hints_of(event, broken))


@pytest.mark.slow
@pytest.mark.parametrize("event", sorted(EXAMPLES))
def test_a_broken_payload_is_stored_or_ignored_and_is_no_fault(database: Database, event: str) -> None:
    """The same through the door, down to the rows: a stage that is configured for the payload's own repository is woken by it."""
    places = [
        StagePlace(name=f"stage{number}", repository=name, branch="main")
        for number, name in enumerate(sorted({payload.get("repository", {}).get("full_name", "") for payload in EXAMPLES[event]}))
    ]
    wakeups = Wakeups(database, lambda *_: None)
    intake = Intake(database, wakeups, StageMap(places), clock=lambda: NOW, ours=lambda: "")
    number = 0
    for payload in EXAMPLES[event]:
        for broken in islice(mutations(payload), 0, None, 7):
            number += 1
            body = json.dumps(broken).encode()
            assert intake.accept("github", f"d{number}", hints_of(event, parse_object(body)), body) in ("accepted", "ignored")
    with database.read() as session:
        assert set(inbox.counts(session)) <= {"received", "done"}


@pytest.mark.parametrize("event", sorted(EXAMPLES))
def test_a_whole_payload_names_its_repository(event: str) -> None:
    for payload in EXAMPLES[event]:
        hints = hints_of(event, payload)
        assert hints.repository == payload.get("repository", {}).get("full_name", "")
        assert hints.sender == payload["sender"]["login"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*READ, "number", "full_name", "id", "base"]), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(st.sampled_from(sorted(EXAMPLES)), st.dictionaries(st.sampled_from(READ), json_values, max_size=6))
@settings(max_examples=300)
def test_any_object_is_taken_without_a_crash(event: str, payload: dict[str, Any]) -> None:
    sound(hints_of(event, payload))


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_any_bytes_are_an_object_or_refused(content: bytes) -> None:
    try:
        found = parse_object(content)
    except BadJson:
        return
    assert isinstance(found, dict)


@given(st.dictionaries(st.text(max_size=10), json_values, max_size=5))
def test_an_object_is_read_as_it_was_written(payload: dict[str, Any]) -> None:
    assert parse_object(json.dumps(payload).encode()) == payload
