"""From what the schema refuses to sentences with places: `file:line:column: what is wrong. How to mend it`.

Decides how each refusal is told and where it points: an unknown key at the key, a missing one at its parent, a wrong value at the
value. What is refused was decided by the models.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import ValidationError

from bot.config._model import ACCOUNT, CHANNEL, REPOSITORY, SERVICE_NAME, STAGE_NAME, TEAM
from bot.config.export import json_schema
from bot.config.schema import Config
from bot.config.tree import Mark, Node

SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A problem that does not know its file yet."""

    mark: Mark
    what: str
    fix: str = ""
    warning: bool = False


HINTS: Mapping[str, tuple[str, str]] = {
    STAGE_NAME: ("is not a name for this", "Use small letters, digits and -, at most 40, for example prod-eu"),
    SERVICE_NAME: ("is not a service's name", "Use ASCII letters, digits, . _ and -, for example payments"),
    REPOSITORY: ("is not a repository", "Write owner/name, for example acme/environment-prod"),
    CHANNEL: ("is not a Slack channel", 'Write its name in quotes ("#releases") or its id (C0123456789)'),
    ACCOUNT: ("is not an account", "Write a login, without @, or a numeric id"),
    TEAM: ("is not a team", "Write organisation/team, for example acme/payments-leads"),
}


MAPPING, LIST = "a mapping here, `key: value`", "a list here, `- value`"
WANTED: Mapping[str, str] = {
    **dict.fromkeys(("dict_type", "mapping_type", "model_type", "model_attributes_type"), MAPPING),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), LIST),
}


def explain(error: ValidationError, root: Node) -> list[Finding]:
    """One finding per mistake, at its place in the tree."""
    located = [(details, *_locate(root, details["loc"])) for details in error.errors(include_url=False)]
    paths = [path for _, path, _ in located]
    findings: dict[tuple[Mark, str], Finding] = {}
    for details, path, node in located:
        if details["type"].endswith(("_type", "too_short")) and _deeper(path, paths):
            continue
        finding = _told(details, node, path, root)
        findings.setdefault((finding.mark, finding.what), finding)
    return _one_per_value(findings.values())


def nearest(name: str, known: Iterable[str]) -> str:
    """`Did you mean prod?`, or the whole list where it is short, or nothing."""
    candidates = list(known)
    close = get_close_matches(name.lower(), [candidate.lower() for candidate in candidates], n=1, cutoff=0.6)
    if close:
        return f"Did you mean {next(candidate for candidate in candidates if candidate.lower() == close[0])}?"
    return f"Known here: {', '.join(candidates)}" if 0 < len(candidates) <= SHOWN else ""


def _deeper(path: tuple[str | int, ...], paths: list[tuple[str | int, ...]]) -> bool:
    """Another branch of a union got further than this one: its complaint is the useful one."""
    return any(len(other) > len(path) and other[: len(path)] == path for other in paths)


def _one_per_value(findings: Iterable[Finding]) -> list[Finding]:
    """Several branches of a union complain about one value: the first one is told."""
    seen: dict[Mark, Finding] = {}
    more = []
    for finding in findings:
        if finding.mark in seen and not _about_keys(finding) and not _about_keys(seen[finding.mark]):
            continue
        if finding.mark in seen:
            more.append(finding)
        seen.setdefault(finding.mark, finding)
    return [*seen.values(), *more]


def _about_keys(finding: Finding) -> bool:
    return finding.what.startswith(("The key ", "Unknown key "))


def _locate(root: Node, loc: tuple[int | str, ...]) -> tuple[tuple[str | int, ...], Node]:
    """The deepest node that the error's location reaches, and the path to it; names of union branches are passed over."""
    node = root
    path: tuple[str | int, ...] = ()
    for step in loc:
        child = node.child(step)
        if child is not None:
            node, path = child, (*path, step)
    return path, node


