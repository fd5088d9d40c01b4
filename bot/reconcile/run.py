"""One run of one stage: settle what hangs, observe, plan, apply.

Decides what a failure of one action means for the others: the world moving on ends nothing, a person's mistake is told and
set aside, a rate limit puts off what needs the forge (a revert by git does not), our own bug is raised once everything else
has been done.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.domain.action import Action, OpenPromotion
from bot.domain.errors import Fenced, OutcomeUnknown, RateLimited, Stale, TransientError, UserError
from bot.domain.facts import Facts
from bot.planning.standing import Plan
from bot.reconcile.apply import apply
from bot.reconcile.branches import push_together
from bot.reconcile.keeping import groups, keep
from bot.reconcile.settling import settle
from bot.reconcile.tools import Tools
from bot.tracing import span

log = structlog.get_logger("reconcile")

SOON = timedelta(seconds=2)
LATER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """`look_again` (UTC) is when to run again at the latest, None when only an event can change anything."""

    look_again: datetime | None = None
    done: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class Outcome:
    """What became of the actions so far."""

    looks: list[datetime] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    bug: Exception | None = None


def run_stage(tools: Tools, observe: Callable[[str], Facts], plan: Callable[[Facts], Plan]) -> RunResult:
    """Bring the stage one step on. Raises `Fenced`, or the first of our own errors after all other actions."""
    stage = tools.place.stage
    with span("settle", stage=stage):
        settle(tools)
    with span("observe", stage=stage):
        facts = observe(stage)
    with span("plan", stage=stage):
        planned = plan(facts)
    outcome = Outcome()
    openings = [action for action in planned.actions if isinstance(action, OpenPromotion)]
    if planned.look_again is not None:
        outcome.looks.append(planned.look_again)
    for group in groups(planned.actions):
        if openings and group[0] is openings[0]:
            push_together(tools, openings)
        _carry_out(tools, group, outcome)
    if planned.reread:
        tools.history.want_pulls(tools.place.repository, planned.reread)
        outcome.looks.append(tools.clock())
    if outcome.bug is not None:
        raise outcome.bug
    return RunResult(look_again=min(outcome.looks, default=None), done=tuple(outcome.done), problems=tuple(outcome.problems))


def _carry_out(tools: Tools, group: tuple[Action, ...], outcome: Outcome) -> None:
    """Every line that is logged meanwhile, an adapter's or a library's too, says for which promotion it was."""
    action = group[0]
    with structlog.contextvars.bound_contextvars(stage=tools.place.stage, action=type(action).__name__, **_about(action)):
        _tried(tools, group, outcome)


def _tried(tools: Tools, group: tuple[Action, ...], outcome: Outcome) -> None:
    action = group[0]
    try:
        with span(f"apply {type(action).__name__}", stage=tools.place.stage, **_about(action)):
            look = apply(tools, action) if len(group) == 1 else keep(tools, group)
    except Fenced:
        raise
    except RateLimited as error:
        log.warning("action.rate_limited", reason=error.what)
        outcome.problems.append(error.what)
        outcome.looks.append(tools.clock() + (error.retry_after or timedelta(minutes=1)))
    except Stale as error:
        log.info("action.stale", reason=error.what)
        outcome.looks.append(tools.clock() + SOON)
    except OutcomeUnknown as error:
        log.warning("action.outcome_unknown", reason=error.what)
        outcome.problems.append(error.what)
        outcome.looks.append(tools.clock() + SOON)
    except TransientError as error:
        log.warning("action.put_off", reason=error.what)
        outcome.problems.append(error.what)
        outcome.looks.append(tools.clock() + (error.retry_after or SOON * 5))
    except UserError as error:
        log.warning("action.refused", code=error.code, reason=error.what, where=error.where, fix=error.fix)
        outcome.problems.append(str(error))
        outcome.looks.append(tools.clock() + LATER)
    except Exception as error:
        log.exception("action.failed")
        outcome.bug = outcome.bug or error
    else:
        outcome.done += [type(one).__name__ for one in group]
        log.debug("action.done")
        if look is not None:
            outcome.looks.append(look)


def _about(action: Action) -> dict[str, str | int]:
    promotion = getattr(action, "promotion", None)
    if promotion is None:
        return {}
    return {"promotion": promotion.id, "service": promotion.name, "number": promotion.number or 0}
