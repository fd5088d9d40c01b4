"""unveto: a vetoed version may go on."""

from bot.commands.model import Argument, Call, Effect, Outcome, Role, Spec, Verb, refused, same
from bot.commands.scene import Scene, sort, unknown
from bot.domain.directive import Order

SPEC = Spec(
    verb="unveto",
    role=Role.APPROVER,
    help="A vetoed version may be promoted again.",
    arguments=(
        Argument(name="service@version", help="The service and the version."),
        Argument(name="stage", help="Only the veto of this stage.", required=False),
    ),
    aliases=("veto cancel",),
    examples=("unveto payments@1.9.0",),
)


def carry(call: Call, scene: Scene) -> Effect:
    """Takes the vetoes of this version back; the role is needed where each of them holds."""
    named = sort(call.words, scene)
    if named.others:
        return unknown(named.others[0], scene)
    if not named.service or not named.version:
        return refused("Name service and version: `unveto <service>@<version> [stage]`.")
    found = [
        order
        for order in scene.active(Order.VETO)
        if (order.service, order.version) == (named.service, named.version) and named.stage in ("", order.stage)
    ]
    everywhere = not found or not all(order.stage for order in found)
    stages = tuple(scene.places) if everywhere else tuple(dict.fromkeys(order.stage for order in found))
    stages = (named.stage,) if named.stage else stages
    if not found:
        return same(f"Nobody has vetoed {named.service} {named.version}{' in ' + named.stage if named.stage else ''}.", *stages)
    keys = tuple(order.key for order in found)
    return Effect(outcome=Outcome.DONE, told=f"{named.service} {named.version} may go on.", stages=stages, withdraw=keys)


VERB = Verb(spec=SPEC, carry=carry)
