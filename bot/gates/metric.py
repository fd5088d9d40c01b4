"""metric: a Prometheus query stays within its limits for the given time, or within a ratio of its baseline.

Decides from the samples that a collector fetched: one list per series, `{"labels": {...}, "samples": [[seconds, value], ...]}`, oldest
first. No series, NaN, a hole in the samples, or one from the future is unknown; a series that began late has to last the whole time.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bot.domain.duration import spell
from bot.domain.facts import Answer, Case, Question
from bot.domain.promotion import Move
from bot.domain.verdict import Verdict
from bot.gates._asking import answers, ask, checked, fill, in_quotes, per_move
from bot.gates._base import Gate
from bot.gates._fields import Duration, HttpUrl, PositiveDuration
from bot.gates._words import instant

Query = Annotated[str, Field(min_length=1, max_length=4_000), AfterValidator(checked)]
HOLE = 2.5
"""So many steps without a sample are a hole."""


class Baseline(BaseModel):
    """What the query is compared with: the mean of both over the gate's time, each of one series."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    query: Query
    """For example the same query for the version before (`${old}`) or a day earlier (`offset 1d`)."""
    max_ratio: float = Field(gt=0, allow_inf_nan=False)
    """The query's mean may be at most so many times the baseline's: 1.1 allows a tenth more."""


