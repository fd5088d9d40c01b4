"""What becomes of a pod that runs already when its version is told to behave otherwise.

Decides the new plan of one container: to begin to crash now, to turn bad so many seconds from now, or to get well.
"""

from bot.sandbox.cluster.frames import READY_AFTER
from bot.sandbox.cluster.images import Behaviour
from bot.sandbox.cluster.pods import FIRST_MAIN, plan_of
from bot.sandbox.cluster.resources import PODS, Obj
from bot.sandbox.cluster.world import World, resource_key


def turn(world: World, pod: Obj, container: str, told: Behaviour) -> None:
    """Changes the plan of one container. An image that is there already is not pulled again: `pull` changes nothing."""
    plan = plan_of(world, pod)
    well = plan.behaviours.get(container, told).name in ("ok", "bad_later") and plan.ready_at is not None
    match told.name:
        case "crash" | "bad_later" if well:
            running_for = world.seconds - plan.start - FIRST_MAIN * world.pace.pod
            healthy = max(0.0, running_for - READY_AFTER * world.pace.pod + told.seconds)
            plan.behaviours[container] = Behaviour(name="bad_later", seconds=healthy)
        case "pull":
            return
        case "hang" if well:
            plan.behaviours[container] = told
        case _ if not well:
            plan.start = world.seconds
            plan.behaviours[container] = told
            plan.seen.clear()
        case _:
            plan.behaviours[container] = told
    world.wake(resource_key(PODS, pod), world.seconds)
