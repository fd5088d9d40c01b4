"""veto: a version of a service goes no further."""

from bot.commands.model import Argument, Call, Effect, Flag, Outcome, Role, Spec, Verb, refused, same
from bot.commands.scene import Scene, odd, sort, unknown
from bot.domain.directive import Order

SPEC = Spec(
    verb="veto",
    role=Role.APPROVER,
    help="This version is promoted no further: into no stage, or not into the named one and those after it.",
    arguments=(
        Argument(name="service@version", help="The service and the bad version."),
        Argument(name="stage", help="From this stage on; else everywhere.", required=False),
    ),
    flags=(Flag(name="reason", help="Why.", required=True),),
    aliases=("bad", "skip"),
    examples=('veto payments@1.9.0 --reason "breaks invoices"', 'veto payments@1.9.0 prod --reason "needs the new ledger"'),
)


def carry(call: Call, scene: Scene) -> Effect:
    """A ban by version; without a stage it needs the role in every stage that versions can enter."""
    named = sort(call.words, scene)
    if named.others:
        return unknown(named.others[0], scene)
    if not named.service or not named.version:
        return refused("Name service and version: `veto <service>@<version> [stage] --reason TEXT`.")
    if (wrong := odd(named.version)) is not None:
        return wrong
    stages = (named.stage,) if named.stage else tuple(name for name, place in scene.places.items() if place.after) or tuple(scene.places)
    for order in scene.active(Order.VETO):
        if (order.stage, order.service, order.version) == (named.stage, named.service, named.version):
            return same(f"@{order.actor.login} has vetoed it already.", *stages)
    order = scene.directive(Order.VETO, stage=named.stage, service=named.service, version=named.version, reason=call.flags["reason"])
    where = f"{named.stage} and the stages after it" if named.stage else "any stage"
    told = f"{named.service} {named.version} does not enter {where}."
    return Effect(outcome=Outcome.DONE, told=told, stages=stages, add=(order,))


VERB = Verb(spec=SPEC, carry=carry)
