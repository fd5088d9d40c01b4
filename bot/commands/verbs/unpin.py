"""unpin: a stage takes new versions of a service again."""

from bot.commands.model import Argument, Call, Effect, Outcome, Role, Spec, Verb, refused, same
from bot.commands.scene import Scene, sort, unknown
from bot.domain.directive import Order

SPEC = Spec(
    verb="unpin",
    role=Role.RELEASE,
    help="The stage takes new versions of the service again.",
    arguments=(
        Argument(name="service", help="The service."),
        Argument(name="stage", help="The stage; on a pull request, its own.", required=False),
    ),
    aliases=("pin cancel",),
    examples=("unpin payments prod",),
)


def carry(call: Call, scene: Scene) -> Effect:
    """Takes the pins of this service in this stage back."""
    named = sort(call.words, scene)
    if named.others:
        return unknown(named.others[0], scene)
    stage = named.stage or scene.stage
    if not named.service or not stage:
        return refused("Name the service and the stage: `unpin <service> <stage>`.")
    found = [order for order in scene.active(Order.PIN) if (order.stage, order.service) == (stage, named.service)]
    if not found:
        return same(f"{named.service} is not pinned in {stage}.", stage)
    keys = tuple(order.key for order in found)
    return Effect(outcome=Outcome.DONE, told=f"{named.service} is free in {stage}.", stages=(stage,), withdraw=keys)


VERB = Verb(spec=SPEC, carry=carry)
