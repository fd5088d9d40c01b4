"""unhold: lifts holds, and the bot's own stop of a stage."""

from dataclasses import replace

from bot.commands.model import Argument, Call, Effect, Outcome, Role, Spec, Verb, same
from bot.commands.scene import Scene, needs_pull, sort, unknown
from bot.domain.directive import Order

SPEC = Spec(
    verb="unhold",
    role=Role.APPROVER,
    help="Lifts your hold; an approver lifts everybody's, and with a stage named also the bot's own stop after reverts in a row.",
    arguments=(
        Argument(name="stage", help="A whole stage, in place of this pull request.", required=False),
        Argument(name="service", help="Only this service of it.", required=False),
    ),
    aliases=("hold cancel", "remove-hold"),
    mine="whoever holds it",
    examples=("unhold", "unhold prod"),
)


def carry(call: Call, scene: Scene) -> Effect:
    """One's own holds where there are some (nothing else is touched then), else all."""
    named = sort(call.words, scene)
    if named.others:
        return unknown(named.others[0], scene)
    stage = named.stage or scene.stage
    if not stage:
        return needs_pull("unhold")
    number = scene.subject.number if scene.subject is not None and not call.words else None
    holds = [
        order
        for order in scene.active(Order.HOLD)
        if order.stage in ("", stage) and order.number == number and (not named.service or order.service == named.service)
    ]
    stops = [hold for hold in scene.places[stage].holds if hold.lifted_at is None] if number is None and not named.service else []
    if not holds and not stops:
        return same("Nobody holds it.", stage)
    mine = [order for order in holds if order.actor.id == scene.actor.id] if not stops else []
    chosen = mine or holds
    names = sorted({f"@{order.actor.login}" for order in chosen}) + (["the bot's own stop"] if stops else [])
    return Effect(
        outcome=Outcome.DONE,
        told=f"Lifted the hold of {', '.join(names)}.",
        stages=(stage,),
        withdraw=tuple(order.key for order in chosen),
        lift=tuple(replace(stop, lifted_at=scene.now) for stop in stops),
        mine=bool(mine),
    )


VERB = Verb(spec=SPEC, carry=carry)
