"""A button of our check run that somebody pressed on the forge, as its event tells it. Pure data."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.people import Person

RERUN = "rerequested"
"""The press of GitHub's own *Re-run*, of the check or of all checks of a commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """`key` is the same for every delivery of the same press. `app` is the slug of the App whose check it was, `head` the commit under it;
    `check` is its name, empty for all checks of the commit. `number` is the pull request that the event names, if any. `at` is UTC.
    """

    key: str
    repository: str
    button: str
    actor: Person
    at: datetime
    app: str
    head: str
    check: str = ""
    number: int | None = None


def check_name(stage: str) -> str:
    """The name of a stage's check."""
    return f"promotion/{stage}"
