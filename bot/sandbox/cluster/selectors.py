"""Label and field selectors, as queries of the API write them.

Decides whether an object matches. Refuses what the apiserver refuses, in its words.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.cluster.answers import refuse
from bot.sandbox.cluster.resources import Obj, Resource

Test = Callable[[Obj], bool]
_SET = re.compile(r"^\s*([A-Za-z0-9_./-]+)\s+(in|notin)\s+\(([^()]*)\)\s*$")
_EQUAL = re.compile(r"^\s*([A-Za-z0-9_./-]+)\s*(==|!=|=)\s*([A-Za-z0-9_.-]*)\s*$")
_EXISTS = re.compile(r"^\s*(!?)\s*([A-Za-z0-9_./-]+)\s*$")
_FIELDS = {
    "pods": ("metadata.name", "metadata.namespace", "spec.nodeName", "spec.restartPolicy", "status.phase", "status.podIP"),
    "events": ("metadata.name", "metadata.namespace", "involvedObject.kind", "involvedObject.name", "involvedObject.namespace",
               "involvedObject.uid", "involvedObject.apiVersion", "reason", "reportingComponent", "type"),
    "jobs": ("metadata.name", "metadata.namespace", "status.successful"),
    "namespaces": ("metadata.name", "status.phase"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What one list or watch asks for: namespace (empty: all), labels, fields."""

    namespace: str
    tests: tuple[Test, ...]

    def matches(self, obj: Obj) -> bool:
        """Whether the object belongs to the answer."""
        if self.namespace and obj["metadata"].get("namespace") != self.namespace:
            return False
        return all(test(obj) for test in self.tests)


def selection(resource: Resource, namespace: str, labels: str, fields: str) -> Selection:
    """The selection of a request; raises a 400 for a selector that cannot be read or is not served."""
    tests = [_label_test(part) for part in split_selector(labels)]
    tests += [_field_test(resource, part) for part in fields.split(",") if part]
    return Selection(namespace=namespace, tests=tuple(tests))


def split_selector(text: str) -> list[str]:
    """The requirements of a label selector: commas inside brackets do not part."""
    return [part for part in re.split(r",(?![^()]*\))", text) if part.strip()]


def _labels(obj: Obj) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def _label_test(part: str) -> Test:
    if found := _SET.match(part):
        key, how, listed = found.groups()
        wanted = {value.strip() for value in listed.split(",")}
        return lambda obj: (_labels(obj).get(key) in wanted) == (how == "in")
    if found := _EQUAL.match(part):
        key, how, value = found.groups()
        return lambda obj: (_labels(obj).get(key) == value) != (how == "!=")
    if found := _EXISTS.match(part):
        absent, key = found.groups()
        return lambda obj: (key in _labels(obj)) != bool(absent)
    unexpected = next((sign for sign in part if sign in "(){}<>"), part)
    raise refuse(400, f"unable to parse requirement: found '{unexpected}', expected: identifier")


def _field_test(resource: Resource, part: str) -> Test:
    key, how, value = re.split(r"(==|!=|=)", part, maxsplit=1) if re.search(r"=", part) else (part, "", "")
    if not how:
        raise refuse(400, f"invalid selector: '{part}'; can't understand '{part}'")
    known = _FIELDS.get(resource.plural, ("metadata.name", "metadata.namespace"))
    if key not in known:
        listed = ", ".join(f'"{name}"' for name in ("metadata.name", "metadata.namespace"))
        raise refuse(400, f'"{key}" is not a known field selector: only {listed}')
    return lambda obj: (str(dig(obj, key)) == value) != (how == "!=")


def dig(obj: Obj, dotted: str) -> object:
    """The value at a dotted path, or an empty string."""
    here: object = obj
    for step in dotted.split("."):
        here = here.get(step, "") if isinstance(here, dict) else ""
    return here
