"""Tables of settings, made from JSON Schema: what reference pages share."""

from typing import Any


def settings(schema: dict[str, Any], part: dict[str, Any], *, skip: frozenset[str] = frozenset()) -> list[str]:
    """A Markdown table of an object's keys: key, value, default, meaning."""
    lines = ["| key | value | default | meaning |", "|---|---|---|---|"]
    required = part.get("required", [])
    for key, value in part.get("properties", {}).items():
        if key in skip:
            continue
        default = "needed" if key in required else _default(value)
        lines.append(f"| `{key}` | {_cell(_kind(schema, value))} | {_cell(default)} | {_cell(value.get('description', ''))} |")
    return lines


def resolve(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """The part that a reference points to."""
    return dict(schema["$defs"][part["$ref"].rpartition("/")[2]]) if "$ref" in part else part


def _default(value: dict[str, Any]) -> str:
    default = value.get("default")
    if default in (None, "", [], {}) or isinstance(default, dict):
        return ""
    if isinstance(default, list):
        return f"`{', '.join(map(str, default))}`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _kind(schema: dict[str, Any], value: dict[str, Any]) -> str:
    """What may stand there, in a few words."""
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return " or ".join(f"`{option}`" for option in value["enum"])
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})" if resolve(schema, value).get("properties") else name
    if "anyOf" in value:
        kinds = [option for option in value["anyOf"] if option.get("type") != "null"]
        if any(option.get("examples", [""])[0] == "90s" for option in kinds):
            return "time"
        if len(kinds) == 2 and kinds[1].get("type") == "array" and kinds[1].get("items") == kinds[0]:
            return f"{_kind(schema, kinds[0])}, or a list"
        return " or ".join(dict.fromkeys(_kind(schema, option) for option in kinds))
    match value.get("type"):
        case "array":
            return f"list of {_kind(schema, value.get('items', {}))}"
        case "object":
            inside = value.get("additionalProperties")
            return f"mapping to {_kind(schema, inside)}" if isinstance(inside, dict) else "mapping"
        case "integer" | "number":
            return "number"
        case "boolean":
            return "true or false"
        case "string":
            return "text"
        case _:
            return "anything"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
