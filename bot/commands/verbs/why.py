"""why: the long form of what holds a promotion back."""

from bot.commands.model import Argument, Call, Effect, Outcome, Problem, Role, Spec, Verb, refused
from bot.commands.scene import Scene, needs_pull, quoted, sort

SPEC = Spec(
    verb="why",
    role=Role.VIEWER,
    help="What holds a promotion back, gate by gate: what, why now, who or what can change it, when the bot looks again.",
    arguments=(
        Argument(name="gate", help="Only this gate; elsewhere than on a pull request, the service.", required=False),
        Argument(name="stage", help="The stage, elsewhere than on its pull request.", required=False),
    ),
    aliases=("explain",),
    examples=("why", "why soak", "why payments prod"),
)


def carry(call: Call, scene: Scene) -> Effect:
    """Only asks."""
    named = sort(call.words, scene)
    stage = named.stage or scene.stage
    if not stage:
        return needs_pull("why") if not named.services else refused("Say in which stage: `why <service> <stage>`.")
    gate = named.others[0] if named.others else ""
    known = scene.places[stage].gates
    if gate and gate.removesuffix("s") not in {label.removesuffix("s") for label in known}:
        return refused(f"{quoted(gate)} is no gate of {stage}. Its gates: {', '.join(known)}.", problem=Problem.NOT_FOUND)
    label = next((label for label in known if gate and label.removesuffix("s") == gate.removesuffix("s")), "")
    return Effect(outcome=Outcome.ASKED, query="why", subject=named.service, gate=label, stages=(stage,))


VERB = Verb(spec=SPEC, carry=carry)
