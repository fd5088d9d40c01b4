"""webhook: an external system says yes, so that strangers can add a gate in any language.

Decides from the system's answer: `{"state": "passed" | "pending" | "failed", "reason": "…"}`, or `{"allow": true | false}`.
Signing, sending and the time limit are the collector's; no answer, or another one, is unknown.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from bot.domain.facts import Case, Question
from bot.domain.verdict import Verdict
from bot.gates._asking import answers, ask
from bot.gates._base import Gate
from bot.gates._document import as_json
from bot.gates._fields import HttpUrl, PositiveDuration

LONGEST_REASON = 300


class Webhook(Gate):
    """Passes when an external system, asked by a signed request, says so."""

    gate: Literal["webhook"] = "webhook"
    url: HttpUrl
    """Who is asked. The request carries the promotion as a document (see `policy`), signed with the secret from the environment."""
    timeout: PositiveDuration = Field(default="5s", validate_default=True)
    """How long the answer may take; after that it is unknown."""
    every: PositiveDuration = Field(default="1m", validate_default=True)
    """How often to ask again while the answer is not yes."""
    credential: str = Field(default="", pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$|^$")
    """A bearer token to show besides, by its name in the environment."""

    def questions(self, case: Case) -> tuple[Question, ...]:
        seconds = {"timeout": int(self.timeout.total_seconds()) or 1, "every": int(self.every.total_seconds())}
        return (ask("webhook", url=self.url, body=as_json(case), credential=self.credential, **seconds),)

    def evaluate(self, case: Case) -> Verdict:
        (answer,) = answers(case, self.questions(case))
        again = answer.look_again or answer.at + self.every
        owner = f"Whoever runs {self.url}"
        value = answer.value
        if not isinstance(value, Mapping):
            why = answer.problem or "the answer is not a JSON object"
            return self.unknown(f"{self.url} could not be asked: {why.rstrip('.')}.", owner, look_again=again)
        said = value.get("reason")
        reason = " ".join(said.split())[:LONGEST_REASON].rstrip(".") if isinstance(said, str) else ""
        told = f": {reason}" if reason else ""
        match value.get("state"), value.get("allow"):
            case ("passed", None | True) | (None, True):
                return self.passed(f"{self.url} says yes{told}.")
            case ("failed", None | False) | (None, False):
                return self.failed(f"{self.url} says no{told}.", owner, look_again=again)
            case ("pending", None):
                return self.pending(f"{self.url} says not yet{told}.", owner, look_again=again)
            case _:
                return self.unknown(f"{self.url} answered neither yes nor no{told}.", owner, look_again=again)
