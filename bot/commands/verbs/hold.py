"""hold: this promotion, this service or this stage does not go on until somebody lifts it."""

from bot.commands.model import Argument, Call, Effect, Flag, Outcome, Problem, Role, Spec, Verb, refused, same
from bot.commands.scene import Scene, needs_pull, sort, unknown
from bot.commands.times import until
from bot.domain.directive import Order

SPEC = Spec(
    verb="hold",
    role=Role.OPERATOR,
    help="Stops this promotion from being merged; with a stage (and a service) named, stops what enters that stage.",
    arguments=(
        Argument(name="stage", help="A whole stage, in place of this pull request.", required=False),
        Argument(name="service", help="Only this service of it.", required=False),
    ),
    flags=(Flag(name="until", value="TIME", help="Lifts itself then."), Flag(name="reason", help="Why.", required=True)),
    examples=('hold --reason "numbers look odd"', 'hold prod payments --until 4h --reason "incident 12"'),
)


def carry(call: Call, scene: Scene) -> Effect:
    """One more hold; those of several people stack."""
    named = sort(call.words, scene)
    if named.others:
        return unknown(named.others[0], scene)
    if named.services and not named.stages and not scene.stage:
        return refused("Say in which stage: `hold <stage> <service> --reason TEXT`.")
    stage = named.stage or scene.stage
    if not stage:
        return needs_pull("hold")
    end = until(call.flags["until"], scene.at) if "until" in call.flags else None
    if isinstance(end, str):
        return refused(end)
    if scene.subject is not None and not call.words and not scene.subject.open:
        return refused(f"This pull request is not open any more. `hold {stage} --reason TEXT` holds the stage.", problem=Problem.CONFLICT)
    number = scene.subject.number if scene.subject is not None and not call.words else None
    reason = call.flags["reason"]
    for order in scene.active(Order.HOLD):
        alike = (order.stage, order.service, order.number) == (stage, named.service, number)
        if alike and order.actor.id == scene.actor.id and order.reason == reason and order.until == end:
            return same("You hold it already.", stage)
    order = scene.directive(Order.HOLD, stage=stage, service=named.service, number=number, until=end, reason=reason)
    what = "This pull request" if number is not None else f"{named.service} in {stage}" if named.service else stage
    return Effect(outcome=Outcome.DONE, told=f"{what} is held.", stages=(stage,), add=(order,))


VERB = Verb(spec=SPEC, carry=carry)
