"""A promotion as the chat shows it: one message at the head of its thread, changed in place as the promotion goes on."""

from dataclasses import dataclass

from bot.domain.action import Severity
from bot.domain.promotion import Promotion


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """`sentence` says how it stands and why; `blocked` is true where a gate has refused it; `severity` where the card belongs."""

    promotion: Promotion
    sentence: str
    blocked: bool = False
    severity: Severity = Severity.INFO

    @property
    def thread(self) -> str:
        """The key of its thread: every notice of the promotion carries the same."""
        return self.promotion.id
