"""queue: what is on its way into a stage, and what each waits for."""

from bot.commands.model import Argument, Call, Effect, Outcome, Role, Spec, Verb, refused
from bot.commands.scene import Scene, sort, unknown

SPEC = Spec(
    verb="queue",
    role=Role.VIEWER,
    help="What is on its way into a stage, what each waits for, and when time alone may change that.",
    arguments=(Argument(name="stage", help="The stage; on a pull request, its own.", required=False),),
    examples=("queue prod",),
)


def carry(call: Call, scene: Scene) -> Effect:
    """Only asks."""
    named = sort(call.words, scene)
    if named.others or named.services:
        return unknown((*named.others, *named.services)[0], scene)
    stage = named.stage or scene.stage
    if not stage:
        return refused("Name the stage: `queue <stage>`.")
    return Effect(outcome=Outcome.ASKED, query="queue", stages=(stage,))


VERB = Verb(spec=SPEC, carry=carry)
