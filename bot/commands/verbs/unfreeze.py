"""unfreeze: ends freezes that people ordered."""

from bot.commands.model import Argument, Call, Effect, Outcome, Role, Spec, Verb, same
from bot.commands.scene import Scene, sort, unknown
from bot.domain.directive import Order

SPEC = Spec(
    verb="unfreeze",
    role=Role.RELEASE,
    help="Ends the freezes that people ordered for a stage, a service, or `*`. Those of the configuration stay.",
    arguments=(Argument(name="target", help="A stage, a service, or `*`."),),
    aliases=("freeze cancel",),
    examples=("unfreeze prod", "unfreeze *"),
)


def carry(call: Call, scene: Scene) -> Effect:
    """Ends exactly those of this target; a freeze of every stage is ended with `*` only."""
    everywhere = call.words[0] == "*"
    named = sort(call.words, scene)
    if named.others and not everywhere:
        return unknown(named.others[0], scene)
    stages = (named.stage,) if named.stage else tuple(scene.places)
    found = [order for order in scene.active(Order.FREEZE) if (order.stage, order.service) == (named.stage, named.service)]
    if not found:
        wider = [order for order in scene.active(Order.FREEZE) if not order.stage and not order.service]
        hint = " Every stage is frozen by order: `unfreeze *` ends that." if wider and not everywhere else ""
        return same(f"Nobody has frozen it by order.{hint}", *stages)
    told = f"Ended the freeze of {', '.join(sorted({'@' + order.actor.login for order in found}))}."
    return Effect(outcome=Outcome.DONE, told=told, stages=stages, withdraw=tuple(order.key for order in found))


VERB = Verb(spec=SPEC, carry=carry)
