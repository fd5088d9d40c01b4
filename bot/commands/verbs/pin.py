"""pin: a stage keeps a service at a version."""

from bot.commands.model import Argument, Call, Effect, Flag, Outcome, Role, Spec, Verb, refused, same
from bot.commands.scene import Scene, odd, sort, unknown
from bot.commands.times import until
from bot.domain.directive import Order

SPEC = Spec(
    verb="pin",
    role=Role.RELEASE,
    help="The stage keeps the service at this version: nothing else is promoted into it.",
    arguments=(
        Argument(name="service@version", help="The service and the version that stays."),
        Argument(name="stage", help="The stage; on a pull request, its own.", required=False),
    ),
    flags=(Flag(name="until", value="TIME", help="Lifts itself then."), Flag(name="reason", help="Why.", required=True)),
    examples=('pin payments@1.8.2 prod --reason "audit"',),
)


def carry(call: Call, scene: Scene) -> Effect:
    """A newer pin of the same service takes the place of the older one."""
    named = sort(call.words, scene)
    if named.others:
        return unknown(named.others[0], scene)
    stage = named.stage or scene.stage
    if not named.service or not named.version or not stage:
        return refused("Name service, version and stage: `pin <service>@<version> <stage> --reason TEXT`.")
    if (wrong := odd(named.version)) is not None:
        return wrong
    end = until(call.flags["until"], scene.at) if "until" in call.flags else None
    if isinstance(end, str):
        return refused(end)
    old = [order for order in scene.active(Order.PIN) if (order.stage, order.service) == (stage, named.service)]
    if any(order.version == named.version and order.until == end for order in old):
        return same(f"{named.service} is pinned to {named.version} in {stage} already.", stage)
    order = scene.directive(Order.PIN, stage=stage, service=named.service, version=named.version, until=end, reason=call.flags["reason"])
    return Effect(
        outcome=Outcome.DONE,
        told=f"{named.service} stays at {named.version} in {stage}.",
        stages=(stage,),
        add=(order,),
        withdraw=tuple(one.key for one in old),
    )


VERB = Verb(spec=SPEC, carry=carry)
