"""Finds the verbs: one file each in `bot/commands/verbs`. A new verb is a new file there, and nothing else is edited."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from bot.commands import verbs as folder
from bot.commands.model import Spec, Verb


@lru_cache(maxsize=1)
def verbs() -> Mapping[str, Verb]:
    """All verbs by their names, in alphabetical order. ValueError when two share a name."""
    found: dict[str, Verb] = {}
    taken: dict[str, str] = {}
    for module_info in sorted(pkgutil.iter_modules(folder.__path__), key=lambda info: info.name):
        if module_info.name.startswith("_"):
            continue
        verb: Verb = importlib.import_module(f"{folder.__name__}.{module_info.name}").VERB
        for name in (verb.spec.verb, *verb.spec.aliases):
            if name in taken:
                raise ValueError(f"{name!r} is a name of both {taken[name]} and {verb.spec.verb}")
            taken[name] = verb.spec.verb
        found[verb.spec.verb] = verb
    return MappingProxyType(found)


def as_rows() -> list[dict[str, object]]:
    """The list that `promotion-bot commands --output json` prints and `GET /api/v1/commands` answers."""
    return [row(verb.spec) for verb in verbs().values()]


def row(spec: Spec) -> dict[str, object]:
    """One verb as plain data."""
    arguments: list[dict[str, object]] = [
        {"name": argument.name, "kind": "argument", "required": argument.required, "help": argument.help} for argument in spec.arguments
    ]
    arguments += [
        {"name": f"--{flag.name}", "kind": "flag", "required": flag.required, "value": flag.value, "help": flag.help} for flag in spec.flags
    ]
    return {
        "verb": spec.verb,
        "aliases": list(spec.aliases),
        "role": spec.role.value,
        "arguments": arguments,
        "surfaces": [surface.value for surface in spec.surfaces],
        "help": spec.help,
    }
