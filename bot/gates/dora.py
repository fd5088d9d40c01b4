"""dora: the target stage's delivery metrics allow another change.

Decides by `domain.dora_rule` from the figures that a collector counted (`DeliveryStats`). A hotfix is never stopped, for it may be the
remedy; an ordinary promotion is, also by a failure of its own service, unless the gate is told that a newer version is the usual remedy.
Figures that cannot be read are unknown; a history that is too short to judge by allows, and says so. The error budget is asked of
Prometheus, over `max_block`, so that it is known since when it has been below its floor; a budget that cannot be asked for blocks where
it may block, one without data does not.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Literal

from pydantic import Field, model_validator

from bot.domain.dora_rule import DeliveryStats, DoraRule, Mode, Signal, judge, outlasted
from bot.domain.duration import spell
from bot.domain.facts import Answer, Case, Question
from bot.domain.history import RolloutKind
from bot.domain.instants import format_instant
from bot.domain.verdict import Alarm, Verdict
from bot.gates._asking import answers, ask, fill, in_quotes, per_move
from bot.gates._base import Gate
from bot.gates._fields import PositiveDuration, Texts
from bot.gates._words import instant
from bot.gates.metric import Query, samples_of

Doing = Literal["off", "warn", "block"]
_LOOKS = 168
_SHORTEST = timedelta(minutes=1)


class Dora(Gate):
    """Passes when no failed deployment is open in the stage, and its delivery metrics are within the limits beyond chance."""

    gate: Literal["dora"] = "dora"
    open_failure: Doing = "block"
    """What an open failed deployment in the stage does."""
    own_failures: bool = True
    """Whether one of the promotion's own service counts too. `false` where a newer version is the usual remedy."""
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
    """What an error budget below its floor does. It needs `budget_query`."""
    budget_query: Query | None = None
    """PromQL for the fraction of the error budget that is left: 1 is all of it, below 0 it is overspent. Of several series the smallest
    counts. `${stage}` is filled in; without data nothing is held up, and the answer says so."""
    budget_floor: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)
    """The smallest fraction of the error budget that must be left."""
    exempt_labels: Texts = ("security",)
    """Labels of the pull request that exempt it."""
    max_block: PositiveDuration = Field(default="7d", validate_default=True)
    """After blocking for so long it only warns, and the team of the failed service (else the stage's channel) is told once."""

    @model_validator(mode="after")
    def _asked_for(self) -> "Dora":
        if self.error_budget != "off" and self.budget_query is None:
            raise ValueError("`error_budget` is judged by nothing. Write `budget_query`, the PromQL for the fraction that is left")
        if self.budget_query is not None and per_move(self.budget_query):
            raise ValueError("`budget_query` is asked once for the stage, so that it knows no service. Write it with ${stage} only")
        return self

    @property
    def _step(self) -> timedelta:
        return max(_SHORTEST, self.max_block / _LOOKS)

    def questions(self, case: Case) -> tuple[Question, ...]:
        figures = ask("dora", stage=case.stage, over=int(self.over.total_seconds()))
        if self.error_budget == "off" or self.budget_query is None:
            return (figures,)
        seconds = {"over": int(self.max_block.total_seconds()), "step": int(self._step.total_seconds())}
        return figures, ask("metric", query=fill(self.budget_query, case, None, in_quotes), **seconds)

    def evaluate(self, case: Case) -> Verdict:
        answer, *budgets = answers(case, self.questions(case))
        again = min((one.look_again for one in (answer, *budgets) if one.look_again is not None), default=None)
        stats = answer.value
        if not isinstance(stats, DeliveryStats):
            why = answer.problem.rstrip(".") or "the answer is no set of figures"
            sentence = f"The delivery metrics of {case.stage} are not known: {why}."
            return self.unknown(sentence, "Whoever runs the bot; it asks again by itself", look_again=again)
        own = set() if self.own_failures else {move.service for move in case.moves}
        left, since = _budget(budgets, self.budget_floor, newer=case.now - 2 * self._step)
        about = replace(
            stats,
            open_failures=tuple(failure for failure in stats.open_failures if failure.service not in own),
            kind=RolloutKind.HOTFIX if case.hotfix else stats.kind,
            labels=stats.labels | case.labels,
            budget_remaining=left,
            blocked_since=min((instant for instant in (stats.blocked_since, since) if instant is not None), default=None),
        )
        signal, sentence = judge(about, self.rule(), case.now)
        problem = next((one.problem for one in budgets if one.problem or not isinstance(one.value, list | tuple)), None)
        if problem is not None and self.error_budget == "block" and signal not in (Signal.EXEMPT, Signal.BLOCK):
            why = problem.rstrip(".") or "the answer is not understood"
            return self.unknown(f"The error budget of {case.stage} is not known: {why}.", "Whoever owns the metric", look_again=again)
        sentence = sentence[:1].upper() + sentence[1:]
        if signal is Signal.EXEMPT:
            return self.passed(sentence, look_again=again)
        sentence = f"{sentence} {self._rows(case, about)}"
        if signal.allows:
            return replace(self.passed(sentence, look_again=again), alarm=self._alarm(case, about))
        changer = f"A recovery in {case.stage}, the label `hotfix` on the remedy, time, or an admin with `/promote override {self.label}`"
        return self.failed(sentence, changer, look_again=again)

    def _alarm(self, case: Case, stats: DeliveryStats) -> Alarm | None:
        """Once a block has stood for `max_block` nothing stops the next change any more: whoever is in charge has to know."""
        since = outlasted(stats, self.rule(), case.now)
        if since is None:
            return None
        oldest = min(stats.open_failures, key=lambda found: (found.since, found.deploy), default=None)
        service = oldest.service if oldest is not None and self.open_failure == "block" else ""
        why = judge(replace(stats, blocked_since=None), self.rule(), case.now)[1].rpartition(": blocked")[0]
        text = (
            f"The gate {self.label} of {case.stage} has blocked since {instant(since)}, for {spell(self.max_block)} and longer "
            f"(`max_block`). From now on it only warns, and promotions into {case.stage} go on. What stands: {why}. "
            f"{f'Recover or take back {service}' if service else 'Look at what failed'}, or change the gate. {self._rows(case, stats)}"
        )
        return Alarm(key=f"{self.label}:{case.stage}:{format_instant(since)}", service=service, text=text)

    def _rows(self, case: Case, stats: DeliveryStats) -> str:
        """The command that shows the rows behind the numbers: the same code counts them."""
        metric = "open_failures" if stats.open_failures and self.open_failure != "off" else "change_fail_rate"
        first, end = (case.now - self.over).astimezone(UTC).date(), case.now.astimezone(UTC).date() + timedelta(days=1)
        return f"Rows: `promotion-bot explain {metric} --stage {case.stage} --from {first} --to {end}`."

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


def _budget(given: Sequence[Answer], floor: float, *, newer: datetime) -> tuple[float | None, datetime | None]:
    """What is left of the budget now, by the series where it is least, and since when without a break it has been below the floor.

    A series that ends before `newer`, or in no number, tells nothing of now.
    """
    every = [one for answer in given for one in samples_of(answer) or [] if one]
    series = [one for one in every if one[-1][0] >= newer.timestamp() and not isnan(one[-1][1])]
    if not series:
        return None, None
    least = min(series, key=lambda one: one[-1][1])
    since: datetime | None = None
    for at, value in reversed(least):
        if not value < floor:
            break
        since = datetime.fromtimestamp(at, UTC)
    return least[-1][1], since
