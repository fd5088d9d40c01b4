"""People and what they said on a pull request, as the forge tells it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account of the forge. `id` is what counts; a login may be renamed and taken over by another."""

    id: int
    login: str
    bot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Somebody said yes to exactly one head commit.

    `teams` are the team slugs ("org/team") that the approver belongs to as far as they were asked for.
    `source` is "review", "command", "label" or "slack". `may` is False, with `why_not`, when it does not count.
    `approver` is False for somebody whom a gate names without being an approver of the stage: it counts for that gate's names only.
    """

    person: Person
    head: str
    at: datetime
    source: str
    teams: frozenset[str] = frozenset()
    may: bool = True
    why_not: str = ""
    approver: bool = True
