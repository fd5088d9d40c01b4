"""status: look again now, and show where things stand."""

from bot.commands.model import Argument, Call, Effect, Outcome, Role, Spec, Verb
from bot.commands.scene import Scene, sort, unknown

SPEC = Spec(
    verb="status",
    role=Role.VIEWER,
    help="Looks again now and brings the status comment and the check up to date; elsewhere, prints where things stand.",
    arguments=(
        Argument(name="service", help="Only this service.", required=False),
        Argument(name="stage", help="Only this stage.", required=False),
    ),
    aliases=("info",),
    examples=("status", "status payments prod"),
)


def carry(call: Call, scene: Scene) -> Effect:
    """Only asks; the pull request is read again before it is answered."""
    named = sort(call.words, scene)
    if named.others:
        return unknown(named.others[0], scene)
    stages = named.stages or ((scene.stage,) if scene.stage else ())
    return Effect(outcome=Outcome.ASKED, query="status", subject=named.service, stages=stages)


VERB = Verb(spec=SPEC, carry=carry)
