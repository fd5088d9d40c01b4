"""Nouns of the domain as JSON documents and back, by their types alone (pydantic `TypeAdapter`).

A field that a document lacks takes its default; a field that the type lacks is passed over: an older and a newer
program read each other's rows.
"""

from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    found = _ADAPTERS.get(kind)
    if found is None:
        found = _ADAPTERS[kind] = TypeAdapter(kind)
    return found


def dump(value: object, kind: Any = None) -> Any:
    """The value as plain JSON data."""
    return _adapter(kind or type(value)).dump_python(value, mode="json")


def load(kind: type[T], document: object) -> T:
    """The value that `dump` wrote; `pydantic.ValidationError` when the document is something else."""
    found: T = _adapter(kind).validate_python(document)
    return found
