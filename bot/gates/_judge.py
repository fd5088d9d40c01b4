"""How a promotion is judged by all its gates: each asked alone, overrides applied, and a broken gate kept from passing anything.

Decides which override counts (this gate, this stage, exactly this head and base) and what becomes of a gate that raises. What a
gate wants is in its own file; who may override was decided when the order was stored.
"""

import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache, partial
from pathlib import PurePath

from bot.domain.directive import Directive, Order
from bot.domain.facts import Case, Question
from bot.domain.redact import redact
from bot.domain.verdict import Outcome, Verdict
from bot.gates._base import Gate
from bot.gates._words import short

LONGEST_ERROR = 200
SOONEST = timedelta(seconds=5)


def evaluate_all(gates: Iterable[Gate], case: Case) -> tuple[Verdict, ...]:
    """One verdict per gate, in the gates' order."""
    return tuple(_overridden(gate, case, _asked(gate, partial(gate.evaluate, case), case.now)) for gate in gates)


def evaluate_revert(gates: Iterable[Gate], case: Case) -> tuple[Verdict, ...]:
    """The verdicts of the gates that stand in the way of, or speak about, a revert in this stage; most have no say."""
    speaking = (gate for gate in gates if type(gate).on_revert is not Gate.on_revert)
    return tuple(_overridden(gate, case, _asked(gate, partial(gate.on_revert, case), case.now)) for gate in speaking)


def questions_of(gates: Iterable[Gate], case: Case) -> tuple[Question, ...]:
    """All questions of the gates, each once. A gate that breaks here asks nothing, and says so when it is evaluated."""
    asked: dict[Question, None] = {}
    for gate in gates:
        try:
            asked.update(dict.fromkeys(gate.questions(case)))
        except Exception:  # noqa: S112  the same case breaks `evaluate`, where it is told
            continue
    return tuple(asked)


def matches(directive: Directive, case: Case) -> bool:
    """True when what was ordered is about this promotion: its stage, one of its services or its pull request, its version."""
    names = {case.name, *(move.service for move in case.moves)}
    versions = {text for move in case.moves for _, version in move.new.versions for text in (version.text, version.tag)}
    return (
        directive.stage in ("", "*", case.stage)
        and (directive.service in ("", "*") or directive.service in names)
        and directive.number in (None, case.number)
        and (not directive.version or directive.version in versions)
    )


def last_end(orders: Sequence[Directive]) -> datetime | None:
    """When the last of these orders ends by itself (UTC); None where one of them stands until somebody lifts it."""
    ends = [order.until for order in orders if order.until is not None]
    return max(ends) if ends and len(ends) == len(orders) else None


def _asked(gate: Gate, ask: Callable[[], object], now: datetime) -> Verdict:
    """What the gate says in its own name; something else than a verdict, or an exception, is unknown.

    A look is never overdue, and no secret that the outside sent along is told.
    """
    try:
        verdict = ask()
    except Exception as error:
        return gate.unknown(
            f"Internal error in gate {gate.label}: {_told(error)}. Nothing passes it until that is mended.",
            "Whoever runs the bot: this is a fault in the gate, please report it",
        )
    if not isinstance(verdict, Verdict) or not isinstance(verdict.outcome, Outcome):
        return gate.unknown(
            f"Internal error in gate {gate.label}: it answered with {type(verdict).__name__} in place of a verdict.",
            "Whoever wrote the gate",
        )
    again = verdict.look_again
    if again is not None and again <= now:
        again = now + SOONEST
    sentence, changer = _clean(verdict.sentence), _clean(verdict.changer)
    if verdict.alarm is not None:
        verdict = replace(verdict, alarm=replace(verdict.alarm, text=_clean(verdict.alarm.text)))
    said = (verdict.gate, verdict.hard, verdict.look_again, verdict.sentence, verdict.changer)
    if said == (gate.label, gate.hard, again, sentence, changer):
        return verdict
    return replace(verdict, gate=gate.label, hard=gate.hard, look_again=again, sentence=sentence, changer=changer)


@lru_cache(maxsize=8192)
def _clean(text: str) -> str:
    return redact(text)


def _told(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    text = " ".join(redact(str(error)).split())[:LONGEST_ERROR]
    return f"{type(error).__name__}{place}" + (f": {text}" if text else "")


def _overridden(gate: Gate, case: Case, verdict: Verdict) -> Verdict:
    """The verdict after the newest override that is about this gate."""
    if verdict.lets_pass:
        return verdict
    orders = [
        directive
        for directive in case.directives
        if directive.order is Order.OVERRIDE and directive.gate == gate.label and matches(directive, case)
    ]
    in_force = [directive for directive in orders if directive.active(case.now)]
    bound = [directive for directive in in_force if case.head and (directive.head, directive.base) == (case.head, case.base)]
    if bound:
        return _turned(gate, case, verdict, max(bound, key=lambda directive: directive.at))
    if in_force:
        return _with_note(verdict, _fallen(max(in_force, key=lambda directive: directive.at), case))
    return verdict


def _turned(gate: Gate, case: Case, verdict: Verdict, directive: Directive) -> Verdict:
    refusal = gate.refuses_override(case, directive)
    if refusal:
        return _with_note(verdict, f"@{directive.actor.login} asked to override it: {refusal}.")
    why = f" ({directive.reason})" if directive.reason else ""
    return replace(
        verdict,
        outcome=Outcome.PASSED,
        sentence=f"Overridden by @{directive.actor.login}{why}. Without that: {verdict.sentence}",
        changer="",
        look_again=directive.until,
        overridden_by=directive.actor.login,
    )


def _fallen(directive: Directive, case: Case) -> str:
    what = (
        f"the head moved from {short(directive.head)} to {short(case.head)}"
        if directive.head != case.head
        else f"the base moved from {short(directive.base)} to {short(case.base)}"
    )
    return f"The override by @{directive.actor.login} no longer counts: {what}."


def _with_note(verdict: Verdict, note: str) -> Verdict:
    return replace(verdict, sentence=f"{verdict.sentence} {note}")
