"""A gate's answer: what it says, in a sentence a person can act on, and when to look again."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """The four answers of a gate. Only `passed` lets a promotion on; `unknown` never does."""

    PASSED = "passed"
    PENDING = "pending"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that people must be told once, beside the answer. `key` is the same as long as it is the same matter;
    `service` is whose team is in charge, empty for the stage's."""

    key: str
    service: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One gate's answer for one promotion.

    `sentence` says what and why now; `changer` says who or what can change it (empty when passed);
    `look_again` is the instant (UTC) at which the answer may change by time alone, None when only an event can change it.
    `passes_at` is the instant (UTC) at which a pending gate passes by time alone if nothing else happens; None where nobody can say.
    """

    gate: str
    outcome: Outcome
    sentence: str
    changer: str = ""
    look_again: datetime | None = None
    hard: bool = False
    overridden_by: str | None = None
    alarm: Alarm | None = None
    passes_at: datetime | None = None

    @property
    def lets_pass(self) -> bool:
        """True when this gate does not stand in the way."""
        return self.outcome is Outcome.PASSED
