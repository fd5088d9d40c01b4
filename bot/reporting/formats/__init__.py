"""The formats a report can be had in: ONE FILE PER FORMAT, each with `render(page) -> str`; found here by their file names."""

import importlib
import pkgutil
from collections.abc import Callable

from bot.reporting.page import Page


def find_formats() -> dict[str, Callable[[Page], str]]:
    """Every format by its name (its file's, with `-` for `_`), in alphabetical order."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return {name.replace("_", "-"): importlib.import_module(f"{__name__}.{name}").render for name in names}
