"""unapprove: takes approvals of a promotion back."""

from bot.commands.model import Call, Effect, Outcome, Role, Spec, Verb, same
from bot.commands.scene import Scene, needs_pull
from bot.domain.directive import Order

SPEC = Spec(
    verb="unapprove",
    role=Role.ADMIN,
    help="Takes your approval back; an admin takes back everybody's that was given by command.",
    aliases=("approve cancel", "revoke"),
    mine="whoever approved",
    examples=("unapprove",),
)


def carry(call: Call, scene: Scene) -> Effect:
    """Own approvals first; others only where there is none of one's own."""
    if scene.subject is None:
        return needs_pull("unapprove")
    given = [order for order in scene.active(Order.APPROVE) if order.number == scene.subject.number and order.stage == scene.stage]
    mine = [order for order in given if order.actor.id == scene.actor.id]
    if not given:
        return same("Nobody has approved this by command. A review is dismissed on GitHub itself.", scene.stage)
    chosen = mine or given
    who = "your approval" if mine else "the approvals of " + ", ".join(sorted({f"@{order.actor.login}" for order in given}))
    keys = tuple(order.key for order in chosen)
    return Effect(outcome=Outcome.DONE, told=f"Took back {who}.", stages=(scene.stage,), withdraw=keys, mine=bool(mine))


VERB = Verb(spec=SPEC, carry=carry)
