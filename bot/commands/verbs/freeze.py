"""freeze: nothing enters a stage, or no stage takes a service, until a time."""

from bot.commands.model import Argument, Call, Effect, Flag, Outcome, Role, Spec, Verb, refused, same
from bot.commands.scene import Scene, sort, unknown
from bot.commands.times import until
from bot.domain.directive import Order

SPEC = Spec(
    verb="freeze",
    role=Role.RELEASE,
    help="Nothing enters a stage (`*`: any stage), or a service enters none, until then. Reverts pass unless `--allow none`.",
    arguments=(Argument(name="target", help="A stage, a service, or `*`."),),
    flags=(
        Flag(name="until", value="TIME", help="When it ends.", required=True),
        Flag(name="reason", help="Why.", required=True),
        Flag(name="allow", value="rollback|none", help="What still passes; `rollback` when not given."),
    ),
    examples=('freeze prod --until 2d --reason "audit"', 'freeze * --until "2026-12-27 08:00 Europe/Berlin" --reason "holidays"'),
)


def carry(call: Call, scene: Scene) -> Effect:
    """Windows that overlap add up; the same one twice is one."""
    allow = call.flags.get("allow", "rollback").lower()
    if allow not in ("rollback", "none"):
        return refused("--allow takes `rollback` or `none`.")
    end = until(call.flags["until"], scene.at)
    if isinstance(end, str):
        return refused(end)
    everywhere = call.words[0] == "*"
    named = sort(call.words, scene)
    if named.others and not everywhere:
        return unknown(named.others[0], scene)
    stage, service = named.stage, named.service
    stages = (stage,) if stage else tuple(scene.places)
    for order in scene.active(Order.FREEZE):
        alike = (order.stage, order.service, order.details.get("allow", "rollback")) == (stage, service, allow)
        if alike and order.until is not None and order.until >= end:
            return same(f"Frozen already, by @{order.actor.login}, at least until then.", *stages)
    order = scene.directive(Order.FREEZE, stage=stage, service=service, until=end, reason=call.flags["reason"], details={"allow": allow})
    told = f"{stage or service or 'Every stage'} is frozen until {end:%Y-%m-%d %H:%M} UTC."
    return Effect(outcome=Outcome.DONE, told=told, stages=stages, add=(order,))


VERB = Verb(spec=SPEC, carry=carry)
