"""A promotion's turns as CDEvents: which, when, with what; held against the published schemas where they are at hand."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from jsonschema import Draft202012Validator

from bot.domain.image import Version
from bot.domain.promotion import Promotion, PromotionState, SlotEdit
from bot.messages.cloudevents import EVENT, SPEC, VERSIONS, cloudevent, events, purl
from tests.support.builders import NOW, promotion

SCHEMAS = Path(__file__).parents[4] / "shared" / "cdevents" / "schemas"
DIGEST = "sha256:" + "a" * 64
TEXT = {"type": "string", "minLength": 1}
ENVIRONMENT = {"type": "object", "required": ["id"], "properties": {"id": TEXT, "source": TEXT}, "additionalProperties": False}
CONTENT = {
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
    return replace(found, **{"moves": moves, "state": state, "merged_at": NOW, "merge_commit": "c" * 40, **more})


LIVES = {
    "open": (some(PromotionState.OPEN, merged_at=None, merge_commit=None), []),
    "merged": (some(PromotionState.MERGED), ["change.merged"]),
    "healthy": (some(PromotionState.HEALTHY, healthy_since=NOW), ["change.merged", "service.upgraded"]),
    "failed": (some(PromotionState.FAILED, failed_at=NOW, reason="crash loop"), ["change.merged", "incident.detected"]),
    "reverted": (
        some(PromotionState.REVERTED, failed_at=NOW, ended_at=NOW, revert_commit="d" * 40),
        ["change.merged", "incident.detected", "service.rolledback", "incident.resolved"],
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
        name = event.fields[EVENT]
        made = json.loads(json.dumps(cloudevent(event, identity="msg_1", source="https://bot.example", at=NOW)))
        assert made["type"] == made["data"]["context"]["type"] == f"dev.cdevents.{name}.{VERSIONS[name]}"
        assert made["data"]["context"]["specversion"] == SPEC
        assert made["id"] == made["data"]["context"]["id"]
        properties, required = CONTENT[name]
        shape = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
        Draft202012Validator(shape).validate(made["data"]["subject"]["content"])
        if SCHEMAS.is_dir():
            published(name).validate(made["data"])


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
