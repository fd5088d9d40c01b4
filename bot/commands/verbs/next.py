"""next: what has just been merged here goes on to the following stages now."""

from bot.commands.model import Call, Effect, Outcome, Problem, Role, Spec, Verb, refused, same
from bot.commands.scene import Scene, ban, needs_pull
from bot.domain.directive import Order

SPEC = Spec(
    verb="next",
    role=Role.OPERATOR,
    help="On a merged promotion: opens the promotion into the following stages now. No gate is skipped: they hold its merge.",
    lasting=False,
    examples=("next",),
)


def carry(call: Call, scene: Scene) -> Effect:
    """One order per service and following stage, for exactly the version that was merged here."""
    subject = scene.subject
    if subject is None:
        return needs_pull("next")
    if not subject.merged:
        return refused("This promotion is not merged yet; the following stages take what runs here.", problem=Problem.CONFLICT)
    following = scene.places[subject.stage].before
    if not following:
        return same(f"{subject.stage} is the last stage.", subject.stage)
    banned = next(
        (why for stage in following for service, version in subject.services.items() if (why := ban(scene, stage, service, version))), ""
    )
    if banned:
        return refused(f"{banned}.", problem=Problem.BLOCKED, stages=following)
    orders = tuple(
        scene.directive(Order.START, part=f"{stage}:{service}", stage=stage, service=service, version=version, details={"via": "next"})
        for stage in following
        for service, version in subject.services.items()
        if not _there(scene, stage, service, version)
    )
    if not orders:
        return same(f"{', '.join(following)} has it already, or it is on its way.", *following)
    return Effect(outcome=Outcome.DONE, told=f"On to {', '.join(following)}.", stages=following, add=orders)


def _there(scene: Scene, stage: str, service: str, version: str) -> bool:
    present = scene.places[stage].services.get(service)
    return present is not None and version in (present.version, present.into)


VERB = Verb(spec=SPEC, carry=carry)
