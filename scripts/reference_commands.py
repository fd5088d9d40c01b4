"""The page of commands, from the verbs' own specs."""

from bot.commands.shelf import verbs
from bot.messages.commands import reference


def page() -> str:
    """docs/commands.md."""
    return reference([verb.spec for verb in verbs().values()])
