"""The JSON body of a REST request: parsed, and each known field held to its type before a route sees it."""

import json
from typing import Any

from bot.sandbox.github.errors import ApiError

TEXTS = (
    *("title", "head", "base", "body", "state", "name", "color", "description", "sha", "ref", "content", "encoding", "message"),
    *("branch", "base_tree", "merge_method", "commit_title", "commit_message", "expected_head_sha", "event", "commit_id", "context"),
    *("target_url", "head_sha", "status", "conclusion", "started_at", "completed_at", "external_id", "details_url", "environment"),
    *("log_url", "environment_url", "task", "email", "date", "summary", "text", "url", "secret", "path", "mode", "type"),
)
SWITCHES = ("draft", "force", "active", "auto_inactive", "transient_environment", "production_environment")
SHAPES: dict[str, tuple[type, ...]] = (
    dict.fromkeys(TEXTS, (str,))
    | dict.fromkeys(SWITCHES, (bool,))
    | dict.fromkeys(("author", "committer", "output", "config", "permissions"), (dict,))
    | dict.fromkeys(("labels", "parents", "required_contexts", "events", "repositories", "repository_ids", "actions"), (list,))
    | {"tree": (str, list), "payload": (str, dict)}
)
ELEMENTS: dict[str, type] = {"parents": str, "required_contexts": str, "events": str, "repositories": str, "repository_ids": int}
NAMES: dict[type, str] = {str: "a string", bool: "a boolean", dict: "an object", list: "an array", int: "an integer"}


def fields_of(body: bytes) -> dict[str, Any]:
    """The fields of a body; a list stands under the empty name. 400 for what is no JSON object or list, 422 for a wrong type."""
    if not body:
        return {}
    try:
        found = json.loads(body)
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is JSON, but no text
    except (ValueError, RecursionError):
        raise ApiError(400, "Problems parsing JSON") from None
    if isinstance(found, list):
        return {"": found}
    if not isinstance(found, dict):
        raise ApiError(400, "Body should be a JSON object")
    _check(found)
    return found


def _check(fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        shapes = SHAPES.get(name)
        if value is None or shapes is None:
            continue
        if not isinstance(value, shapes):
            raise _wrong(name, value, shapes[0])
        element = ELEMENTS.get(name)
        for item in value if isinstance(value, list) else ():
            if element is not None and not isinstance(item, element):
                raise _wrong(f"{name}/items", item, element)
            if isinstance(item, dict):
                _check(item)
        if isinstance(value, dict) and name != "payload":
            _check(value)


def _wrong(name: str, value: Any, wanted: type) -> ApiError:
    return ApiError(422, f"Invalid request.\n\nFor 'properties/{name}', {json.dumps(value)[:100]} is not {NAMES[wanted]}.")
