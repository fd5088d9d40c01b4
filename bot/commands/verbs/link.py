"""link: ties an account of the chat to an account of the forge."""

from bot.commands.model import Call, Effect, Outcome, Role, Spec, Surface, Verb
from bot.commands.scene import Scene

SPEC = Spec(
    verb="link",
    role=Role.VIEWER,
    help="Ties your Slack account to your GitHub account; on the command line, says which account you are.",
    surfaces=(Surface.SLACK, Surface.CLI),
    examples=("link",),
)


def carry(call: Call, scene: Scene) -> Effect:
    """Only asks; the tie itself is made by the chat, with a proof of both accounts."""
    return Effect(outcome=Outcome.ASKED, query="link")


VERB = Verb(spec=SPEC, carry=carry)
