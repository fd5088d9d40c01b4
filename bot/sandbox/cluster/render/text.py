"""YAML as the agents read it, with one difference: a version stays the text that was written.

Decides types: `true`, `null` and plain whole numbers are what they are; `1.10`, dates and octal numbers stay text, so
that an image's tag is never another tag. Limits size and aliases, since trees come from anywhere.
"""

import re
from functools import lru_cache
from typing import Any

import yaml

LIMIT, ALIASES = 1_000_000, 100
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class TextLoader(_Base):  # type: ignore[misc]
    """A safe loader without floats, dates and YAML 1.1's other booleans."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, Any]]] = {}  # noqa: RUF012 - how PyYAML is told


def _resolve(tag: str, pattern: str, first: list[str]) -> None:
    TextLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), first)


_resolve("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", [*"tTfF"])
_resolve("null", r"^(?:~|null|Null|NULL|)$", [*"~nN"])
_resolve("null", r"^$", [""])
_resolve("int", r"^-?(?:0|[1-9][0-9]{0,14})$", [*"-0123456789"])
_resolve("merge", r"^<<$", [*"<"])


class Unreadable(Exception):
    """A file that is not for the agent; the message says why."""


@lru_cache(maxsize=20_000)
def documents(content: bytes) -> list[Any]:
    """The documents of a file, empty ones left out. Raises `Unreadable`. Remembered by content: copy before you change them."""
    if len(content) > LIMIT:
        raise Unreadable("larger than 1 MB")
    try:
        text = content.decode("utf-8-sig")
        if sum(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=TextLoader)) > ALIASES:
            raise Unreadable(f"more than {ALIASES} aliases")
        return [document for document in yaml.load_all(text, Loader=TextLoader) if document is not None]
    except (UnicodeDecodeError, yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise Unreadable(str(error).splitlines()[0] if str(error) else type(error).__name__) from error


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def is_object(document: Any) -> bool:
    """Whether the document is a Kubernetes object with a name."""
    if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
        return False
    texts = (document.get("apiVersion"), document.get("kind"), document["metadata"].get("name"))
    return all(isinstance(text, str) and text for text in texts)
