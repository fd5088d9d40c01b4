"""cancel: the promotion is closed, and this version is not offered again by itself."""

from bot.commands.model import Call, Effect, Flag, Outcome, Role, Spec, Verb, same
from bot.commands.scene import Scene, needs_pull
from bot.domain.directive import Order

SPEC = Spec(
    verb="cancel",
    role=Role.OPERATOR,
    help="Closes the pull request and deletes its branch. This version is not offered again until `to` or `retry`, or a newer one.",
    flags=(Flag(name="reason", help="Why."),),
    aliases=("close",),
    lasting=False,
    examples=('cancel --reason "waits for the new ledger"',),
)


def carry(call: Call, scene: Scene) -> Effect:
    """An order about this pull request."""
    subject = scene.subject
    if subject is None:
        return needs_pull("cancel")
    if not subject.open:
        return same("This pull request is not open any more.", subject.stage)
    order = scene.directive(Order.CLOSE, stage=subject.stage, number=subject.number, reason=call.flags.get("reason", ""))
    return Effect(outcome=Outcome.DONE, told="It is closed.", stages=(subject.stage,), add=(order,))


VERB = Verb(spec=SPEC, carry=carry)
