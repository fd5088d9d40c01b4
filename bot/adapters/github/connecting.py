"""Logs in to GitHub: puts wire, budget, ledger and credentials together into a forge that is ready for use."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.adapters.github.auth import AppInstallation, PersonalToken
from bot.adapters.github.auth import AppKey as AppKey
from bot.adapters.github.budget import PER_HOUR, PER_MINUTE, PUSHES_PER_MINUTE, Budget
from bot.adapters.github.forge import GitHubForge
from bot.adapters.github.ledger import Ledger
from bot.adapters.github.wire import Wire
from bot.ports.pace import Pace

GITHUB = "https://api.github.com"
TIMEOUT = timedelta(seconds=20)


def connect(
    access: AppKey | PersonalToken,
    *,
    clock: Callable[[], datetime],
    api_url: str = GITHUB,
    ledger: Ledger | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    timeout: timedelta = TIMEOUT,
    writes: tuple[int, int] = (PER_MINUTE, PER_HOUR),
    pushes: int = PUSHES_PER_MINUTE,
    pace: Pace | None = None,
    heard: Callable[[Mapping[str, str]], None] = lambda _headers: None,
) -> GitHubForge:
    """The forge, ready for use; nothing is asked of GitHub yet. `clock` is the time of day in UTC; `heard` is given each answer's headers.

    `writes`: how many content-making requests a minute, and an hour, the forge allows; `pushes`: how many a minute into one repository.
    `pace` counts them for all processes of the installation; without it this process counts its own.
    """
    ledger = ledger if ledger is not None else Ledger()
    budget = Budget(monotonic, per_minute=writes[0], per_hour=writes[1], pushes_per_minute=pushes, pace=pace)
    wire = Wire(api_url, ledger=ledger, budget=budget, clock=clock, timeout=timeout, heard=heard)
    credentials: AppInstallation | PersonalToken
    if isinstance(access, AppKey):
        credentials = AppInstallation(
            app_id=access.app_id,
            private_key=access.private_key,
            installation=access.installation,
            send=wire.as_app,
            clock=clock,
        )
    else:
        credentials = access
    wire.login(credentials)
    return GitHubForge(wire, credentials, ledger=ledger, budget=budget, clock=clock)
