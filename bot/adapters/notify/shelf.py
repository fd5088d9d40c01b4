"""Finds the ways of telling: each file of this folder that has a `build` function."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass

from bot.adapters import notify
from bot.adapters.credentials import Credentials
from bot.adapters.safe_http import SafeHttp
from bot.config.notifications import Notifications
from bot.ports import Teller


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What every way is built from. `source` names this bot to receivers: its external address, or its name."""

    notifications: Notifications
    credentials: Credentials
    http: SafeHttp
    source: str = "promotion-bot"


def tellers(means: Means) -> Mapping[str, Teller]:
    """All receivers by a name that is theirs alone: the way and the name in the configuration."""
    found: dict[str, Teller] = {}
    for module_info in sorted(pkgutil.iter_modules(notify.__path__), key=lambda info: info.name):
        build = getattr(importlib.import_module(f"{notify.__name__}.{module_info.name}"), "build", None)
        if build is not None:
            found |= {f"{module_info.name}.{name}": teller for name, teller in build(means).items()}
    return found
