"""freeze: no freeze of the calendar, and no freeze that a person ordered, covers now. Always on.

Decides from the configured periods, an iCalendar, and people's `freeze` orders. A revert passes a freeze unless the freeze says
otherwise. Wakes at the exact edge.
"""

from datetime import datetime
from typing import Literal

from pydantic import Field

from bot.domain.directive import Directive, Order
from bot.domain.facts import Case, Question
from bot.domain.verdict import Verdict
from bot.gates._base import Gate
from bot.gates._calendar import Period, look, merge, midnight, periods_at
from bot.gates._fields import Zone
from bot.gates._holidays import Calendar
from bot.gates._judge import last_end, matches
from bot.gates._words import instant


class Freeze(Gate):
    """Passes outside of every freeze. Always on, for the freezes that people order."""

    gate: Literal["freeze"] = "freeze"
    zone: Zone = "UTC"
    """On which clock the periods are read: an IANA time zone."""
    during: tuple[Period, ...] = ()
    """When the stage is frozen."""
    calendar: Calendar | None = None
    """Events during which the stage is frozen."""
    reverts: bool = True
    """May a revert pass?"""
    reason: str = Field(default="", max_length=200)
    """Why: shown to everybody who waits."""

    def questions(self, case: Case) -> tuple[Question, ...]:
        return self.calendar.questions() if self.calendar else ()

    def evaluate(self, case: Case) -> Verdict:
        return self._judge(case, _freezes(case), calendar=True)

    def on_revert(self, case: Case) -> Verdict:
        orders = [order for order in _freezes(case) if order.details.get("allow", "rollback") != "rollback"]
        return self._judge(case, orders, calendar=not self.reverts)

    def _judge(self, case: Case, orders: list[Directive], *, calendar: bool) -> Verdict:
        if orders:
            return self._ordered(case, orders)
        if not calendar:
            return self.passed(f"A revert passes the freezes of {case.stage}.")
        events, problem = self.calendar.spans(self.zone, case) if self.calendar else ((), "")
        covered = merge([periods_at(self.during, self.zone, case.now, wide=True), events or ()], midnight(case.now))
        frozen, edge = look(covered, case.now)
        if frozen:
            return self._frozen(case, edge)
        if events is None:
            return self.unknown(f"Nobody can say whether {case.stage} is frozen: {problem}.", "Whoever publishes the calendar")
        if not (self.during or self.calendar):
            return self.passed("Nobody has frozen it.")
        later = f" The next freeze begins {instant(edge, self.zone)}." if edge else ""
        return self.passed(f"No freeze covers now.{later}", look_again=edge)

    def _frozen(self, case: Case, edge: datetime | None) -> Verdict:
        inside = (period for period in self.during if look(periods_at((period,), self.zone, case.now, wide=True), case.now)[0])
        why = next((period.reason for period in inside if period.reason), self.reason).rstrip(".")
        until = f" until {instant(edge, self.zone)}" if edge else ", with no end in sight"
        who = "Nobody: it is a hard freeze; only time" if self.hard else "Time, or an admin with `/promote override"
        return self.pending(
            f"{case.stage} is frozen{until}{f': {why}' if why else ''}.",
            who if self.hard else f"{who} {self.label}`",
            look_again=edge,
            passes_at=edge,
        )

    def _ordered(self, case: Case, orders: list[Directive]) -> Verdict:
        orders.sort(key=lambda order: (order.at, order.key))
        told = []
        for order in orders:
            what = order.service or (order.stage if order.stage not in ("", "*") else "everything")
            until = f" until {instant(order.until, self.zone)}" if order.until else ""
            told.append(f"@{order.actor.login} froze {what}{until}" + (f": {order.reason.rstrip('.')}." if order.reason else "."))
        return self.pending(
            " ".join(told),
            "A release manager, with `/promote unfreeze`",
            look_again=min((order.until for order in orders if order.until), default=None),
            passes_at=None if self.during or self.calendar else last_end(orders),
        )


def _freezes(case: Case) -> list[Directive]:
    return [order for order in case.directives if order.order is Order.FREEZE and order.active(case.now) and matches(order, case)]
