"""The recordings of a real control plane that the suite carries, and the verdicts that the field's own code gave."""

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "data" / "recordings"
BESIDE = ROOT.parent / "shared" / "kubernetes" / "recordings"
WORDS = {"failed": "degraded"}


@cache
def index() -> dict[str, dict[str, Any]]:
    """What is expected of each recording, by its name."""
    with gzip.open(FOLDER / "index.json.gz") as file:
        return {entry["scenario"]: entry for entry in json.load(file)["scenarios"]}


def read(scenario: str) -> dict[str, Any]:
    """One recording."""
    with gzip.open(FOLDER / f"{scenario}.json.gz") as file:
        found: dict[str, Any] = json.load(file)
    return found


def word(verdict: str | None) -> str | None:
    """The index's word as ours."""
    return WORDS.get(verdict, verdict) if verdict is not None else None


def objects(recording: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object in it, from answers, lists and watch events."""
    for entry in recording["entries"]:
        for obj in ((entry.get("response") or {}).get("body"), (entry.get("event") or {}).get("object")):
            if isinstance(obj, dict):
                kind = str(obj.get("kind", "")).removesuffix("List")
                for item in obj.get("items") or [obj]:
                    if isinstance(item, dict):
                        yield {"kind": kind, "apiVersion": obj.get("apiVersion"), **item}
