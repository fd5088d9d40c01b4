"""config.example.yaml, the JSON Schema, and the environments that the example speaks of."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.config.export import DIALECT, json_schema
from bot.config.load import check_file
from bot.config.schema import Config
from bot.gates import shelf

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "config.example.yaml"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json.loads(json.dumps(json_schema(Config)))


@pytest.fixture(scope="module")
def example() -> Config:
    checked = check_file(EXAMPLE)
    assert checked.problems == ()
    assert checked.config is not None
    return checked.config


def _errors(schema: dict[str, Any], value: Any) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(value)]


def test_the_schema_is_one_of_draft_2020_12(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == DIALECT
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_schema_takes_the_example_and_refuses_what_the_models_refuse(schema: dict[str, Any]) -> None:
    value = yaml.safe_load(EXAMPLE.read_text())
    prod = value["pipeline"]["stages"]["prod"]
    freeze = next(gate for gate in prod["gates"] if gate["gate"] == "freeze")
    freeze["during"] = json.loads(json.dumps(freeze["during"], default=str))  # YAML 1.1 made dates of them
    assert _errors(schema, value) == []
    for broken in (
        {**value, "version": 2},
        {**value, "more": 1},
        {**value, "pipeline": {"stages": {}}},
        {**value, "pipeline": {"stages": {"Prod!": prod}}},
        {**value, "pipeline": {"stages": {"prod": {**prod, "mergee": 1}}}},
        {**value, "pipeline": {"stages": {"prod": {**prod, "name": "x"}}}},
        {**value, "pipeline": {"stages": {"prod": {**prod, "gates": [{"gate": "nope"}]}}}},
        {**value, "pipeline": {"stages": {"prod": {**prod, "gates": [{"gate": "soak"}]}}}},
        {**value, "pipeline": {"stages": {"prod": {key: part for key, part in prod.items() if key != "repository"}}}},
    ):
        assert _errors(schema, broken), broken
    assert _errors(schema, {**value, "x-anchors": {"anything": 1}}) == []


def test_the_example_shows_the_four_stages_of_the_tree(example: Config) -> None:
    assert example.order() == ("dev", "qa", "uat", "prod")
    folders = sorted(folder.name for folder in (ROOT / "environments").iterdir() if folder.is_dir())
    assert sorted(example.order()) == folders
    assert len({stage.repository for stage in example.pipeline.stages}) == 4


def test_the_example_names_images_that_stand_in_the_tree(example: Config) -> None:
    for stage in example.pipeline.stages:
        text = "\n".join(file.read_text() for file in sorted((ROOT / "environments" / stage.name).rglob("*.yaml")))
        for name, service in example.services.items():
            for image in service.images_in(stage.name):
                short = re.sub(r"^[^/]+/", "", image)
                assert image in text or short in text, (stage.name, name, image)


def test_the_example_speaks_of_every_gate_and_of_every_setting_of_a_stage(schema: dict[str, Any]) -> None:
    text = EXAMPLE.read_text()
    for gate in shelf():
        kind = gate.model_fields["gate"].default
        assert f"gate: {kind}" in text or kind in ("upstream", "hold"), kind
    for part in ("Stage", "Rollout", "Forge", "Discovery", "Timing", "Slack", "Sources", "Roles", "Team", "Service"):
        for key in schema["$defs"][part]["properties"]:
            known = {"members", "ignore", "order", "agent_namespaces", "services"}
            assert f"{key}:" in text or key in known, (part, key)


def test_secrets_have_no_place_in_the_schema(schema: dict[str, Any]) -> None:
    names = {key for part in schema["$defs"].values() for key in part.get("properties", {})}
    assert not [name for name in names if re.search(r"password|secret|private_key", name)]
    assert [name for name in names if "token" in name] == []


def test_soak_and_roles(example: Config) -> None:
    assert example.stage("prod").soak.total_seconds() == 7200
    assert example.stage("qa").soak.total_seconds() == 0
    assert example.people.group("approver", "qa").teams == ("acme/developers",)
    assert example.people.group("approver", "prod").teams == ("acme/release-managers",)
    bare = Config.model_validate({"version": 1, "pipeline": {"stages": {"dev": {"repository": "a/b"}}}})
    assert bare.people.group("approver", "dev").permission == "maintain"
    assert example.service("checkout").after_in("prod") == ("payments",)
    assert example.service("checkout").after_in("qa") == ()
    assert example.service("warehouse").images_in("dev") == ("registry-dev.acme.example/warehouse",)
    assert example.discovery.ignores("docker.io/library/busybox")


@pytest.mark.parametrize(
    ("url", "api", "rest", "graphql"),
    [
        ("https://github.com", None, "https://api.github.com", "https://api.github.com/graphql"),
        ("https://github.com/", None, "https://api.github.com", "https://api.github.com/graphql"),
        ("https://ghe.acme.example", None, "https://ghe.acme.example/api/v3", "https://ghe.acme.example/api/graphql"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000/api/v3", "http://127.0.0.1:3000/api/v3", "http://127.0.0.1:3000/api/graphql"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3001", "http://127.0.0.1:3001", "http://127.0.0.1:3001/graphql"),
    ],
)
def test_addresses_of_the_forge(url: str, api: str | None, rest: str, graphql: str) -> None:
    forge = Config.model_validate(
        {"version": 1, "forge": {"url": url, "api_url": api}, "pipeline": {"stages": {"dev": {"repository": "a/b"}}}}
    ).forge
    assert (forge.api_url, forge.graphql_url) == (rest, graphql)
