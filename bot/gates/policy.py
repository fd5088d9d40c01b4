"""policy: a rule of your own is true: a CEL expression, or a rule of an OPA server.

Decides by evaluating the CEL expression over the promotion's document (with the library's own budgets of depth and iterations), or
from OPA's answer. An error in a rule, or an answer that is neither true nor false, is unknown.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from bot.domain.facts import Answer, Case, Question
from bot.domain.verdict import Verdict
from bot.gates._asking import answers, ask
from bot.gates._base import Gate
from bot.gates._document import as_json, document

LONGEST_EXPRESSION = 4_000
SHOWN = 200


class Policy(Gate):
    """Passes when a CEL expression, or an OPA rule, over the promotion is true."""

    gate: Literal["policy"] = "policy"
    expression: str | None = Field(default=None, min_length=1, max_length=LONGEST_EXPRESSION)
    """A CEL expression over `promotion` (the document below) and `now` (a timestamp)."""
    rule: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*$")
    """The path of an OPA rule, for example `promotion/allow`; it is asked with the document as its input."""
    message: str = Field(default="", max_length=200)
    """What to say when it is false."""

    @field_validator("expression", mode="after")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            compiled(value)
        return value

    @model_validator(mode="after")
    def _one(self) -> "Policy":
        if (self.expression is None) == (self.rule is None):
            raise ValueError("a policy is either an `expression` (CEL) or a `rule` (OPA); write exactly one of these")
        return self

    def questions(self, case: Case) -> tuple[Question, ...]:
        return (ask("opa", rule=self.rule, body=as_json(case)),) if self.rule else ()

    def evaluate(self, case: Case) -> Verdict:
        if self.expression is not None:
            return self.decided(document(case), case.now)
        (answer,) = answers(case, self.questions(case))
        return self.answered(answer)

    def answered(self, answer: Answer) -> Verdict:
        """What the rule's answer means."""
        value = answer.value
        if isinstance(value, Mapping):
            return self._said(*_decision(value))
        if value is None:
            why = answer.problem or "the rule has no value for this promotion"
            return self.unknown(
                f"The rule {self.rule} could not be asked: {why}.", "Whoever runs the OPA server", look_again=answer.look_again
            )
        return self._said(value, "")

    def decided(self, promotion: Mapping[str, Any], now: datetime) -> Verdict:
        """What the expression says of a promotion's document."""
        try:
            result = compiled(self.expression or "false").eval(data={"promotion": promotion, "now": now})
        except RuntimeError as error:
            return self._broken(str(error))
        if result.type().name() == "ERROR":
            return self._broken(str(result.value()))
        return self._said(result.value(), "")

    def _said(self, value: object, told: str) -> Verdict:
        why = self.message.rstrip(".") or told.rstrip(".")
        if value is True:
            return self.passed("The policy allows it.")
        if value is False:
            return self.failed(
                f"The policy does not allow it{f': {why}' if why else f' (`{self.expression or self.rule}` is false)'}.",
                "Whoever owns this policy, or what it asks for",
            )
        return self.unknown(f"The policy answered neither true nor false but {str(value)[:SHOWN]!r}.", "Whoever owns this policy")

    def _broken(self, why: str) -> Verdict:
        text = " ".join(why.split())[:SHOWN]
        return self.unknown(f"The policy cannot be evaluated: {text}.", "Whoever owns this policy")


def _decision(value: Mapping[str, Any]) -> tuple[object, str]:
    """What an OPA decision object says, and why: a reason in `deny` denies; without `allow`, an empty `deny` allows."""
    denied = value.get("deny")
    reasons = denied or value.get("reasons") or ()
    told = "; ".join(str(reason) for reason in reasons) if isinstance(reasons, list | tuple) else str(reasons)
    if denied:
        return False, told[:SHOWN]
    return (value.get("allow", True if denied == [] else value)), told[:SHOWN]


@lru_cache(maxsize=256)
def compiled(expression: str) -> Any:
    """The compiled expression; ValueError when it cannot be compiled, or could never be true or false."""
    try:
        from cel_expr_python import cel
    except ImportError as error:
        raise ValueError("CEL is not installed here. Install promotion-bot[cel], or use an OPA `rule`") from error
    try:
        made = cel.NewEnv(variables={"promotion": cel.Type("map<string, dyn>"), "now": cel.Type.TIMESTAMP}).compile(expression)
    except RuntimeError as error:
        first = str(error).splitlines()[0].removeprefix("INVALID_ARGUMENT: ").removeprefix("ERROR: <input>:")
        raise ValueError(f"this CEL expression cannot be compiled ({first}). docs/gates.md describes its input") from error
    if made.return_type().name() not in ("BOOL", "DYN"):
        raise ValueError(f"this CEL expression is a {made.return_type().name().lower()}, and a policy must be true or false")
    return made
