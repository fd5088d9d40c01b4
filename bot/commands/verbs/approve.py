"""approve: yes to exactly the present head of a promotion's pull request."""

from bot.commands.model import Argument, Call, Effect, Flag, Outcome, Problem, Role, Spec, Verb, refused, same
from bot.commands.scene import Scene, Subject, needs_pull, quoted, short
from bot.domain.directive import Order

SPEC = Spec(
    verb="approve",
    role=Role.APPROVER,
    help="Approves the promotion's present head. It falls when the head moves.",
    arguments=(Argument(name="stage", help="The pull request's stage, to be sure.", required=False),),
    flags=(
        Flag(name="sha", value="COMMIT", help="The head that you looked at; anything else is refused."),
        Flag(name="comment", help="A word about it."),
    ),
    examples=("approve", "approve prod --sha 3f2c1ab"),
)
SHORTEST = 7


def carry(call: Call, scene: Scene) -> Effect:
    """An order bound to the head. A comment carries no head, so one that is older than the head approves nothing unless it names it."""
    subject = scene.subject
    if subject is None:
        return needs_pull("approve")
    if call.words and call.words[0] != subject.stage:
        return refused(f"This pull request goes into {subject.stage}, not into {quoted(call.words[0])}.", problem=Problem.CONFLICT)
    if not subject.open:
        return refused("This pull request is not open any more: there is nothing to approve.", problem=Problem.CONFLICT)
    mistake = _wrong_head(call, scene, subject)
    if mistake:
        return refused(mistake, problem=Problem.CONFLICT)
    mine = [
        order
        for order in scene.active(Order.APPROVE)
        if order.actor.id == scene.actor.id
        and order.number == subject.number
        and order.head == subject.head
        and order.stage == subject.stage
    ]
    if mine:
        return same(f"You have approved {short(subject.head)} already.", subject.stage)
    order = scene.directive(
        Order.APPROVE,
        stage=subject.stage,
        number=subject.number,
        head=subject.head,
        base=subject.base,
        reason=call.flags.get("comment", ""),
        details={"content": ", ".join(f"{name} {version}" for name, version in sorted(subject.services.items()))},
    )
    return Effect(outcome=Outcome.DONE, told=f"Approved {short(subject.head)}.", stages=(subject.stage,), add=(order,))


def _wrong_head(call: Call, scene: Scene, subject: Subject) -> str:
    given = call.flags.get("sha", "").lower()
    if given:
        if len(given) < SHORTEST:
            return f"--sha needs at least {SHORTEST} signs of the commit."
        return (
            ""
            if subject.head.startswith(given)
            else f"The head is {short(subject.head)} now, not {quoted(given)}. Look again, then approve."
        )
    if not subject.head:
        return "The head of this pull request is not known yet. Approve again in a moment."
    if subject.head_since is None or scene.at < subject.head_since:
        return (
            f"The head became {short(subject.head)} after this was written, so it approves nothing. "
            f"Look at it, then approve again (or `approve --sha {short(subject.head)}`)."
        )
    return ""


VERB = Verb(spec=SPEC, carry=carry)
