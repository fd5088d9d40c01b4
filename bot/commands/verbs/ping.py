"""ping: is the bot there, and how is it."""

from bot.commands.model import Call, Effect, Outcome, Role, Spec, Verb
from bot.commands.scene import Scene

SPEC = Spec(
    verb="ping",
    role=Role.VIEWER,
    help="The bot's version, when it last heard an event, and how much of GitHub's rate limit is left.",
    examples=("ping",),
)


def carry(call: Call, scene: Scene) -> Effect:
    """Only asks."""
    return Effect(outcome=Outcome.ASKED, query="ping")


VERB = Verb(spec=SPEC, carry=carry)
