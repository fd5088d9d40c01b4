"""dora: the target stage's delivery metrics allow another change.

Decides from the stage's own history: `{"open_failures": [{"service", "version", "since"}], "changes": n, "failed": k}`. A failure of the
promotion's own service does not stop it (a newer version is the remedy), nor is a hotfix ever stopped. The fail rate stops a
promotion only when it is above the limit beyond chance: the lower 95 % bound of Wilson's interval.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from bot.domain.duration import spell
from bot.domain.facts import Case, Question
from bot.domain.statistics import wilson_bounds
from bot.domain.verdict import Verdict
from bot.gates._asking import answers, ask
from bot.gates._base import Gate
from bot.gates._fields import PositiveDuration
from bot.gates._words import several


class Dora(Gate):
    """Passes when no failed deployment is open in the stage, and its change fail rate is not significantly above the limit."""

    gate: Literal["dora"] = "dora"
    open_failures: Literal["block", "ignore"] = "block"
    """Does an open failed deployment of another service stop promotions?"""
    max_change_fail_rate: float | None = Field(default=None, gt=0, lt=1)
    """The limit: 0.15 is 15 %. Without it the rate is not looked at."""
    over: PositiveDuration = Field(default="28d", validate_default=True)
    """Over which time, up to now."""
    min_changes: int = Field(default=10, ge=1)
    """With fewer changes than this there is no rate, and it does not stop anything."""
    mode: Literal["block", "warn"] = "block"
    """Stop promotions when the rate is above the limit, or only say so."""

    def questions(self, case: Case) -> tuple[Question, ...]:
        return (ask("dora", stage=case.stage, over=int(self.over.total_seconds())),)

    def evaluate(self, case: Case) -> Verdict:
        if case.hotfix:
            return self.passed("A hotfix is never stopped by delivery metrics.")
        (answer,) = answers(case, self.questions(case))
        value = answer.value
        if not isinstance(value, Mapping):
            why = answer.problem or "the answer is not a set of numbers"
            return self.unknown(
                f"The delivery metrics of {case.stage} are not known: {why}.", "Whoever runs the bot", look_again=answer.look_again
            )
        own = {move.service for move in case.moves}
        others = [failure for failure in value["open_failures"] if failure["service"] not in own]
        if others and self.open_failures == "block":
            names = several([f"{failure['service']} {failure['version']}" for failure in others])
            return self.failed(
                f"{names} failed in {case.stage} and {'has' if len(others) == 1 else 'have'} not recovered.",
                f"The recovery of {several([str(failure['service']) for failure in others])}",
                look_again=answer.look_again,
            )
        return self._rate(value, case)

    def _rate(self, value: Mapping[str, Any], case: Case) -> Verdict:
        limit, changes, failed = self.max_change_fail_rate, int(value["changes"]), int(value["failed"])
        if limit is None:
            return self.passed(f"No failed deployment is open in {case.stage}.")
        counted = f"{failed} of {changes} changes failed in {case.stage} in the last {spell(self.over)}"
        bounds = wilson_bounds(failed, changes)
        if changes < self.min_changes or bounds is None:
            return self.passed(f"{counted}: fewer than {self.min_changes}, too few to say a rate.")
        sentence = f"{counted} (at least {bounds[0]:.1%} beyond chance; the limit is {limit:.0%})"
        if bounds[0] <= limit:
            return self.passed(f"{sentence}.")
        if self.mode == "warn":
            return self.passed(f"{sentence}: above the limit, and this gate only warns.")
        return self.failed(
            f"{sentence}.", f"Time, as old failures leave the {spell(self.over)}, or an admin with `/promote override {self.label}`"
        )
