"""upstream: the exact version runs healthily in every upstream stage (or in any of them, if the stage says so). Always on.

Decides from what each upstream stage declares and how its rollout stands; a stage that does not have the service at all is left out by
whoever makes the case, but never all of them. How long it has been so is `soak`'s word. A hotfix
skips its upstream only by an audited override, and only with an approver's yes for this very head.
"""

from typing import Literal

from bot.domain.directive import Directive
from bot.domain.facts import Case, Upstream
from bot.domain.rollout import RolloutState
from bot.domain.verdict import Outcome, Verdict
from bot.gates._base import Gate
from bot.gates._fields import Texts
from bot.gates._words import instant, several

WORST_FIRST = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.PENDING)


class UpstreamGate(Gate):
    """Passes when the exact version runs healthily in the upstream stages. Always on."""

    gate: Literal["upstream"] = "upstream"
    stages: Texts = ()
    """The upstream stages, filled from the stage's `after`; at least one of them must have been seen."""

    def placed(self, *, after: tuple[str, ...]) -> Gate:
        if self.stages and set(self.stages) != set(after):
            raise ValueError("the upstream stages are those of the stage's `after`. Take `stages` away")
        return self.model_copy(update={"stages": after})

    def refuses_override(self, case: Case, directive: Directive) -> str:
        refusal = super().refuses_override(case, directive)
        if refusal or not case.hotfix:
            return refusal
        approved = any(approval.may and approval.head == case.head for approval in case.approvals)
        return "" if approved else f"a hotfix skips a stage only with an approval of {case.stage} for this head as well"

    def evaluate(self, case: Case) -> Verdict:
        if self.stages and not any(upstream.stage in self.stages for upstream in case.upstreams):
            return self.unknown(
                f"Nothing is known of {several(self.stages)}, where the version must run first.",
                "Whoever runs the bot: the stage's repository and cluster must be readable",
            )
        if not case.upstreams:
            return self.passed(f"Versions enter the pipeline at {case.stage}: it has no upstream stage.")
        judged = [(upstream, *_judge(upstream, case)) for upstream in case.upstreams]
        good = [upstream.stage for upstream, outcome, _ in judged if outcome is Outcome.PASSED]
        if len(good) == len(judged) or (good and not case.needs_all):
            return self.passed(f"{_version(case)} {_runs(case, good)}.")
        wanted = next(outcome for outcome in self._order(case) if any(found is outcome for _, found, _ in judged))
        sentence = " ".join(text for _, outcome, text in judged if outcome is wanted)
        changer = f"{several([upstream.stage for upstream, outcome, _ in judged if outcome is wanted])} becoming healthy with it"
        if case.hotfix:
            changer += f", or an approver of {case.stage} with `/promote approve` and an admin with `/promote override {self.label}`"
        return self._says(wanted, sentence, changer, None)

    @staticmethod
    def _order(case: Case) -> tuple[Outcome, ...]:
        """With `all` the worst answer counts, with `any` the best."""
        return WORST_FIRST if case.needs_all else WORST_FIRST[::-1]


def _runs(case: Case, good: list[str]) -> str:
    """Where it runs, and where it ran until another took its place (a stage that follows every version looks back)."""
    past = {upstream.stage: upstream.until for upstream in case.upstreams if upstream.stage in good and upstream.until is not None}
    now = [stage for stage in good if stage not in past]
    parts = [f"runs healthily in {several(now)}"] if now else []
    return ", and ".join(parts + [f"ran healthily in {stage} until {instant(until)}" for stage, until in past.items()])


def _version(case: Case) -> str:
    return several([f"{move.service} {move.new}" for move in case.moves]) or case.name


def _judge(upstream: Upstream, case: Case) -> tuple[Outcome, str]:
    why = f": {upstream.reason.rstrip('.')}" if upstream.reason else ""
    match upstream.state:
        case RolloutState.UNKNOWN if not upstream.declares and upstream.release is None:
            return Outcome.UNKNOWN, f"Nobody can say what {upstream.stage} runs{why}."
        case _ if not upstream.declares:
            has = f"declares {upstream.release}" if upstream.release is not None else "declares something else"
            return Outcome.FAILED, f"{upstream.stage} {has}, not {several([str(move.new) for move in case.moves])}."
        case RolloutState.HEALTHY:
            return Outcome.PASSED, ""
        case RolloutState.DEGRADED | RolloutState.TIMED_OUT:
            return Outcome.FAILED, f"{_version(case)} is {upstream.state.value.replace('_', ' ')} in {upstream.stage}{why}."
        case RolloutState.PROGRESSING | RolloutState.SUSPENDED:
            return Outcome.PENDING, f"{_version(case)} is not healthy in {upstream.stage} yet ({upstream.state.value}{why})."
        case _:
            return Outcome.UNKNOWN, f"Nobody can say how {_version(case)} is in {upstream.stage}{why}."
