"""dora: the target stage's delivery metrics allow another change.

Decides by `domain.dora_rule` from the figures that a collector counted (`DeliveryStats`). A failure of the promotion's own service does
not stop it, since a newer version is the remedy; nor is a hotfix ever stopped. Figures that cannot be read are unknown; a history that
is too short to judge by allows, and says so.
"""

from dataclasses import replace
from typing import Literal

from pydantic import Field

from bot.domain.dora_rule import DeliveryStats, DoraRule, Mode, judge
from bot.domain.facts import Case, Question
from bot.domain.history import RolloutKind
from bot.domain.verdict import Verdict
from bot.gates._asking import answers, ask
from bot.gates._base import Gate
from bot.gates._fields import PositiveDuration, Texts

Doing = Literal["off", "warn", "block"]


class Dora(Gate):
    """Passes when no failed deployment is open in the stage, and its delivery metrics are within the limits beyond chance."""

    gate: Literal["dora"] = "dora"
    open_failure: Doing = "block"
    """What an open failed deployment of another service does."""
    change_fail_rate: Doing = "warn"
    """What a change fail rate above the limit does: it blocks only when the lower 95 % bound (Wilson) is above."""
    limit: float = Field(default=0.15, gt=0, lt=1)
    """The limit of the change fail rate: 0.15 is 15 %."""
    over: PositiveDuration = Field(default="28d", validate_default=True)
    """Over which time the rate is counted, up to now."""
    min_changes: int = Field(default=10, ge=1)
    """With fewer changes than this nothing is judged."""
    recovery: Doing = "warn"
    """What a median recovery time above its limit does."""
    recovery_limit: PositiveDuration = Field(default="1d", validate_default=True)
    """The limit of the median recovery time."""
    error_budget: Doing = "off"
    """What an error budget below its floor does."""
    budget_floor: float = Field(default=0.0, ge=0, le=1)
    """The smallest fraction of the error budget that must be left."""
    exempt_labels: Texts = ("security",)
    """Labels of the pull request that exempt it."""
    max_block: PositiveDuration = Field(default="7d", validate_default=True)
    """After blocking for so long it only warns."""

    def questions(self, case: Case) -> tuple[Question, ...]:
        return (ask("dora", stage=case.stage, over=int(self.over.total_seconds())),)

    def evaluate(self, case: Case) -> Verdict:
        (answer,) = answers(case, self.questions(case))
        stats = answer.value
        if not isinstance(stats, DeliveryStats):
            why = answer.problem.rstrip(".") or "the answer is no set of figures"
            sentence = f"The delivery metrics of {case.stage} are not known: {why}."
            return self.unknown(sentence, "Whoever runs the bot; it asks again by itself", look_again=answer.look_again)
        own = {move.service for move in case.moves}
        about = replace(
            stats,
            open_failures=tuple(failure for failure in stats.open_failures if failure.service not in own),
            kind=RolloutKind.HOTFIX if case.hotfix else stats.kind,
            labels=stats.labels | case.labels,
        )
        signal, sentence = judge(about, self.rule(), case.now)
        sentence = sentence[:1].upper() + sentence[1:]
        if signal.allows:
            return self.passed(sentence, look_again=answer.look_again)
        changer = f"A recovery in {case.stage}, time, or an admin with `/promote override {self.label}`"
        return self.failed(sentence, changer, look_again=answer.look_again)

    def rule(self) -> DoraRule:
        """What this gate allows, as the rule that judges it."""
        return DoraRule(
            open_failure=Mode(self.open_failure),
            change_fail_rate=Mode(self.change_fail_rate),
            limit=self.limit,
            min_changes=self.min_changes,
            recovery=Mode(self.recovery),
            recovery_limit=self.recovery_limit,
            error_budget=Mode(self.error_budget),
            budget_floor=self.budget_floor,
            exempt_labels=frozenset(self.exempt_labels),
            max_block=self.max_block,
        )
