"""JSON as its standard has it: UTF-8 without a mark, no NaN, no key twice, no number that only a computer farm could hold."""

import json
import re
from collections.abc import Mapping
from typing import Any

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""What JSON can spell and not every database takes: NUL, and half of a surrogate pair, which UTF-8 has no bytes for."""


class BadJson(ValueError):
    """The text is not the JSON object that was asked for; the message says why."""


def parse_object(body: bytes) -> Mapping[str, Any]:
    """The one object that the body holds. Raises `BadJson`."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJson(f"byte {error.start} is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise BadJson("the body begins with a byte order mark")
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except BadJson:
        raise
    except RecursionError:
        raise BadJson("the body is nested too deeply") from None
    except ValueError as error:
        raise BadJson(str(error).split(":")[0]) from None
    if not isinstance(value, dict):
        raise BadJson("the body is not an object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadJson("an object has a key twice")
    return found


def _no_constant(name: str) -> Any:
    raise BadJson(f"{name} is not JSON")
