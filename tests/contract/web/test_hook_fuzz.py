"""Recorded payloads with each key gone, null, or of another type: never a crash, never a 500, always one of the known answers."""

import gzip
import hashlib
import hmac
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.credentials import Credentials
from bot.adapters.store import inbox
from bot.adapters.store.database import Database
from bot.adapters.store.delivery import StoredDelivery
from bot.adapters.store.wakeups import Wakeups
from bot.config.schema import Config
from bot.web import github_hook
from bot.web.health import Readiness
from bot.web.hints import LARGEST_NUMBER, Hints, hints_of
from bot.web.incidents import Desk
from bot.web.intake import Intake, StageMap, StagePlace
from bot.web.server import create_app
from bot.web.strict_json import BadJson, parse_object
from tests.support.asgi import post_all
from tests.support.builders import NOW
from tests.support.postgres import new_database
from tests.support.web import SECRETS

EXAMPLES: dict[str, list[dict[str, Any]]] = json.loads(
    gzip.decompress((Path(__file__).parents[2] / "data/github/webhook-examples.json.gz").read_bytes())
)
CONFIG = Config.model_validate(
    {"version": 1, "pipeline": {"stages": {"prod": {"repository": "acme/env"}}}, "incidents": {"label": "incident"}}
)
OTHERS: tuple[object, ...] = (None, 0, -1, 2**63, 1.5, True, "", "\0", "\ud800", "x" * 100_000, [], {}, [None], {"number": "7"})
OTHER_BODIES = tuple(json.dumps(other).encode() for other in OTHERS)
READ = (
    "repository",
    "sender",
    "pull_request",
    "issue",
    "check_run",
    "check_suite",
    "workflow_run",
    "ref",
    "action",
    "sha",
    "ref_type",
    "label",
    "labels",
)


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


def bodies(payload: Mapping[str, Any]) -> Iterator[bytes]:
    """The mutations as they are sent. What a mutation leaves alone is written once, not once for each."""
    parts = {key: json.dumps(value).encode() for key, value in payload.items()}
    for key, value in payload.items():
        yield joined({name: part for name, part in parts.items() if name != key})
        for inner in OTHER_BODIES:
            yield joined({**parts, key: inner})
        for inner in inside(key, value):
            yield joined({**parts, key: inner})


def inside(key: str, value: object) -> Iterator[bytes]:
    match value:
        case dict() if key in READ:
            yield from bodies(value)
        case [dict() as first, *others] if key in READ:
            for inner in bodies(first):
                yield b"[" + b",".join([inner, *(json.dumps(other).encode() for other in others)]) + b"]"


def joined(parts: Mapping[str, bytes]) -> bytes:
    return b"{" + b",".join(json.dumps(key).encode() + b":" + part for key, part in parts.items()) + b"}"


def issues() -> list[dict[str, Any]]:
    """Events of an incident that is told by an issue's label, made of the recorded issue (`issues` itself was not recorded)."""
    recorded = EXAMPLES["issue_comment"][0]
    told = {key: value for key, value in recorded.items() if key != "comment"}
    label = {"id": 1, "name": "incident", "color": "ff0000"}
    issue = {**recorded["issue"], "labels": [label, {"id": 2, "name": "service:payments"}]}
    closed = {**issue, "state": "closed", "closed_at": issue["updated_at"]}
    return [
        {**told, "action": "labeled", "label": label, "issue": issue},
        {**told, "action": "closed", "issue": closed},
        {**told, "action": "reopened", "issue": issue},
        {**told, "action": "unlabeled", "label": label, "issue": {**issue, "labels": []}},
    ]


SENT = {**EXAMPLES, "issues": issues()}


@pytest.mark.slow
@pytest.mark.parametrize("share", [7, pytest.param(1, marks=pytest.mark.disturbed)])
@pytest.mark.parametrize("event", sorted(SENT))
def test_a_broken_payload_is_taken_or_refused_and_never_a_fault(migrated_file: Path, tmp_path: Path, event: str, share: int) -> None:
    """Through the whole application, signed, with the desk for incidents that listens, down to the rows: with every change a seventh of
    them, for they take minutes; all of them with `make disturbed`."""
    database = Database(f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'bot.db')}")
    through_the_door(database, event, islice((body for payload in SENT[event] for body in bodies(payload)), 0, None, share))
    database.close()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("event", sorted(SENT))
def test_so_it_is_on_postgresql(postgres: str, migrated_database: str, event: str) -> None:
    """A share of them: what differs is the rows alone."""
    database = Database(new_database(postgres, template=migrated_database))
    through_the_door(database, event, islice((body for payload in SENT[event] for body in bodies(payload)), 0, None, 20))
    database.close()


def through_the_door(database: Database, event: str, sent: Iterable[bytes]) -> None:
    names = sorted({payload.get("repository", {}).get("full_name", "") for payload in SENT[event]})
    places = [StagePlace(name=f"stage{number}", repository=name, branch="main") for number, name in enumerate(names)]
    woken: list[tuple[str, str]] = []
    kept = StoredDelivery(database)
    desk = Desk(config=CONFIG, credentials=Credentials({}), kept=kept, wake=lambda *told: woken.append(told), clock=lambda: NOW)
    intake = Intake(database, Wakeups(database, lambda *_: None), StageMap(places), clock=lambda: NOW, ours=lambda: "")
    app = create_app([github_hook.router(intake, SECRETS, listen=desk.hear_issue)], readiness=Readiness())

    answers = post_all(app, github_hook.PATH, (signed(event, number, body) for number, body in enumerate(sent)))

    assert {status for status, _ in answers} <= {202, 400}, next(one for one in answers if one[0] not in (202, 400))
    outcomes = {f"d{number}": json.loads(told).get("status") for number, (status, told) in enumerate(answers) if status == 202}
    assert len(outcomes) > len(answers) / 2
    assert set(outcomes.values()) <= {"accepted", "ignored"}
    with database.read() as session:
        rows = inbox.listing(session, limit=len(answers) + 1)
    assert {row.delivery for row in rows} == {name for name, outcome in outcomes.items() if outcome == "accepted"}
    assert {row.state for row in rows} <= {"received", "done"}
    assert {stage for row in rows for stage in row.stages} <= {place.name for place in places}
    incidents = kept.incidents()
    assert bool(incidents) == (event == "issues")
    assert {told for told, _ in woken} == ({"prod"} if incidents else set())
    assert all(one.id.startswith("issue:") and one.stage in ("prod", "") for one in incidents)


def signed(event: str, number: int, body: bytes) -> tuple[dict[str, str], bytes]:
    signature = hmac.new(SECRETS[0], body, hashlib.sha256).hexdigest()
    names = {"x-github-event": event, "x-github-delivery": f"d{number}", "x-hub-signature-256": f"sha256={signature}"}
    return {"content-type": "application/json", **names}, body


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
