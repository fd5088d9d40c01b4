"""Our JSON Schemas of the events that are sent, as a validator of each type."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

FOLDER = Path(__file__).parents[2] / "bot" / "messages" / "schemas" / "cdevents"
SHARED = "cdevent"


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """By type; what all share stands beside them."""
    return {path.stem: json.loads(path.read_text()) for path in FOLDER.iterdir()}


@cache
def validator(name: str) -> Draft202012Validator:
    """Of the whole CloudEvent, formats included."""
    registry = Registry().with_resource(f"{SHARED}.json", Resource.from_contents(schemas()[SHARED]))
    return Draft202012Validator(schemas()[name], registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER)
