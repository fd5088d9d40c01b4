"""sync: a stage's GitOps agent is asked to look at git now, where the cluster does not run what git declares."""

from bot.commands.model import Argument, Call, Effect, Outcome, Role, Spec, Verb, refused
from bot.commands.scene import Scene, sort, unknown

SPEC = Spec(
    verb="sync",
    role=Role.OPERATOR,
    help="Asks the stage's GitOps agent (Argo CD, Flux) to look at git now. Git and the promotion stay as they are.",
    arguments=(Argument(name="stage", help="The stage; on a pull request, its own.", required=False),),
    lasting=False,
    examples=("sync", "sync prod"),
)


def carry(call: Call, scene: Scene) -> Effect:
    """No order is stored: the agent is asked once, now."""
    named = sort(call.words, scene)
    if named.others or named.services:
        return unknown((*named.others, *named.services)[0], scene)
    stage = named.stage or scene.stage
    if not stage:
        return refused("Name the stage: `sync <stage>`.")
    told = f"The GitOps agent of {stage} was asked to look at git now. Whether it takes back what others changed is its own setting."
    return Effect(outcome=Outcome.DONE, told=told, stages=(stage,), nudge=(stage,))


VERB = Verb(spec=SPEC, carry=carry)
