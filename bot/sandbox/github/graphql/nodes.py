"""What every object of the GraphQL API has in common: the world, the caller, pages of connections, node ids.

Fields are methods with GitHub's own names; graphql-core calls them with the query's arguments.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLResolveInfo

from bot.sandbox.github.access import Caller, authorize, sees
from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.state import Repository
from bot.sandbox.github.world import World

Info = GraphQLResolveInfo
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Context:
    """One GraphQL request: the world, who asks, and how a repository becomes an object (it and its pull requests know each other)."""

    world: World
    caller: Caller
    wrap_repository: Callable[["Context", Repository], Any]

    def allow(self, repository: Repository, needs: str, role: str = "") -> None:
        """Raise what GitHub would say unless the caller may."""
        if not sees(self.world, self.caller, repository):
            raise ApiError(404, f"Could not resolve to a Repository with the name '{repository.full_name}'.")
        authorize(self.world, self.caller, repository, needs=needs, role=role or ("write" if "=write" in needs else "read"))


def connection(things: Sequence[Any], wrap: Callable[[Any], Any], arguments: Json) -> Json:
    """A page of a connection; the cursor is the position. GitHub wants `first` or `last`, at most 100."""
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        raise ApiError(
            422,
            "You must provide a `first` or `last` value to properly paginate the connection.",
            graphql_type="MISSING_PAGINATION_BOUNDARIES",
        )
    asked = first if first is not None else last
    if asked is None or asked < 0 or asked > 100:
        raise ApiError(
            422,
            f"Requesting {asked} records on the connection exceeds the `first` limit of 100 records.",
            graphql_type="EXCESSIVE_PAGINATION",
        )
    start = int(arguments["after"]) if arguments.get("after") else 0
    end = int(arguments["before"]) - 1 if arguments.get("before") else len(things)
    if first is not None:
        end = min(end, start + first)
    else:
        start = max(start, end - int(last or 0))
    page = things[start:end]
    return {
        "totalCount": len(things),
        "filteredCount": len(things),
        "nodes": [wrap(thing) for thing in page],
        "edges": [{"cursor": str(start + place + 1), "node": wrap(thing)} for place, thing in enumerate(page)],
        "pageInfo": {
            "hasNextPage": end < len(things),
            "hasPreviousPage": start > 0,
            "startCursor": str(start + 1) if page else None,
            "endCursor": str(end) if page else None,
        },
    }
