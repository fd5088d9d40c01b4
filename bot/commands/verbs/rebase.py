"""rebase: the promotion is made again on the stage's present commit."""

from bot.commands.model import Call, Effect, Outcome, Problem, Role, Spec, Verb, refused, same
from bot.commands.scene import Scene, needs_pull, short
from bot.domain.directive import Order

SPEC = Spec(
    verb="rebase",
    role=Role.OPERATOR,
    help="Makes the promotion's branch again on the stage's present commit. Approvals of the old head fall.",
    aliases=("recreate",),
    lasting=False,
    examples=("rebase",),
)


def carry(call: Call, scene: Scene) -> Effect:
    """An order for exactly the present head: once it has moved, the order is done."""
    subject = scene.subject
    if subject is None:
        return needs_pull("rebase")
    if not subject.open:
        return refused("This pull request is not open any more.", problem=Problem.CONFLICT)
    if subject.taken_over:
        return refused(
            "Somebody pushed to this branch, so the bot does not touch it. Close it and `to` the stage again for a fresh one.",
            problem=Problem.CONFLICT,
        )
    if subject.base == subject.stage_head:
        return same(f"It stands on the newest commit, {short(subject.base)}.", subject.stage)
    order = scene.directive(Order.REBASE, stage=subject.stage, number=subject.number, head=subject.head)
    return Effect(outcome=Outcome.DONE, told=f"Made again on {short(subject.stage_head)}.", stages=(subject.stage,), add=(order,))


VERB = Verb(spec=SPEC, carry=carry)
