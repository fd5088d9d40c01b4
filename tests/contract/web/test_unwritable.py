"""Webhooks while the database is full or read-only: 503 and nothing is stored, and the same delivery is taken afterwards."""

import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.credentials import Credentials
from bot.adapters.store import inbox
from bot.adapters.store.database import Database
from bot.adapters.store.delivery import StoredDelivery
from bot.config.schema import Config
from bot.domain.errors import TransientError, UserError
from bot.web.incidents import Desk
from tests.support.unwritable import full, read_only
from tests.support.web import WebWorld, push, web_world

NOW = datetime(2025, 6, 2, 12, tzinfo=UTC)
CONFIG = Config.model_validate(
    {"version": 1, "pipeline": {"stages": {"prod": {"repository": "acme/env-qa"}}}, "incidents": {"label": "incident"}}
)
ISSUE: dict[str, Any] = {
    "action": "labeled",
    "repository": {"id": 17, "full_name": "acme/env-qa"},
    "sender": {"id": 2, "login": "ana"},
    "issue": {"number": 7, "created_at": "2025-06-02T10:00:00Z", "title": "It is down", "labels": [{"name": "incident"}]},
}
SENTENCE = "the event could not be stored now; it is fetched again later"


def desk(database: Database) -> Desk:
    kept = StoredDelivery(database)
    return Desk(config=CONFIG, credentials=Credentials({}), kept=kept, wake=lambda *_: None, clock=lambda: NOW)


@pytest.fixture
def world(database: Database) -> Iterator[WebWorld]:
    with web_world(database, heard=desk(database).hear_issue) as found:
        yield found


def known(world: WebWorld) -> set[str]:
    """Deliveries and incidents that stand in the rows."""
    with world.database.read() as session:
        incidents = session.connection().exec_driver_sql("SELECT id FROM incidents").scalars()
        return {*incidents, *(row.delivery for row in inbox.listing(session, limit=1000))}


def send_again(world: WebWorld, event: str, payload: Mapping[str, Any] | None) -> None:
    """As GitHub's redelivery does. One that finds a session of the time before is turned away once more, and ends all such sessions."""
    answers = [world.send(event, payload).status_code for _ in range(2)]
    assert answers[-1] == 202, answers


@pytest.mark.parametrize(("event", "payload", "row"), [("push", None, "d1"), ("issues", ISSUE, "issue:acme/env-qa#7")])
def test_a_read_only_database_gives_503_and_the_event_is_taken_afterwards(
    world: WebWorld, event: str, payload: dict[str, Any] | None, row: str
) -> None:
    with read_only(world.database):
        for _ in range(3):
            answer = world.send(event, payload)
            assert (answer.status_code, answer.json()) == (503, {"error": SENTENCE})
        with pytest.raises(UserError, match="cannot be written") as told, world.database.write() as session:
            session.connection().exec_driver_sql("DELETE FROM deliveries")
        assert told.value.fix
        assert known(world) == set()
        assert world.http.get("/healthz").status_code == 200
    send_again(world, event, payload)
    assert known(world) == {row}


@pytest.mark.parametrize("event", ["push", "issues"])
def test_a_full_disk_gives_503_and_what_was_turned_away_is_taken_afterwards(event: str, migrated_file: Path, tmp_path: Path) -> None:
    """Told exactly: what was answered with 202 stands in the rows, what was answered with 503 does not, until it comes again."""
    database = Database(f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'bot.db')}")
    sent = {row: (number, payload) for number in range(100) for row, payload in [numbered(event, number)]}
    try:
        with web_world(database, heard=desk(database).hear_issue) as world:
            with full(database):
                answers = {row: world.send(event, payload, delivery=f"d{number}") for row, (number, payload) in sent.items()}
                with pytest.raises(TransientError, match="the disk of the database is full"), database.write() as session:
                    session.connection().exec_driver_sql("INSERT INTO known_repositories VALUES (18, hex(zeroblob(100000)))")
                turned_away = {row for row, answer in answers.items() if answer.status_code == 503}
                assert turned_away, "all fitted into the pages that were there"
                assert all(answers[row].json() == {"error": SENTENCE} for row in turned_away)
                assert {answers[row].status_code for row in set(sent) - turned_away} <= {202}
                assert known(world) == set(sent) - turned_away
            for row in turned_away:
                assert world.send(event, sent[row][1], delivery=f"d{sent[row][0]}").status_code == 202
            assert known(world) == set(sent)
    finally:
        database.close()


def numbered(event: str, number: int) -> tuple[str, dict[str, Any]]:
    """One of many events, and the row that it becomes."""
    if event == "push":
        return f"d{number}", push(after=str(number))
    return f"issue:acme/env-qa#{number}", {**ISSUE, "issue": {**ISSUE["issue"], "number": number, "title": "It is down. " * 20}}
