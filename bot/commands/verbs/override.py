"""override: one gate counts as passed, for exactly this head and base."""

from bot.commands.model import Argument, Call, Effect, Flag, Outcome, Problem, Role, Spec, Verb, refused, same
from bot.commands.scene import Scene, needs_pull, quoted, short
from bot.commands.times import until
from bot.domain.directive import Order

SPEC = Spec(
    verb="override",
    role=Role.ADMIN,
    help="One gate counts as passed for this head and base; it falls when either moves. Hard gates cannot be overridden. "
    "`override cancel GATE` takes it back.",
    arguments=(Argument(name="gate", help="The gate's name, as the status comment shows it."),),
    flags=(Flag(name="reason", help="Why.", required=True), Flag(name="for", value="TIME", help="Only for so long.")),
    cancels=True,
    examples=('override soak --reason "hotfix for incident 12" --for 2h', "override cancel soak"),
)


def carry(call: Call, scene: Scene) -> Effect:
    """An order bound to head and base. Whether the gate may be overridden is the gate's own word; a hard one is refused here at once."""
    subject = scene.subject
    if subject is None:
        return needs_pull("override")
    gates = scene.places[subject.stage].gates
    gate = call.words[0].lower()
    if gate not in gates:
        known = ", ".join(gates)
        return refused(
            f"{quoted(gate)} is no gate of {subject.stage}. Its gates: {known}.", problem=Problem.NOT_FOUND, stages=(subject.stage,)
        )
    given = [order for order in scene.active(Order.OVERRIDE) if order.number == subject.number and order.gate == gate]
    if call.cancel:
        if not given:
            return same(f"Nobody has overridden {gate}.", subject.stage)
        keys = tuple(order.key for order in given)
        return Effect(outcome=Outcome.DONE, told=f"{gate} decides again.", stages=(subject.stage,), withdraw=keys, gate=gate)
    if not gates[gate]:
        return refused(
            f"{gate} is a hard gate of {subject.stage}: it cannot be overridden, by nobody.",
            problem=Problem.BLOCKED,
            stages=(subject.stage,),
        )
    if not subject.open or not subject.head or not subject.stage_head:
        return refused("There is no open head to override it for.", problem=Problem.CONFLICT)
    if subject.head_since is None or scene.at < subject.head_since:
        return refused(
            f"The head became {short(subject.head)} after this was written. Look at it, then order again.", problem=Problem.CONFLICT
        )
    end = until(call.flags["for"], scene.at) if "for" in call.flags else None
    if isinstance(end, str):
        return refused(end)
    if any((order.head, order.base, order.until) == (subject.head, subject.stage_head, end) for order in given):
        return same(f"{gate} is overridden for {short(subject.head)} already.", subject.stage)
    order = scene.directive(
        Order.OVERRIDE,
        stage=subject.stage,
        number=subject.number,
        head=subject.head,
        base=subject.stage_head,
        gate=gate,
        until=end,
        reason=call.flags["reason"],
    )
    told = f"{gate} counts as passed for {short(subject.head)} on {short(subject.stage_head)}."
    return Effect(outcome=Outcome.DONE, told=told, stages=(subject.stage,), add=(order,), gate=gate)


VERB = Verb(spec=SPEC, carry=carry)
