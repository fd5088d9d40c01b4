"""retry: lets a failed version in again, offers a closed one again, and asks everything anew."""

from bot.commands.model import Argument, Call, Effect, Outcome, Role, Spec, Verb, refused
from bot.commands.scene import Scene, sort, unknown
from bot.domain.directive import Order

SPEC = Spec(
    verb="retry",
    role=Role.OPERATOR,
    help="Lifts the quarantine of what failed here, offers again what was closed, and asks every gate anew.",
    arguments=(
        Argument(name="gate", help="Asks anew because of this gate; elsewhere than on a pull request, the service.", required=False),
        Argument(name="stage", help="The stage, elsewhere than on a pull request.", required=False),
    ),
    aliases=("recheck", "refresh"),
    lasting=False,
    examples=("retry", "retry payments prod"),
)


def carry(call: Call, scene: Scene) -> Effect:
    """One order per service: what failed before it does not count any more."""
    named = sort(call.words, scene)
    stage = named.stage or scene.stage
    if not stage:
        return refused("Name the service and the stage: `retry <service> <stage>`.")
    if named.others:
        if named.others[0].lower() not in scene.places[stage].gates:
            return unknown(named.others[0], scene)
        return Effect(outcome=Outcome.ASKED, query="recheck", gate=named.others[0].lower(), stages=(stage,))
    services = named.services or (tuple(scene.subject.services) if scene.subject is not None else ())
    if not services:
        return refused("Name the service: `retry <service> <stage>`.")
    orders = tuple(scene.directive(Order.RETRY, part=service, stage=stage, service=service) for service in services)
    return Effect(outcome=Outcome.DONE, told=f"{', '.join(services)} may be tried again in {stage}.", stages=(stage,), add=orders)


VERB = Verb(spec=SPEC, carry=carry)
