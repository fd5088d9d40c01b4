"""Patches: JSON merge patch (RFC 7386), strategic merge patch and JSON patch (RFC 6902), on plain objects.

Decides how a patch changes an object. Lists whose elements have a natural key (`name` of a container) are
merged by it under the strategic patch, as the apiserver and kustomize do for the built-in kinds.
"""

from copy import deepcopy
from typing import Any

_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "conditions": "type",
    "imagePullSecrets": "name",
}


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386: null takes a key away, lists are replaced."""
    if not isinstance(patch, dict):
        return deepcopy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def strategic_patch(target: Any, patch: Any, field: str = "") -> Any:
    """A merge patch that merges keyed lists element by element; understands `$patch: delete` and `replace`."""
    if isinstance(patch, list):
        return _merge_list(target if isinstance(target, list) else [], patch, field)
    if not isinstance(patch, dict):
        return deepcopy(patch)
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif not key.startswith("$"):
            merged[key] = strategic_patch(merged.get(key), value, key)
    return merged


def _merge_list(target: list[Any], patch: list[Any], field: str) -> list[Any]:
    key = _KEYS.get(field)
    if key is None or not all(isinstance(item, dict) and (key in item or "$patch" in item) for item in patch):
        return deepcopy(patch)
    merged = [dict(item) if isinstance(item, dict) else item for item in target]
    for item in patch:
        place = next((n for n, old in enumerate(merged) if isinstance(old, dict) and old.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            merged = [old for n, old in enumerate(merged) if n != place]
        elif place is None:
            merged.append(deepcopy(item))
        else:
            merged[place] = strategic_patch(merged[place], item)
    return merged


def json_patch(target: Any, operations: list[Any]) -> Any:
    """RFC 6902's add, replace, remove and test. Raises ValueError where an operation does not fit."""
    result = deepcopy(target)
    for operation in operations:
        if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
            raise ValueError("each operation needs op and path")
        _apply(result, operation)
    return result


def _apply(result: Any, operation: dict[str, Any]) -> None:
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]] or [""]
    here = result
    for step in way:
        here = here[int(step)] if isinstance(here, list) else here[step] if step in here else _missing(step)
    verb, value = operation.get("op"), deepcopy(operation.get("value"))
    if isinstance(here, list):
        place = len(here) if last == "-" else int(last)
        if verb == "add":
            here.insert(place, value)
        elif verb == "replace":
            here[place] = value
        elif verb == "remove":
            del here[place]
        return
    if verb in ("add", "replace"):
        here[last] = value
    elif verb == "remove":
        here.pop(last, None) if last in here else _missing(last)
    elif verb == "test" and here.get(last) != value:
        raise ValueError(f"test failed at {operation['path']}")


def _missing(step: str) -> Any:
    raise ValueError(f"nothing stands at {step!r}")
