"""The formats a report can be had in: ONE FILE PER FORMAT, each with `render(page) -> str`; found here by their file names."""

import importlib
import pkgutil
from collections.abc import Callable

from bot.reporting.page import Page


def find_formats() -> dict[str, Callable[[Page], str]]:
    """Every format by its name, in alphabetical order."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: importlib.import_module(f"{__name__}.{name}").render for name in names}