class Metric(Gate):
    """Passes when a Prometheus query stays within its limits for the given time."""

    gate: Literal["metric"] = "metric"
    query: Query
    """PromQL. `${service}`, `${version}`, `${old}`, `${stage}` are filled in; write them inside quotes."""
    max: float | None = Field(default=None, allow_inf_nan=False)
    """No sample may be above this."""
    min: float | None = Field(default=None, allow_inf_nan=False)
    """No sample may be below this."""
    baseline: Baseline | None = None
    """What to compare with."""
    span: Duration = Field(default=0, alias="for", validate_default=True)
    """For how long, up to now; 0 looks at the present value only."""
    step: PositiveDuration = Field(default="30s", validate_default=True)
    """The time between two samples."""
    address: HttpUrl | None = None
    """The Prometheus to ask; without it, `sources.prometheus`."""

    @model_validator(mode="after")
    def _something(self) -> "Metric":
        if self.max is None and self.min is None and self.baseline is None:
            raise ValueError("a metric needs a limit. Write `max`, `min` or `baseline`")
        if self.max is not None and self.min is not None and self.min > self.max:
            raise ValueError("`min` is above `max`, so that no value could pass")
        if self.span and self.step > self.span / 2:
            raise ValueError("`step` is too long for `for`: take at least three samples")
        return self

    def questions(self, case: Case) -> tuple[Question, ...]:
        return tuple(question for pair in self._pairs(case) for question in pair)

    def _pairs(self, case: Case) -> list[tuple[Question, ...]]:
        """Per service (or once, when no placeholder tells services apart): the query, and its baseline."""
        queries = [self.query, *([self.baseline.query] if self.baseline else [])]
        moves = case.moves if per_move(*queries) else (None,)
        return [tuple(self._question(query, case, move) for query in queries) for move in moves]

    def _question(self, query: str, case: Case, move: Move | None) -> Question:
        seconds = {"over": int(self.span.total_seconds()), "step": int(self.step.total_seconds()) or 1}
        return ask("metric", query=fill(query, case, move, in_quotes), address=self.address, **seconds)

    def evaluate(self, case: Case) -> Verdict:
        verdicts = [self._judge(pair, answers(case, pair), case) for pair in self._pairs(case)]
        bad = [verdict for verdict in verdicts if not verdict.lets_pass]
        return bad[0] if bad else verdicts[0]

    def _judge(self, pair: tuple[Question, ...], given: list[Answer], case: Case) -> Verdict:
        again = given[0].look_again or given[0].at + self.step
        sets = [samples_of(answer) for answer in given]
        for question, answer, found in zip(pair, given, sets, strict=True):
            problem = answer.problem.rstrip(".") or "the answer is not understood" if found is None else self._holes(found, case)
            if problem:
                query = dict(question.params)["query"]
                return self.unknown(f"`{query}`: {problem}.", "Whoever owns the metric", look_again=again)
        verdict = self._limits(sets[0] or [], case, again)
        if verdict is None and self.baseline is not None:
            verdict = self._compared(sets[0] or [], sets[1] or [], again)
        if verdict is not None:
            return verdict
        value = max(series[-1][1] for series in sets[0] or [])
        return self.passed(f"Within its limits{f' for {spell(self.span)}' if self.span else ''} (now {value:g}).", look_again=again)

    def _holes(self, found: list[list[tuple[float, float]]], case: Case) -> str:
        """Why nothing can be said from these series, or empty."""
        if not found or any(not series for series in found):
            return "no data"
        if any(math.isnan(value) for series in found for _, value in series):
            return "it is not a number (NaN) at times"
        widest = HOLE * self.step.total_seconds()
        now = case.now.timestamp()
        for series in found:
            times = [at for at, _ in series]
            if not all(at <= now + widest for at in times):
                return "a sample lies in the future, or at no time: its clock is wrong"
            if now - times[-1] > widest * (1 if self.span else 2):
                return f"the newest sample is from {instant(datetime.fromtimestamp(times[-1], UTC))}"
            if self.span and any(later - earlier > widest for earlier, later in pairwise(times)):
                return "there are holes in its samples"
        return ""

    def _limits(self, found: list[list[tuple[float, float]]], case: Case, again: datetime) -> Verdict | None:
        begin = (case.now - self.span).timestamp()
        looked = [[(at, value) for at, value in series if at >= begin or (at, value) == series[-1]] for series in found]
        wrong = [(at, value) for series in looked for at, value in series if self._outside(value)]
        now_wrong = [series[-1][1] for series in looked if self._outside(series[-1][1])]
        owner = f"Whoever runs what {self.label} measures"
        if now_wrong:
            return self.failed(f"{self.label} is {now_wrong[0]:g}, and {self._told()} is wanted.", owner, look_again=again)
        if wrong:
            at, value = max(wrong)
            end = datetime.fromtimestamp(at, UTC) + self.span
            when = instant(datetime.fromtimestamp(at, UTC).replace(microsecond=0))
            return self.pending(
                f"{self.label} was {value:g} at {when}; it must be {self._told()} for {spell(self.span)}.",
                owner,
                look_again=end,
                passes_at=end,
            )
        youngest = max(series[0][0] for series in found)
        if self.span and youngest - begin > HOLE * self.step.total_seconds():
            end = datetime.fromtimestamp(youngest, UTC) + self.span
            return self.pending(
                f"{self.label} has been measured for {spell(case.now - datetime.fromtimestamp(youngest, UTC))} of {spell(self.span)}.",
                "Time",
                look_again=end,
                passes_at=end,
            )
        return None

    def _compared(self, found: list[list[tuple[float, float]]], base: list[list[tuple[float, float]]], again: datetime) -> Verdict | None:
        if self.baseline is None or len(found) != 1 or len(base) != 1:
            many = "A baseline needs queries that give one series each; aggregate with sum() or avg()."
            return self.unknown(many, "Whoever owns the configuration", look_again=again)
        means = [math.fsum(value for _, value in series[0]) / len(series[0]) for series in (found, base)]
        if not all(map(math.isfinite, means)):
            return self.unknown(
                f"{self.label} or its baseline is infinite at times ({means[0]:g} beside {means[1]:g}): nothing to compare.",
                "Whoever owns the metric",
                look_again=again,
            )
        if means[1] <= 0:
            return (
                None
                if means[0] <= means[1]
                else self.unknown(
                    f"The baseline of {self.label} is {means[1]:g}: nothing to compare {means[0]:g} with.",
                    "Whoever owns the metric",
                    look_again=again,
                )
            )
        if means[0] > means[1] * self.baseline.max_ratio:
            return self.failed(
                f"{self.label} is {means[0] / means[1]:.2f} times its baseline ({means[0]:g} beside {means[1]:g}), "
                f"and at most {self.baseline.max_ratio:g} times is wanted.",
                f"Whoever runs what {self.label} measures",
                look_again=again,
            )
        return None

    def _outside(self, value: float) -> bool:
        return (self.max is not None and value > self.max) or (self.min is not None and value < self.min)

    def _told(self) -> str:
        limits = [f"at most {self.max:g}"] if self.max is not None else []
        return " and ".join([*limits, *([f"at least {self.min:g}"] if self.min is not None else [])])


def samples_of(answer: Answer) -> list[list[tuple[float, float]]] | None:
    """The samples of each series in the order of time, or None when the answer is none."""
    if not isinstance(answer.value, list | tuple):
        return None
    found: list[Mapping[str, Any]] = list(answer.value)
    return [sorted((float(at), float(value)) for at, value in series["samples"]) for series in found]
