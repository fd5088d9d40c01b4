"""All REST routes, in the order in which they are tried: the longer path before the one that swallows it."""

from bot.sandbox.github.deliveries import Deliveries
from bot.sandbox.github.hooks import Dispatcher
from bot.sandbox.github.rest import apps, checks, gitdata, issues, pulls, repos
from bot.sandbox.github.rest.call import Route
from bot.sandbox.github.rest.hooks import hook_routes


def all_routes(deliveries: Deliveries, dispatcher: Dispatcher) -> list[Route]:
    """Every route of the server."""
    shelves = (apps.routes, hook_routes(deliveries, dispatcher), checks.routes, pulls.routes, issues.routes, gitdata.routes, repos.routes)
    return [route for shelf in shelves for route in shelf.all]
