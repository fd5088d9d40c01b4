"""What a gate is: frozen settings, the questions it asks of the outside, and a pure judgement of one case.

A gate decides from its own settings and the case alone. Finding the gates, applying what people ordered and what
happens when a gate breaks is left to the shelf (`bot.gates`).
"""

from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from bot.domain.directive import Directive
from bot.domain.facts import Case, Question
from bot.domain.verdict import Outcome, Verdict


class Gate(BaseModel, ABC):
    """The base of the shelf. A subclass sets `gate` to a `Literal` that names its kind, and is one file beside this one."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    gate: str
    """Which gate this is."""
    name: str = Field(default="", pattern=r"^[a-z0-9][a-z0-9-]{0,39}$|^$")
    """Tells several gates of one kind apart; commands and messages use it. Empty: the kind itself."""
    hard: bool = False
    """A hard gate cannot be overridden by anyone."""

    @property
    def label(self) -> str:
        """How messages and `override` call it: its name, else its kind."""
        return self.name or self.gate

    def questions(self, case: Case) -> tuple[Question, ...]:
        """What must be asked of the outside before `evaluate` can say more than `unknown`."""
        return ()

    @abstractmethod
    def evaluate(self, case: Case) -> Verdict:
        """The answer for this case, from nothing but the case and the settings."""

    def on_revert(self, case: Case) -> Verdict:
        """The answer for a revert in this stage. Only gates that define it are asked; for all others reverts are none of their business."""
        return self.passed("It has no say about reverts.")

    def refuses_override(self, case: Case, directive: Directive) -> str:
        """Why this person's override does not turn the answer, as a sentence; empty when it does."""
        return f"{self.label} is a hard gate and cannot be overridden" if self.hard else ""

    def placed(self, *, after: tuple[str, ...]) -> "Gate":
        """The gate as it stands on a stage with these upstream stages; ValueError where it does not fit there."""
        return self

    def passed(self, sentence: str, *, look_again: datetime | None = None) -> Verdict:
        """Lets the promotion on; `look_again` where time alone may end that (a window that closes)."""
        return Verdict(gate=self.label, outcome=Outcome.PASSED, sentence=sentence, look_again=look_again, hard=self.hard)

    def pending(self, sentence: str, changer: str, *, look_again: datetime | None = None, passes_at: datetime | None = None) -> Verdict:
        """Not yet: somebody or something can still change it. `passes_at`: time alone does, then."""
        return replace(self._says(Outcome.PENDING, sentence, changer, look_again), passes_at=passes_at)

    def failed(self, sentence: str, changer: str, *, look_again: datetime | None = None) -> Verdict:
        """No: something was seen that must be mended."""
        return self._says(Outcome.FAILED, sentence, changer, look_again)

    def unknown(self, sentence: str, changer: str, *, look_again: datetime | None = None) -> Verdict:
        """Cannot be said: never lets a promotion on."""
        return self._says(Outcome.UNKNOWN, sentence, changer, look_again)

    def _says(self, outcome: Outcome, sentence: str, changer: str, look_again: datetime | None) -> Verdict:
        return Verdict(gate=self.label, outcome=outcome, sentence=sentence, changer=changer, look_again=look_again, hard=self.hard)
