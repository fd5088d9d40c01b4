"""enable: the bot takes care of one pull request again."""

from bot.commands.model import Call, Effect, Outcome, Role, Spec, Verb, same
from bot.commands.scene import Scene, needs_pull
from bot.domain.directive import Order

SPEC = Spec(
    verb="enable",
    role=Role.ADMIN,
    help="The bot takes care of this pull request again.",
    aliases=("disable cancel",),
    examples=("enable",),
)


def carry(call: Call, scene: Scene) -> Effect:
    """Takes every `disable` of this pull request back."""
    if scene.subject is None:
        return needs_pull("enable")
    subject = scene.subject
    found = [order for order in scene.active(Order.DISABLE) if order.number == subject.number and order.stage == subject.stage]
    if not found:
        return same("The bot is switched on here.", subject.stage)
    keys = tuple(order.key for order in found)
    return Effect(outcome=Outcome.DONE, told="The bot takes care of it again.", stages=(subject.stage,), withdraw=keys)


VERB = Verb(spec=SPEC, carry=carry)
