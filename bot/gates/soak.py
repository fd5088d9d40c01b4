"""soak: the version has run healthily in the upstream stages, without a break, for the given time.

Decides from the upstreams' recorded health: `healthy_since` begins anew with every degradation that outlasts the stage's `rollout.grace`,
and with everything else that keeps it from being healthy for longer than `rollout.timeout`. Whether the version is the right one and
healthy at all is `upstream`'s word; here the clock then simply does not run.
"""

from typing import Literal

from pydantic import Field

from bot.domain.duration import spell
from bot.domain.facts import Case, Upstream
from bot.domain.rollout import RolloutState
from bot.domain.verdict import Verdict
from bot.gates._base import Gate
from bot.gates._fields import PositiveDuration
from bot.gates._words import instant, several


class Soak(Gate):
    """Passes when the version has run healthily upstream for the given time, without a break."""

    gate: Literal["soak"] = "soak"
    span: PositiveDuration = Field(alias="for")
    """How long it must have been healthy, without a break."""

    def evaluate(self, case: Case) -> Verdict:
        if not case.upstreams:
            return self.passed(f"{case.stage} has no upstream stage to soak in.")
        running = [upstream for upstream in case.upstreams if _clock_runs(upstream)]
        stopped = [upstream for upstream in case.upstreams if not _clock_runs(upstream)]
        if not running or (stopped and case.needs_all):
            return self._stopped(stopped)
        ends = sorted((upstream.healthy_since + self.span, upstream.stage) for upstream in running if upstream.healthy_since)
        end, stage = ends[-1] if case.needs_all else ends[0]
        if end <= case.now:
            return self.passed(f"Healthy in {several([upstream.stage for upstream in running])} for at least {spell(self.span)}.")
        return self.pending(
            f"Soaks in {stage} for {spell(self.span)}: {spell(end - case.now)} left, until {instant(end)}.",
            f"Time; the clock begins anew when the version degrades in {stage}",
            look_again=end,
            passes_at=end,
        )

    def _stopped(self, stopped: list[Upstream]) -> Verdict:
        names = several([upstream.stage for upstream in stopped])
        sentence = f"The soak time of {spell(self.span)} does not run: the version is not known to be healthy in {names}."
        changer = f"The version becoming healthy in {names}"
        if any(upstream.state is RolloutState.UNKNOWN for upstream in stopped):
            return self.unknown(sentence, changer)
        return self.pending(sentence, changer)


def _clock_runs(upstream: Upstream) -> bool:
    return upstream.declares and upstream.state is RolloutState.HEALTHY and upstream.healthy_since is not None
