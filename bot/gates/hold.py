"""hold: nobody holds this promotion, and the stage is not stopped. Always on, and hard: a hold is lifted, not overridden.

Decides from people's orders (`hold`, `disable`) and from the bot's own stop of a stage after reverts in a row. Freezes are
`freeze`'s word.
"""

from typing import Literal

from bot.domain.directive import Directive, Order
from bot.domain.facts import Case
from bot.domain.verdict import Verdict
from bot.gates._base import Gate
from bot.gates._judge import last_end, matches
from bot.gates._words import instant, several


class Hold(Gate):
    """Passes when nobody holds the promotion, its service or its stage. Always on."""

    gate: Literal["hold"] = "hold"
    hard: bool = True
    """A hold is lifted by those who may, not overridden."""

    def evaluate(self, case: Case) -> Verdict:
        stops = [hold for hold in case.stage_holds if hold.stage == case.stage and hold.lifted_at is None and hold.at <= case.now]
        if stops:
            return self.failed(
                f"{case.stage} is stopped since {instant(min(stop.at for stop in stops))}: {stops[0].reason.rstrip('.')}.",
                f"A release manager, with `/promote unhold {case.stage}`, once the cause is mended",
            )
        orders = [d for d in case.directives if d.order in (Order.HOLD, Order.DISABLE) and d.active(case.now) and matches(d, case)]
        if not orders:
            return self.passed("Nobody holds it.")
        orders.sort(key=lambda directive: (directive.at, directive.key))
        ends = [order.until for order in orders if order.until is not None]
        who = several([f"@{order.actor.login}" for order in orders])
        return self.pending(
            " ".join(_told(order, case) for order in orders),
            f"{who} or an approver, with `/promote unhold`" + (" or `/promote enable`" if _disabled(orders) else ""),
            look_again=min(ends, default=None),
            passes_at=last_end(orders),
        )


def _disabled(orders: list[Directive]) -> bool:
    return any(order.order is Order.DISABLE for order in orders)


def _told(order: Directive, case: Case) -> str:
    what = "switched the bot off for" if order.order is Order.DISABLE else "holds"
    scope = "this pull request" if order.number is not None else order.service or (case.stage if order.stage else "every stage")
    until = f" until {instant(order.until)}" if order.until else ""
    return f"@{order.actor.login} {what} {scope} since {instant(order.at)}{until}" + (
        f": {order.reason.rstrip('.')}." if order.reason else "."
    )
