"""disable: the bot keeps its hands off one pull request."""

from bot.commands.model import Call, Effect, Flag, Outcome, Role, Spec, Verb, same
from bot.commands.scene import Scene, needs_pull
from bot.domain.directive import Order

SPEC = Spec(
    verb="disable",
    role=Role.ADMIN,
    help="The bot keeps its hands off this pull request: it neither renews, closes nor merges it.",
    flags=(Flag(name="reason", help="Why."),),
    examples=("disable",),
)


def carry(call: Call, scene: Scene) -> Effect:
    """A standing order until `enable`."""
    if scene.subject is None:
        return needs_pull("disable")
    subject = scene.subject
    if any(order.number == subject.number and order.stage == subject.stage for order in scene.active(Order.DISABLE)):
        return same("The bot is switched off here already.", subject.stage)
    order = scene.directive(Order.DISABLE, stage=subject.stage, number=subject.number, reason=call.flags.get("reason", ""))
    return Effect(outcome=Outcome.DONE, told="The bot keeps its hands off.", stages=(subject.stage,), add=(order,))


VERB = Verb(spec=SPEC, carry=carry)
