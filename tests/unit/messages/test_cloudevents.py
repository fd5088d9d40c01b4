"""A promotion's turns as CDEvents: which, when, with what; held against the published schemas where they are at hand."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from jsonschema import Draft202012Validator

from bot.domain.action import Notify
from bot.domain.directive import Directive, Order
from bot.domain.image import Version
from bot.domain.people import Person
from bot.domain.promotion import Promotion, PromotionState, SlotEdit
from bot.messages.cloudevents import EVENT, SPEC, VERSIONS, cloudevent, events, freezes, purl
from tests.support.builders import NOW, promotion

SCHEMAS = Path(__file__).parents[4] / "shared" / "cdevents" / "schemas"
DIGEST = "sha256:" + "a" * 64
TEXT = {"type": "string", "minLength": 1}
ENVIRONMENT = {"type": "object", "required": ["id"], "properties": {"id": TEXT, "source": TEXT}, "additionalProperties": False}
CONTENT = {
    "change.created": ({"repository": ENVIRONMENT, "description": TEXT}, []),
    "change.abandoned": ({"repository": ENVIRONMENT}, []),
    "environment.modified": ({"name": {"type": "string"}}, []),
    "change.merged": ({"repository": ENVIRONMENT}, []),
    "service.upgraded": ({"environment": ENVIRONMENT, "artifactId": TEXT}, ["environment", "artifactId"]),
    "service.rolledback": ({"environment": ENVIRONMENT, "artifactId": TEXT}, ["environment", "artifactId"]),
    "incident.detected": (
        {"environment": ENVIRONMENT, "artifactId": TEXT, "service": ENVIRONMENT, "description": {"type": "string"}},
        ["environment"],
    ),
    "incident.resolved": (
        {"environment": ENVIRONMENT, "artifactId": TEXT, "service": ENVIRONMENT, "description": {"type": "string"}},
        ["environment"],
    ),
}


def some(state: PromotionState, **more: object) -> Promotion:
    found = promotion()
    image = "ghcr.io/acme/payments"
    edit = SlotEdit(path="p.yaml", address={}, artifact=image, old=Version(tag="1.0.0"), new=Version(tag="1.1.0", digest=DIGEST))
    moves = (replace(found.moves[0], edits=(edit,)),)
    return replace(found, **{"moves": moves, "number": 7, "state": state, "merged_at": NOW, "merge_commit": "c" * 40, **more})


def backwards() -> Promotion:
    one = some(PromotionState.HEALTHY, healthy_since=NOW)
    edit = replace(one.moves[0].edits[0], old=Version(tag="1.1.0"), new=Version(tag="1.0.0"))
    return replace(one, moves=(replace(one.moves[0], old=one.moves[0].new, new=one.moves[0].old, edits=(edit,)),))


LIVES = {
    "opening": (some(PromotionState.OPENING, merged_at=None, merge_commit=None, number=None), []),
    "open": (some(PromotionState.OPEN, merged_at=None, merge_commit=None), ["change.created"]),
    "closed": (some(PromotionState.CLOSED, merged_at=None, merge_commit=None, ended_at=NOW), ["change.created", "change.abandoned"]),
    "overtaken": (some(PromotionState.SUPERSEDED, merged_at=None, merge_commit=None, ended_at=NOW), ["change.created", "change.abandoned"]),
    "merged": (some(PromotionState.MERGED), ["change.created", "change.merged"]),
    "healthy": (some(PromotionState.HEALTHY, healthy_since=NOW), ["change.created", "change.merged", "service.upgraded"]),
    "back": (backwards(), ["change.created", "change.merged", "service.rolledback"]),
    "failed": (some(PromotionState.FAILED, failed_at=NOW, reason="crash loop"), ["change.created", "change.merged", "incident.detected"]),
    "reverted": (
        some(PromotionState.REVERTED, failed_at=NOW, ended_at=NOW, revert_commit="d" * 40),
        ["change.created", "change.merged", "incident.detected", "service.rolledback", "incident.resolved"],
    ),
}


@pytest.mark.parametrize("life", sorted(LIVES))
def test_each_turn_is_an_event_once(life: str) -> None:
    one, wanted = LIVES[life]
    found = events(one)
    assert [event.fields[EVENT] for event in found] == wanted
    assert len({event.key for event in found}) == len(found)
    assert [event.key for event in events(one)] == [event.key for event in found]


@pytest.mark.parametrize("life", sorted(LIVES))
def test_every_event_has_the_shape_of_its_type(life: str) -> None:
    for event in events(LIVES[life][0]):
        has_the_shape_of_its_type(event)


def test_a_freeze_and_its_end_are_changes_of_the_environment_once_each() -> None:
    until = NOW + timedelta(days=1)
    order = Directive(key="c:1", order=Order.FREEZE, actor=Person(id=1, login="ana"), at=NOW, until=until, reason="audit")
    hold = replace(order, key="c:2", order=Order.HOLD)
    other = replace(order, key="c:3", stage="prod")
    found = freezes("qa", [order, hold, other], NOW)
    assert [json.loads(event.fields["custom"])["change"] for event in found] == ["frozen"]
    over = [*freezes("qa", [order], until), *freezes("qa", [replace(order, withdrawn_at=NOW)], NOW)]
    assert [json.loads(event.fields["custom"])["change"] for event in over] == ["frozen", "unfrozen"] * 2
    assert len({event.key for event in over}) == 2
    for event in over:
        made = has_the_shape_of_its_type(event)
        assert made["data"]["customData"]["by"] == "ana"
        assert made["data"]["subject"]["id"] == "qa"


def has_the_shape_of_its_type(event: Notify) -> dict[str, Any]:
    """The event as it is sent, held against what the specification says of its type, and against its schema where that is at hand."""
    name = event.fields[EVENT]
    made: dict[str, Any] = json.loads(json.dumps(cloudevent(event, identity="msg_1", source="https://bot.example", at=NOW)))
    assert made["type"] == made["data"]["context"]["type"] == f"dev.cdevents.{name}.{VERSIONS[name]}"
    assert made["data"]["context"]["specversion"] == SPEC
    assert made["id"] == made["data"]["context"]["id"]
    properties, required = CONTENT[name]
    shape = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    Draft202012Validator(shape).validate(made["data"]["subject"]["content"])
    if SCHEMAS.is_dir():
        published(name).validate(made["data"])
    return made


def test_every_type_is_told_of_by_some_life() -> None:
    told = {event.fields[EVENT] for life, _ in LIVES.values() for event in events(life)}
    assert told | {"environment.modified"} == VERSIONS.keys() == CONTENT.keys()


def published(name: str) -> Draft202012Validator:
    """The schema of the specification, without its links, which we do not send."""
    schema = json.loads((SCHEMAS / f"{name.replace('.', '')}.json").read_text())
    schema["properties"]["context"]["properties"].pop("links", None)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_a_rollback_names_the_version_that_came_back() -> None:
    found = {event.fields[EVENT]: json.loads(event.fields["content"]) for event in events(LIVES["reverted"][0])}
    assert "tag=1.0.0" in found["service.rolledback"]["artifactId"]
    assert "tag=1.1.0" in found["incident.detected"]["artifactId"]


def test_an_image_as_a_package_url() -> None:
    found = purl("ghcr.io/acme/Payments", Version(tag="1.1.0", digest=DIGEST))
    assert found == f"pkg:oci/payments@sha256%3A{'a' * 64}?repository_url=ghcr.io/acme/payments&tag=1.1.0"
    assert "&" not in unquote(purl("x/y", Version(tag="a b&c"))).partition("&tag=a b")[0]


@pytest.mark.parametrize("source", ["promotion-bot", "https://bot.example/", "odd name"])
def test_the_source_is_a_uri_reference(source: str) -> None:
    event = events(LIVES["merged"][0])[0]
    made = cloudevent(event, identity="x", source=source, at=NOW)
    assert " " not in str(made["source"])
    assert str(made["source"]).endswith("/qa")
