"""The bill of materials says what the runtime lock says: no package more, none less."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from scripts.locked import pins
from scripts.sbom import bill

ROOT = Path(__file__).parents[2]
LOCK, PROJECT = ROOT / "requirements.txt", ROOT / "pyproject.toml"
ENTRY = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]+\])?==(\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def text() -> str:
    return bill(LOCK, PROJECT)


@pytest.fixture(scope="module")
def document(text: str) -> dict[str, Any]:
    return json.loads(text)


def test_it_is_cyclonedx(text: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_it_lists_what_is_locked_with_package_urls_and_nothing_else(document: dict[str, Any]) -> None:
    locked = ENTRY.findall(LOCK.read_text())
    assert len(locked) > 50
    listed = [(part["name"], part["version"]) for part in document["components"]]
    assert sorted(listed) == sorted((name.lower().replace("_", "-").replace(".", "-"), version) for name, version in locked)
    for part in document["components"]:
        url = PackageURL.from_string(part["purl"])
        assert (url.type, url.name, url.version) == ("pypi", part["name"], part["version"])


def test_each_package_has_the_hashes_of_the_lock(document: dict[str, Any]) -> None:
    told = {
        (part["name"], part["version"]): {one["content"] for one in part["externalReferences"][0]["hashes"]}
        for part in document["components"]
    }
    assert told == {(pin.name, pin.version): set(pin.hashes) for pin in pins(LOCK)}
    assert sum(map(len, told.values())) == LOCK.read_text().count("--hash=sha256:")


def test_licences_are_told_of_all_that_is_installed_here(document: dict[str, Any]) -> None:
    silent = {part["name"] for part in document["components"] if "licenses" not in part}
    conditional = {pin.name for pin in pins(LOCK) if pin.when}
    assert silent <= conditional
    [pydantic] = [part for part in document["components"] if part["name"] == "pydantic"]
    assert pydantic["licenses"] == [{"license": {"id": "MIT"}}]


def test_it_says_what_needs_what(document: dict[str, Any]) -> None:
    needs = {
        one["ref"].partition("@")[0]: [need.partition("@")[0] for need in one.get("dependsOn", ())] for one in document["dependencies"]
    }
    assert {"pkg:pypi/fastapi", "pkg:pypi/psycopg", "pkg:pypi/pillow"} <= set(needs["promotion-bot"])
    assert "pkg:pypi/starlette" not in needs["promotion-bot"]
    assert {"pkg:pypi/starlette", "pkg:pypi/pydantic"} <= set(needs["pkg:pypi/fastapi"])
    assert "pkg:pypi/psycopg-binary" in needs["pkg:pypi/psycopg"], "asked for as psycopg[binary]"


def test_it_names_no_registry_and_no_place_of_this_machine(text: str) -> None:
    assert set(re.findall(r"\w+://[^\"]+", text)) == {"http://cyclonedx.org/schema/bom-1.6.schema.json"}
    assert str(ROOT) not in text
    assert str(Path.home()) not in text


def test_it_is_the_same_again_and_dated_only_where_a_date_is_given(text: str, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "sbom.py"), "--output", str(tmp_path / "new" / "sbom.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert (tmp_path / "new" / "sbom.json").read_text() == text
    assert done.stdout.startswith(f"{len(pins(LOCK))} packages: ")
    assert "timestamp" not in json.loads(text)["metadata"]
    subprocess.run(command, check=True, timeout=60, capture_output=True, env={"SOURCE_DATE_EPOCH": "1700000000"})
    assert json.loads((tmp_path / "new" / "sbom.json").read_text())["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"


def test_another_lock_is_another_bill(document: dict[str, Any], tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("not-installed==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:" + "a" * 64 + "\n")
    other = json.loads(bill(lock, PROJECT))
    [part] = other["components"]
    assert "licenses" not in part
    assert part["properties"] == [{"name": "promotion-bot:installed-when", "value": 'sys_platform == "win32"'}]
    assert other["serialNumber"] != document["serialNumber"]
