"""health: the target stage itself is healthy before it is changed, and its cluster matches git.

Decides from the recorded health of the promotion's services (or of the whole stage). Whether the new version is good is the
upstream's word.
"""

from typing import Literal, assert_never

from bot.domain.facts import Case, Health
from bot.domain.rollout import RolloutState, combine
from bot.domain.verdict import Outcome, Verdict
from bot.gates._base import Gate
from bot.gates._words import several

WORST_FIRST = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.PENDING)


class HealthGate(Gate):
    """Passes when the target stage is healthy and its cluster runs what git declares."""

    gate: Literal["health"] = "health"
    scope: Literal["service", "stage"] = "service"
    """Look at the promotion's own services, or at every service of the stage."""
    drift: bool = True
    """Also ask that the cluster runs what git declares: its version, and its replicas unless an autoscaler owns them."""

    def evaluate(self, case: Case) -> Verdict:
        if case.target_problem:
            return self.unknown(
                f"Nobody can say how {case.stage} is: {case.target_problem.rstrip('.')}.",
                f"Whoever runs the cluster of {case.stage}; the bot tries again by itself",
            )
        names = sorted(case.target) if self.scope == "stage" else [move.service for move in case.moves]
        judged = [(name, *self._judge(name, case)) for name in names]
        for outcome in WORST_FIRST:
            found = [(name, sentence) for name, verdict, sentence in judged if verdict is outcome]
            if found:
                services = several([name for name, _ in found])
                more = f" And {len(found) - 1} more." if len(found) > 1 else ""
                return self._says(outcome, found[0][1] + more, f"{services} becoming healthy in {case.stage} as git declares it", None)
        if not judged:
            return self.unknown(f"Nothing is known of any service in {case.stage}.", "The first look at its cluster")
        return self.passed(f"{several([name for name, _, _ in judged])} {'is' if len(judged) == 1 else 'are'} healthy in {case.stage}.")

    def _judge(self, name: str, case: Case) -> tuple[Outcome, str]:
        health = case.target.get(name)
        if health is None:
            return Outcome.UNKNOWN, f"Nothing is known of {name} in {case.stage}."
        why = f": {health.reason.rstrip('.')}" if health.reason else ""
        state = health.state
        if state is RolloutState.PROGRESSING and not health.taken and health.workloads:
            if self.drift:
                return Outcome.PENDING, f"{name} in {case.stage}: its cluster {_runs(health)}, which git does not declare{why}."
            state = combine(workload.state for workload in health.workloads)
        if state is RolloutState.HEALTHY and health.drift and self.drift:
            return Outcome.PENDING, f"{name} drifted in {case.stage}: {health.drift.rstrip('.')}."
        match state:
            case RolloutState.HEALTHY if health.taken or not self.drift:
                return Outcome.PASSED, ""
            case RolloutState.HEALTHY:
                return Outcome.FAILED, f"{name} drifted in {case.stage}: its cluster {_runs(health)}, which git does not declare{why}."
            case RolloutState.DEGRADED | RolloutState.TIMED_OUT:
                return Outcome.FAILED, f"{name} is {state.value.replace('_', ' ')} in {case.stage} before the change{why}."
            case RolloutState.PROGRESSING | RolloutState.SUSPENDED:
                return Outcome.PENDING, f"{name} is {state.value} in {case.stage}{why}."
            case RolloutState.UNKNOWN:
                return Outcome.UNKNOWN, f"Nobody can say how {name} is in {case.stage}{why}."
            case _:
                assert_never(state)


def _runs(health: Health) -> str:
    return f"runs {several(health.running)}" if health.running else "runs something else"
