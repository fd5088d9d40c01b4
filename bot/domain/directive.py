"""A stored order of a person: authorised once, kept for ever, and from then on a fact like any other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.people import Person


class Order(StrEnum):
    """What was ordered. The commands of the bot turn into these; taking one back sets `withdrawn_at`."""

    APPROVE = "approve"
    HOLD = "hold"
    FREEZE = "freeze"
    PIN = "pin"
    VETO = "veto"
    OVERRIDE = "override"
    RETRY = "retry"
    REVERT = "revert"
    CLOSE = "close"
    START = "start"
    REBASE = "rebase"
    MERGE = "merge"
    DISABLE = "disable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """`key` is unique by its source ("comment:<id>:<line>", "review:<id>", "slack:<trigger>", "label:<pr>:<name>:<at>").

    `stage`, `service`, `number` (PR), `version` and `gate` say what it is about; empty or None means "any".
    `head` and `base` bind approvals and overrides to a commit. `until` (UTC) ends it by itself.
    """

    key: str
    order: Order
    actor: Person
    at: datetime
    stage: str = ""
    service: str = ""
    version: str = ""
    number: int | None = None
    head: str = ""
    base: str = ""
    gate: str = ""
    reason: str = ""
    until: datetime | None = None
    withdrawn_at: datetime | None = None
    source: str = ""
    teams: frozenset[str] = frozenset()
    details: Mapping[str, str] = field(default_factory=dict)

    def active(self, now: datetime) -> bool:
        """In force at `now`: given, not withdrawn, not run out."""
        return self.at <= now and self.withdrawn_at is None and (self.until is None or now < self.until)
