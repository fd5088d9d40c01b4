"""A promotion's turns as CDEvents: which, when, with what; held against our schemas, and the published ones where they are at hand."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator

from bot.domain.action import Notify
from bot.domain.directive import Directive, Order
from bot.domain.image import Version
from bot.domain.people import Person
from bot.domain.promotion import Promotion, PromotionState, SlotEdit
from bot.messages.cloudevents import EVENT, SPEC, VERSIONS, cloudevent, events, freezes, purl
from tests.support.builders import NOW, promotion
from tests.support.cdevents import SHARED, schemas, validator

SCHEMAS = Path(__file__).parents[4] / "shared" / "cdevents" / "schemas"
DIGEST = "sha256:" + "a" * 64


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
    """The event as it is sent, held against the schema of its type: ours, and that of the specification where it is at hand."""
    name = event.fields[EVENT]
    made: dict[str, Any] = json.loads(json.dumps(cloudevent(event, identity="msg_1", source="https://bot.example", at=NOW)))
    assert made["type"] == made["data"]["context"]["type"] == f"dev.cdevents.{name}.{VERSIONS[name]}"
    assert made["data"]["context"]["specversion"] == SPEC
    assert made["id"] == made["data"]["context"]["id"]
    assert made["subject"] == made["data"]["subject"]["id"]
    assert (made["source"], made["time"]) == (made["data"]["context"]["source"], made["data"]["context"]["timestamp"])
    assert UUID(made["data"]["context"]["chainId"]).version == 4
    validator(name).validate(made)
    if SCHEMAS.is_dir():
        published(name).validate(made["data"])
    return made


def test_every_type_is_told_of_by_some_life() -> None:
    told = {event.fields[EVENT] for life, _ in LIVES.values() for event in events(life)}
    assert told | {"environment.modified"} == VERSIONS.keys()


def published(name: str) -> Draft202012Validator:
    """The schema of the specification, without its links, which we do not send."""
    schema = json.loads((SCHEMAS / f"{name.replace('.', '')}.json").read_text())
    schema["properties"]["context"]["properties"].pop("links", None)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_each_type_has_a_schema_of_its_version_and_no_schema_is_left_over() -> None:
    assert schemas().keys() - {SHARED} == VERSIONS.keys()
    for name, schema in schemas().items():
        Draft202012Validator.check_schema(schema)
        if name != SHARED:
            assert schema["title"] == name
            assert schema["properties"]["type"] == {"const": f"dev.cdevents.{name}.{VERSIONS[name]}"}


def test_events_of_one_promotion_share_a_chain_and_those_of_another_do_not() -> None:
    one = LIVES["reverted"][0]
    told = [cloudevent(event, identity="x", source="bot", at=NOW) for event in (*events(one), *events(replace(one, id="another")))]
    chains = [made["data"]["context"]["chainId"] for made in json.loads(json.dumps(told))]
    assert len(set(chains[:5])) == len(set(chains[5:])) == 1
    assert chains[0] != chains[5]


ASKED = {
    "change.created": set(),
    "change.merged": set(),
    "change.abandoned": set(),
    "environment.modified": set(),
    "service.upgraded": {("environment",), ("environment", "id"), ("artifactId",)},
    "service.rolledback": {("environment",), ("environment", "id"), ("artifactId",)},
    "incident.detected": {("environment",), ("environment", "id"), ("service", "id")},
    "incident.resolved": {("environment",), ("environment", "id"), ("service", "id")},
}
"""What the content of a type cannot do without, besides the repository's id where there is a repository."""
CONTEXT = {("context", key) for key in ("specversion", "id", "source", "type", "timestamp")}
DATA = {("context",), ("subject",), ("subject", "id"), ("subject", "content"), *CONTEXT}
ENVELOPE = {(key,) for key in ("specversion", "id", "source", "type", "subject", "time", "data")}


@pytest.mark.parametrize("name", sorted(VERSIONS))
def test_a_schema_refuses_what_lacks_a_field_that_is_required_and_nothing_else(name: str) -> None:
    content = ASKED[name] | ({("repository", "id")} if name.startswith("change") else set())
    required = ENVELOPE | {("data", *path) for path in DATA} | {("data", "subject", "content", *path) for path in content}
    made = sample(name)
    refused = {path for path, _ in places(made) if not validator(name).is_valid(changed(made, path, None))}
    assert refused == required


@pytest.mark.parametrize("name", sorted(VERSIONS))
def test_a_schema_refuses_fields_of_no_meaning_and_values_of_another_type(name: str) -> None:
    made = sample(name)
    for path, value in [((), made), *places(made)]:
        if isinstance(value, dict) and path != ("data", "customData"):
            more = [*path, "extra"] if path else ["Extra"]
            assert not validator(name).is_valid(changed(made, more, ["x"])), more
        for wrong in (7, True, [], None) if path and path[:2] != ("data", "customData") else ():
            assert not validator(name).is_valid(changed(made, path, [wrong])), (path, wrong)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["specversion"], "2.0"),
        (["type"], "dev.cdevents.change.merged.0.1.0"),
        (["data", "context", "type"], "dev.cdevents.change.created.0.4.0"),
        (["time"], "yesterday"),
        (["data", "context", "timestamp"], "2026-02-30T00:00:00Z"),
        (["data", "subject", "id"], ""),
        (["datacontenttype"], "text/plain"),
    ],
)
def test_a_schema_refuses_values_that_its_type_does_not_have(path: list[str], value: str) -> None:
    assert validator("change.merged").is_valid(sample("change.merged"))
    assert not validator("change.merged").is_valid(changed(sample("change.merged"), path, [value]))


def sample(name: str) -> dict[str, Any]:
    """One event of the type."""
    order = Directive(key="c:1", order=Order.FREEZE, actor=Person(id=1, login="ana"), at=NOW, reason="audit")
    told = (*(event for life, _ in LIVES.values() for event in events(life)), *freezes("qa", [order], NOW))
    return has_the_shape_of_its_type(next(event for event in told if event.fields[EVENT] == name))


def places(made: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every key at every depth, with what stands there."""
    for key, value in made.items():
        yield (*above, key), value
        if isinstance(value, dict):
            yield from places(value, (*above, key))


def changed(made: dict[str, Any], path: Sequence[str], value: list[Any] | None) -> dict[str, Any]:
    """A copy with the one thing in the list put at the place; with None it is taken away."""
    found = json.loads(json.dumps(made))
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value[0]
    return found


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
