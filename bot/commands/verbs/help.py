"""help: which commands the asker may give here."""

from bot.commands.model import Argument, Call, Effect, Outcome, Role, Spec, Verb
from bot.commands.scene import Scene

SPEC = Spec(
    verb="help",
    role=Role.VIEWER,
    help="The commands that you may give here, with examples.",
    arguments=(Argument(name="verb", help="One command, in full.", required=False),),
    aliases=("?",),
    examples=("help", "help approve"),
)


def carry(call: Call, scene: Scene) -> Effect:
    """Only asks."""
    return Effect(outcome=Outcome.ASKED, query="help", subject=call.words[0].lower() if call.words else "")


VERB = Verb(spec=SPEC, carry=carry)
