"""to: opens the promotion of a service into a stage now, without waiting for the soak; its gates still hold the merge."""

from bot.commands.model import Argument, Call, Effect, Outcome, Problem, Role, Spec, Verb, refused, same
from bot.commands.scene import Scene, ban, quoted, sort, unknown
from bot.domain.directive import Order

SPEC = Spec(
    verb="to",
    role=Role.OPERATOR,
    help="Opens the promotion of a service into a stage now. No gate is skipped: they hold its merge.",
    arguments=(
        Argument(name="stage", help="The stage that it should enter."),
        Argument(name="service", help="The service, with `@version` where it must be that one."),
    ),
    aliases=("start", "deploy", "ship"),
    lasting=False,
    examples=("to prod payments", "to prod payments@1.9.0"),
)


def carry(call: Call, scene: Scene) -> Effect:
    """The version is the one that stands upstream: only that can be promoted."""
    named = sort(call.words, scene)
    if named.others:
        return unknown(named.others[0], scene)
    if not named.stage or not named.service:
        return refused("Name a stage and a service: `to <stage> <service>[@version]`.")
    stage, service = named.stage, named.service
    place = scene.places[stage]
    if not place.after:
        return refused(f"Versions enter the pipeline at {stage}: push them to its repository.", stages=(stage,))
    upstream = {name: scene.places[name].services[service].version for name in place.after if service in scene.places[name].services}
    stands = f"{', '.join(f'{name} has {version}' for name, version in upstream.items()) or 'nothing is known of it upstream'}"
    version = named.version or next(iter(upstream.values()), "")
    if not version or version not in upstream.values():
        return refused(
            f"{service}{f' {quoted(version)}' if version else ''} cannot enter {stage}: {stands}. Only what runs upstream is promoted; "
            f"an older version comes by `rollback {service} {stage} --to VERSION`.",
            problem=Problem.CONFLICT,
            stages=(stage,),
        )
    present = place.services.get(service)
    if present is not None and present.version == version:
        return same(f"{stage} has {service} {version} already.", stage)
    if present is not None and present.number is not None and present.into == version:
        return same(f"It is on its way: {present.url or '#' + str(present.number)}.", stage)
    banned = ban(scene, stage, service, version)
    if banned:
        return refused(f"{banned}.", problem=Problem.BLOCKED, stages=(stage,))
    order = scene.directive(Order.START, stage=stage, service=service, version=version)
    return Effect(outcome=Outcome.DONE, told=f"{service} {version} goes to {stage}.", stages=(stage,), add=(order,))


VERB = Verb(spec=SPEC, carry=carry)
