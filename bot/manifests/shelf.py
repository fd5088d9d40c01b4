"""The shelf of formats: what a format is, and how all files in `formats/` are found.

A format for YAML and JSON claims a document and collects its slots; a format for other texts claims a file by its name.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from bot.manifests import formats
from bot.manifests.collecting import Collector
from bot.manifests.found import FileSlots


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlFormat:
    """`claims` judges one document by its root; the claiming format of the lowest `order` reads it with `collect`.

    `needles`: a file that holds none of these texts holds no slot of this format, and is not parsed for it.
    `named`: for formats that are known by the file's name; others leave it None.
    """

    name: str
    order: int
    needles: tuple[bytes, ...]
    claims: Callable[[Collector], bool]
    collect: Callable[[Collector], None]
    named: Callable[[str], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFormat:
    """A format of its own syntax. `claims` judges the file's path; `read` gets path and text, and never raises but EditRefused."""

    name: str
    needles: tuple[bytes, ...]
    claims: Callable[[str], bool]
    read: Callable[[str, str], FileSlots]


@cache
def yaml_formats() -> tuple[YamlFormat, ...]:
    """All YAML formats in the order in which they are asked."""
    return tuple(sorted((one for one in _all() if isinstance(one, YamlFormat)), key=lambda one: (one.order, one.name)))


@cache
def text_formats() -> tuple[TextFormat, ...]:
    """All other formats by name."""
    return tuple(sorted((one for one in _all() if isinstance(one, TextFormat)), key=lambda one: one.name))


@cache
def _all() -> tuple[YamlFormat | TextFormat, ...]:
    names = sorted(found.name for found in pkgutil.iter_modules(formats.__path__))
    return tuple(importlib.import_module(f"{formats.__name__}.{name}").FORMAT for name in names)
