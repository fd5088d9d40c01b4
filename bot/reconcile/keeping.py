"""Rows of a plan that stand together or not at all: a promotion's new state with the ban, the deployment and the message it brings.

A state that was saved is not planned again, so what should have come with it would be lost if the process died in between.
Decides which actions of a plan belong together; each row's own rules stand in the store.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.domain.action import Action, Notify, Row, SaveHealth, SavePromotion
from bot.reconcile import crash, telling
from bot.reconcile.tools import Tools


def groups(actions: Iterable[Action]) -> Iterator[tuple[Action, ...]]:
    """The actions in their order: a change of state with the rows that follow it directly, and every other action alone."""
    group: list[Action] = []
    for action in actions:
        if group and isinstance(group[0], SavePromotion | SaveHealth) and _follows(action):
            group.append(action)
            continue
        if group:
            yield tuple(group)
        group = [action]
    if group:
        yield tuple(group)


def _follows(action: Action) -> bool:
    return isinstance(action, Row) and not isinstance(action, SavePromotion | SaveHealth)


def keep(tools: Tools, group: tuple[Action, ...]) -> datetime | None:
    """Write them in one transaction, then post what people are to be told; the answer is when to look again because of it."""
    rows = tuple(action for action in group if isinstance(action, Row))
    fresh = tools.effects.step(crash.SAVED, lambda: tools.history.save_rows(rows, now=tools.clock()))
    for action in rows:
        if isinstance(action, Notify) and action.key in fresh:
            telling.post(tools, action)
    return tools.clock() if any(isinstance(action, SavePromotion) for action in rows) else None