def _told(details: Any, node: Node, path: tuple[str | int, ...], root: Node) -> Finding:
    kind, context, last = details["type"], details.get("ctx", {}), details["loc"][-1] if details["loc"] else ""
    match kind:
        case _ if details["loc"][-1:] == ("[key]",):
            what, fix = HINTS.get(str(context.get("pattern")), ("is not a key for this place", ""))
            return Finding(mark=node.place, what=f"{str(details['input'])[:60]!r} {what}", fix=fix)
        case "missing":
            about = _described(details["loc"])
            return Finding(mark=node.place, what=f"The key {last!r} is missing here", fix=f"Add it: {_lower(about)}" if about else "Add it")
        case "extra_forbidden":
            return Finding(mark=node.place, what=f"Unknown key {last!r}", fix=nearest(str(last), _keys(details["loc"][:-1])))
        case "union_tag_not_found":
            return Finding(mark=node.place, what="The key 'gate' is missing here", fix="Say which gate this is, for example gate: soak")
        case "union_tag_invalid":
            place = node.child("gate") or node
            gates = [tag.strip(" '") for tag in str(context.get("expected_tags", "")).split(",")]
            return Finding(mark=place.mark, what=f"There is no gate {context.get('tag')!r}", fix=nearest(str(context.get("tag")), gates))
        case "literal_error":
            expected = [part.strip(" '") for part in str(context.get("expected", "")).replace(" or ", ", ").split(",")]
            fix = f"Write {' or '.join(expected)}" if len(expected) <= SHOWN else nearest(str(node.scalar), expected)
            return Finding(mark=node.mark, what=f"{_shown(node)} is not one of the possible values", fix=fix)
        case "string_pattern_mismatch":
            what, fix = HINTS.get(str(context.get("pattern")), ("does not have the right form", _described(details["loc"])))
            if node.entries is not None and isinstance(details["input"], str):  # a key that is a name: of a stage, say
                return Finding(mark=node.place, what=f"{details['input'][:60]!r} {what}", fix=fix)
            return Finding(mark=node.mark, what=f"{_shown(node)} {what}", fix=fix)
        case "value_error":
            what, _, fix = str(context.get("error", details["msg"])).partition(". ")
            return Finding(mark=node.mark, what=what[:1].upper() + what[1:], fix=fix)
        case "too_short":
            name = repr(path[-1]) if path else "This"
            return Finding(mark=node.mark, what=f"{name} is empty", fix=f"Write at least {context.get('min_length', 1)}")
        case _ if kind in WANTED:
            about = _described(details["loc"])
            fix = f"Write {WANTED[kind]}. This is: {_lower(about)}" if about else f"Write {WANTED[kind]}"
            return Finding(mark=node.mark, what=f"{_shown(node)} does not fit here", fix=fix)
        case "string_type" if isinstance(node.scalar, int | float) and not isinstance(node.scalar, bool):
            return Finding(
                mark=node.mark, what=f"YAML reads {node.raw} as a number, and a text is wanted", fix=f'Put it in quotes: "{node.raw}"'
            )
        case _:
            about = _described(details["loc"])
            return Finding(
                mark=node.mark,
                what=f"{_shown(node)} does not fit: {_lower(details['msg'])}",
                fix=f"This is: {_lower(about)}" if about else "",
            )


def _shown(node: Node) -> str:
    if node.entries is not None:
        return "A mapping"
    if node.items is not None:
        return "A list"
    return "Nothing (an empty value)" if node.scalar is None else repr(node.raw[:60])


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _keys(loc: tuple[int | str, ...]) -> list[str]:
    """Which keys the schema knows at a place."""
    return list(_at(loc).get("properties", {}))


def _described(loc: tuple[int | str, ...]) -> str:
    """The schema's own words about a place: the first line of its description."""
    text = str(_at(loc).get("description", ""))
    return text.splitlines()[0].rstrip(".") if text else ""


@cache
def _schema() -> dict[str, Any]:
    return json_schema(Config)


def _at(loc: tuple[int | str, ...]) -> dict[str, Any]:
    """The part of the JSON Schema that speaks of a place."""
    part = _schema()
    for step in loc:
        part = _step(part, step) or part
    return _resolved(part)


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in part:
        target = _schema()["$defs"][part["$ref"].rpartition("/")[2]]
        return {**target, **{key: value for key, value in part.items() if key != "$ref"}}
    return part


def _step(part: dict[str, Any], step: int | str) -> dict[str, Any] | None:
    part = _resolved(part)
    tagged = part.get("discriminator", {}).get("mapping", {}).get(step)
    if tagged:
        return {"$ref": tagged}
    if isinstance(step, str) and step in part.get("properties", {}):
        return dict(part["properties"][step])
    for patterned in list(part.get("patternProperties", {}).values())[:1] if isinstance(step, str) else ():
        return dict(patterned)
    for key in ("items", "additionalProperties"):
        if isinstance(part.get(key), dict) and (isinstance(step, int) or key == "additionalProperties"):
            return dict(part[key])
    for option in part.get("anyOf", ()):
        found = _step(option, step)
        if found is not None:
            return found
    return None
