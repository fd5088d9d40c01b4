"""checks: the required commit statuses and check runs on the promotion's head are green.

Decides from what CI reported on exactly this head, whatever CI it is. What stands on another commit does not count; of several runs
with one name from one source the newest counts, and of several sources the worst. The bot's own check never counts.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Literal

from bot.domain.facts import Answer, Case, Question
from bot.domain.pull import Check, CheckState
from bot.domain.verdict import Verdict
from bot.gates._base import Gate
from bot.gates._fields import Texts
from bot.gates._words import several, short

OURS = "promotion/"
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
WORST_FIRST = (CheckState.FAILURE, CheckState.PENDING, CheckState.SUCCESS)


class Checks(Gate):
    """Passes when the required checks on the pull request's head are green: from any CI that reports to the forge."""

    gate: Literal["checks"] = "checks"
    required: Texts = ()
    """Names of checks that must be there and green, besides those that the forge itself requires."""
    from_rules: bool = False
    """Read the required names from the branch's rules on the forge, so that one that has not reported yet is missed."""
    every: bool = False
    """All checks that reported must be green, required or not; at least one must have reported."""
    ignore: Texts = ()
    """Checks that never count, as globs."""
    neutral: Literal["pass", "fail"] = "pass"
    """What a neutral conclusion counts as."""
    skipped: Literal["pass", "fail"] = "pass"
    """What a skipped check counts as."""

    def questions(self, case: Case) -> tuple[Question, ...]:
        return (self._question(case),) if self.from_rules else ()

    def _question(self, case: Case) -> Question:
        return Question(source="rules", params=(("stage", case.stage),))

    def evaluate(self, case: Case) -> Verdict:
        if not case.head:
            return self.pending("There is no pull request yet.", "The bot opens it")
        if case.checks is None:
            return self.unknown("The checks cannot be read from the forge now.", "Nobody; the bot tries again by itself")
        present = [check for check in case.checks if check.commit == case.head and not self._ignored(check.name)]
        rules, problem = self._rules(case)
        if rules is None:
            return self.unknown(f"The required checks cannot be read from the branch's rules: {problem}.", "Whoever runs the bot")
        names = dict.fromkeys((*self.required, *rules, *(check.name for check in present if check.required)))
        if self.every:
            names.update(dict.fromkeys(check.name for check in present))
        wanted = [name for name in names if not self._ignored(name)]
        if not wanted:
            if self.every:
                return self.pending(f"No check has reported on {short(case.head)} yet.", "The CI of the repository")
            return self.passed("No check is required.")
        return self._judge({name: [check for check in present if check.name == name] for name in wanted}, case)

    def _judge(self, found: dict[str, list[Check]], case: Case) -> Verdict:
        states = {name: self._state(checks) for name, checks in found.items()}
        red = [name for name, state in states.items() if state is CheckState.FAILURE]
        if red:
            link = next((check.url for check in found[red[0]] if check.url), "")
            return self.failed(
                f"{several(red)} failed on {short(case.head)}.", f"Whoever mends or re-runs {several(red)}" + (f" ({link})" if link else "")
            )
        missing = [name for name, state in states.items() if state is None]
        waiting = [name for name, state in states.items() if state is CheckState.PENDING]
        if missing or waiting:
            stale = sorted({check.name for check in case.checks or () if check.commit != case.head} & set(missing))
            parts = [f"{several(waiting)} still running on {short(case.head)}"] if waiting else []
            parts += [f"{several(missing)} not reported on {short(case.head)} yet"] if missing else []
            older = f" (what {several(stale)} said of an older commit does not count)" if stale else ""
            return self.pending(f"{', and '.join(parts)}{older}.", f"The CI that reports {several([*waiting, *missing])}")
        return self.passed(f"{several(list(states))} green on {short(case.head)}.")

    def _state(self, checks: Iterable[Check]) -> CheckState | None:
        """The newest of each source, the worst of the sources; None when nothing reported."""
        newest: dict[str, Check] = {}
        for check in checks:
            known = newest.get(check.source)
            if known is None or (check.at or EARLIEST) >= (known.at or EARLIEST):
                newest[check.source] = check
        states = {self._brought(check.state) for check in newest.values()}
        return next((state for state in WORST_FIRST if state in states), None)

    def _brought(self, state: CheckState) -> CheckState:
        match state:
            case CheckState.NEUTRAL:
                return CheckState.SUCCESS if self.neutral == "pass" else CheckState.FAILURE
            case CheckState.SKIPPED:
                return CheckState.SUCCESS if self.skipped == "pass" else CheckState.FAILURE
            case _:
                return state

    def _ignored(self, name: str) -> bool:
        return name.startswith(OURS) or any(fnmatchcase(name, pattern) for pattern in self.ignore)

    def _rules(self, case: Case) -> tuple[list[str] | None, str]:
        if not self.from_rules:
            return [], ""
        answer = case.answers.get(self._question(case), Answer(at=case.now, problem="they have not been asked for yet"))
        if not isinstance(answer.value, list | tuple):
            return None, answer.problem or "the answer is not a list of names"
        return [str(name) for name in answer.value], ""
