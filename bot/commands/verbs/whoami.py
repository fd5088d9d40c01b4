"""whoami: the asker's role in every stage, and where it comes from."""

from bot.commands.model import Call, Effect, Outcome, Role, Spec, Surface, Verb
from bot.commands.scene import Scene

SPEC = Spec(
    verb="whoami",
    role=Role.VIEWER,
    help="Who the bot takes you for: your role in each stage, and where it comes from.",
    surfaces=(Surface.SLACK, Surface.CLI),
    examples=("whoami",),
)


def carry(call: Call, scene: Scene) -> Effect:
    """Only asks."""
    return Effect(outcome=Outcome.ASKED, query="whoami")


VERB = Verb(spec=SPEC, carry=carry)
