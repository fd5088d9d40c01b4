"""rollback: a stage goes back to an older version of a service, at once."""

from datetime import timedelta

from bot.commands.model import Argument, Call, Effect, Flag, Outcome, Problem, Role, Spec, Verb, refused, same
from bot.commands.scene import Scene, odd, quoted, sort, unknown
from bot.domain.directive import Order

LASTS = timedelta(days=7)
"""An order that could not be carried out for so long is over."""

SPEC = Spec(
    verb="rollback",
    role=Role.APPROVER,
    help="Takes the last promotion of a service back, or brings an older version; soak and upstream are not asked. "
    "The version that is taken back does not return by itself.",
    arguments=(Argument(name="service", help="The service."), Argument(name="stage", help="The stage.")),
    flags=(
        Flag(name="to", value="VERSION", help="To this version; else the one before."),
        Flag(name="from", value="VERSION", help="Only if the stage has this version now."),
        Flag(name="reason", help="Why.", required=True),
    ),
    lasting=False,
    examples=('rollback payments prod --reason "errors"', 'rollback payments prod --to 1.8.2 --reason "errors"'),
)


def carry(call: Call, scene: Scene) -> Effect:
    """An order for exactly the version that stands there now."""
    named = sort(call.words, scene)
    if named.others:
        return unknown(named.others[0], scene)
    if not named.stage or not named.service:
        return refused("Name a service and a stage: `rollback <service> <stage> [--to VERSION] --reason TEXT`.")
    stage, service = named.stage, named.service
    present = scene.places[stage].services.get(service)
    if present is None or not present.version:
        return refused(f"Nobody knows what {stage} has of {service} yet.", problem=Problem.NOT_FOUND, stages=(stage,))
    expected = call.flags.get("from", present.version)
    if expected != present.version:
        return refused(
            f"{stage} has {service} {present.version} now, not {quoted(expected)}. Look again, then roll back.",
            problem=Problem.CONFLICT,
            stages=(stage,),
        )
    wanted = call.flags.get("to", "")
    if wanted and (wrong := odd(wanted)) is not None:
        return wrong
    if not wanted and not present.by_promotion:
        return refused(
            f"{service} {present.version} did not come to {stage} by a promotion that is still known. Name the version: `--to VERSION`.",
            problem=Problem.CONFLICT,
            stages=(stage,),
        )
    if wanted == present.version:
        return same(f"{stage} has {service} {wanted} already.", stage)
    for order in scene.active(Order.REVERT):
        if (order.stage, order.service, order.version, order.details.get("from")) == (stage, service, wanted, present.text):
            return same(f"@{order.actor.login} has ordered that already.", stage)
    order = scene.directive(
        Order.REVERT,
        stage=stage,
        service=service,
        version=wanted,
        reason=call.flags["reason"],
        until=scene.at + LASTS,
        details={"from": present.text, "was": present.version},
    )
    told = f"{service} in {stage} goes back from {present.version} to {wanted or present.before or 'the version before'}."
    return Effect(outcome=Outcome.DONE, told=told, stages=(stage,), add=(order,))


VERB = Verb(spec=SPEC, carry=carry)
