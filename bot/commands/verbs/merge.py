"""merge: as soon as all gates pass for this head, the bot merges it."""

from bot.commands.model import Call, Effect, Outcome, Problem, Role, Spec, Verb, refused, same
from bot.commands.scene import Scene, needs_pull, short
from bot.domain.directive import Order

SPEC = Spec(
    verb="merge",
    role=Role.APPROVER,
    help="Where people merge: the bot merges this head as soon as all gates pass. It never skips one. `merge cancel` takes it back.",
    aliases=("automerge",),
    cancels=True,
    lasting=False,
    examples=("merge", "merge cancel"),
)


def carry(call: Call, scene: Scene) -> Effect:
    """An order bound to the head, as an approval is."""
    subject = scene.subject
    if subject is None:
        return needs_pull("merge")
    given = [order for order in scene.active(Order.MERGE) if order.number == subject.number and order.stage == subject.stage]
    if call.cancel:
        if not given:
            return same("Nobody has ordered to merge it.", subject.stage)
        keys = tuple(order.key for order in given)
        return Effect(outcome=Outcome.DONE, told="It is not merged by order any more.", stages=(subject.stage,), withdraw=keys)
    if not subject.open:
        return refused("This pull request is not open any more.", problem=Problem.CONFLICT)
    if subject.taken_over:
        return refused(
            "Somebody pushed to this branch: the bot merges only what it wrote itself. A person may merge it.", problem=Problem.CONFLICT
        )
    if scene.places[subject.stage].merge != "manual":
        return same(f"{subject.stage} merges by itself as soon as all gates pass.", subject.stage)
    if subject.head_since is None or scene.at < subject.head_since:
        return refused(
            f"The head became {short(subject.head)} after this was written. Look at it, then order again.", problem=Problem.CONFLICT
        )
    if any(order.head == subject.head for order in given):
        return same(f"{short(subject.head)} is merged as soon as all gates pass.", subject.stage)
    order = scene.directive(Order.MERGE, stage=subject.stage, number=subject.number, head=subject.head)
    told = f"{short(subject.head)} is merged as soon as all gates pass."
    return Effect(outcome=Outcome.DONE, told=told, stages=(subject.stage,), add=(order,))


VERB = Verb(spec=SPEC, carry=carry)
