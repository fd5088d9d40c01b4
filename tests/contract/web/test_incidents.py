"""Incidents over the real web server, into a real database: who may tell, what is kept, what is refused."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from bot.adapters.credentials import Credentials
from bot.adapters.store.database import Database
from bot.adapters.store.delivery import StoredDelivery
from bot.config.schema import Config
from bot.web.health import Readiness
from bot.web.incidents import Desk, router
from bot.web.server import create_app
from tests.support.unwritable import read_only
from tests.support.web import served

NOW = datetime(2025, 6, 2, 12, tzinfo=UTC)
TOKEN, PAGER = "a-token-for-incidents", "a-secret-for-pagerduty"
BEARER = {"authorization": f"Bearer {TOKEN}"}


def config(**incidents: Any) -> Config:
    stages = {"dev": {"repository": "acme/env-dev"}, "prod": {"repository": "acme/env-prod", "after": "dev"}}
    names = {"credential": "incidents", "pagerduty": "pager", "label": "incident", "services": {"PABC": "payments"}}
    return Config.model_validate({"version": 1, "pipeline": {"stages": stages}, "incidents": names | incidents})


class World:
    def __init__(self, url: str, kept: StoredDelivery, desk: Desk, woken: list[tuple[str, str]]) -> None:
        self.http, self.kept, self.desk, self.woken = httpx.Client(base_url=url, timeout=30), kept, desk, woken

    def tell(self, path: str = "/api/v1/incidents", *, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        return self.http.post(path, json=body, headers=BEARER if headers is None else headers)

    def page(self, kind: str, at: datetime, *, secret: str = PAGER) -> httpx.Response:
        data = {"id": "Q1", "title": "500s", "created_at": "2025-06-02T11:00:00Z", "service": {"id": "PABC", "summary": "Payments API"}}
        body = json.dumps({"event": {"event_type": f"incident.{kind}", "occurred_at": at.isoformat(), "data": data}}).encode()
        signature = "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return self.http.post("/webhooks/pagerduty", content=body, headers={"x-pagerduty-signature": f"v1=00,{signature}"})


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    kept, woken = StoredDelivery(database), list[tuple[str, str]]()
    secrets = Credentials({"incidents": SecretStr(TOKEN), "pager": SecretStr(PAGER)})
    desk = Desk(config=config(), credentials=secrets, kept=kept, wake=lambda *told: woken.append(told), clock=lambda: NOW)
    readiness = Readiness()
    with served(create_app([router(desk)], readiness=readiness)) as url:
        found = World(url, kept, desk, woken)
        yield found
        found.http.close()


def test_an_incident_is_kept_once_and_its_end_is_told_under_the_same_id(world: World) -> None:
    told = {"id": "INC-1", "stage": "prod", "service": "payments", "version": "1.4.2", "at": "2025-06-02T13:00:00+02:00", "cause": "500s"}
    assert world.tell(**told).status_code == 202
    assert world.tell(**told).status_code == 200
    assert world.tell(id="INC-1", recovered_at="2025-06-02T11:30:00Z", at="2025-06-02T11:00:00Z").status_code == 202
    found = world.kept.incident("api:INC-1")
    assert found is not None
    assert (found.at, found.recovered_at) == (NOW - timedelta(hours=1), NOW - timedelta(minutes=30))
    assert (found.stage, found.service, found.version, found.cause) == ("prod", "payments", "1.4.2", "500s")
    assert world.woken == [("prod", "incident")] * 2


def test_a_read_only_database_gives_503_and_the_incident_is_taken_afterwards(world: World, database: Database) -> None:
    told = {"id": "INC-1", "stage": "prod", "at": "2025-06-02T11:00:00Z"}
    with read_only(database):
        answer = world.tell(**told)
        assert (answer.status_code, "cannot be written" in answer.json()["error"]) == (503, True)
    assert world.kept.incident("api:INC-1") is None
    assert [world.tell(**told).status_code for _ in range(2)][-1] in (200, 202)
    assert world.kept.incident("api:INC-1") is not None


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}])
def test_without_the_token_nothing_is_taken(world: World, headers: dict[str, str]) -> None:
    answer = world.tell(headers=headers, id="x")
    assert answer.status_code == 401
    assert world.tell("/webhooks/alertmanager", headers=headers, alerts=[]).status_code == 401
    assert world.kept.incident("api:x") is None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "`id`"),
        ({"id": "x", "stage": "nowhere"}, "dev, prod"),
        ({"id": "x", "at": "yesterday"}, "RFC 3339"),
        ({"id": "x", "severity": 1}, "severity"),
        ({"id": "x", "at": "2025-06-02T11:00:00Z", "recovered_at": "2025-06-02T10:00:00Z"}, "before it began"),
        ({"id": "x", "at": "2025-06-03T11:00:00Z"}, "clock"),
    ],
)
def test_what_is_not_understood_is_refused_with_the_field(world: World, body: dict[str, Any], told: str) -> None:
    answer = world.tell(**body)
    assert answer.status_code == 422
    assert told in answer.json()["error"]


def test_alertmanager_tells_firing_and_resolved_alerts(world: World) -> None:
    labels = {"alertname": "Errors", "service": "payments", "stage": "prod"}
    alert = {"status": "firing", "labels": labels, "annotations": {}, "startsAt": "2025-06-02T10:00:00.123456789Z", "fingerprint": "f1"}
    open_one = alert | {"endsAt": "0001-01-01T00:00:00Z"}
    assert world.tell("/webhooks/alertmanager", version="4", alerts=[open_one]).status_code == 202
    assert world.tell(
        "/webhooks/alertmanager", version="4", alerts=[alert | {"status": "resolved", "endsAt": "2025-06-02T11:00:00Z"}]
    ).json()
    found = world.kept.incident("alertmanager:f1:20250602T100000Z")
    assert found is not None
    assert (found.cause, found.service, found.recovered_at) == ("Errors", "payments", NOW - timedelta(hours=1))


def test_pagerduty_signs_what_it_tells_and_a_reopened_incident_is_open_again(world: World) -> None:
    assert world.page("triggered", NOW - timedelta(hours=1), secret="another").status_code == 401
    for kind, minutes in (("triggered", 60), ("resolved", 40), ("reopened", 30)):
        assert world.page(kind, NOW - timedelta(minutes=minutes)).status_code == 202
    assert world.page("resolved", NOW - timedelta(minutes=40)).status_code == 200, "an old end told again changes nothing"
    found = world.kept.incident("pagerduty:Q1")
    assert found is not None
    assert (found.service, found.stage, found.recovered_at) == ("payments", "prod", None)
    world.page("resolved", NOW - timedelta(minutes=10))
    assert (world.kept.incident("pagerduty:Q1") or found).recovered_at == NOW - timedelta(minutes=10)


def issue(action: str, *labels: str, **more: Any) -> dict[str, Any]:
    body = {"number": 7, "created_at": "2025-06-02T10:00:00Z", "title": "It is down", "labels": [{"name": name} for name in labels]}
    return {"action": action, "repository": {"full_name": "acme/app"}, "issue": body | more}


def test_a_labelled_issue_is_an_incident_until_it_is_closed_or_loses_the_label(world: World) -> None:
    world.desk.hear_issue("issues", issue("labeled", "bug"))
    assert world.kept.incident("issue:acme/app#7") is None
    world.desk.hear_issue("issues", issue("labeled", "incident", "service:payments", "version:1.4.2"))
    world.desk.hear_issue("issues", issue("closed", "incident", closed_at="2025-06-02T11:00:00Z"))
    found = world.kept.incident("issue:acme/app#7")
    assert found is not None
    assert (found.service, found.version, found.stage, found.recovered_at) == ("payments", "1.4.2", "prod", NOW - timedelta(hours=1))
    world.desk.hear_issue("issues", issue("unlabeled") | {"label": {"name": "incident"}})
    assert (world.kept.incident("issue:acme/app#7") or found).withdrawn


def test_routes_that_nobody_configured_are_closed(database: Database) -> None:
    bare = Config.model_validate({"version": 1, "pipeline": {"stages": {"prod": {"repository": "acme/env"}}}})
    desk = Desk(config=bare, credentials=Credentials({}), kept=StoredDelivery(database), wake=lambda *_: None, clock=lambda: NOW)
    with served(create_app([router(desk)], readiness=Readiness())) as url:
        for path in ("/api/v1/incidents", "/webhooks/alertmanager", "/webhooks/pagerduty"):
            assert httpx.post(url + path, json={"id": "x"}, headers=BEARER).status_code == 404
