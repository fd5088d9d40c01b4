"""Runs GraphQL documents: authentication, validation against the schema, cost, and errors as GitHub words them."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    execute_sync,
    parse,
    validate,
)
from graphql.language import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, IntValueNode, Node

from bot.sandbox.github.access import Caller, identify
from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.graphql.mutations import mutation_root
from bot.sandbox.github.graphql.nodes import Context
from bot.sandbox.github.graphql.queries import Query
from bot.sandbox.github.graphql.repository import RepositoryNode
from bot.sandbox.github.limits import Limits
from bot.sandbox.github.rest.call import Answer
from bot.sandbox.github.views.times import stamp
from bot.sandbox.github.world import World

Json = dict[str, Any]
Fragments = dict[str, FragmentDefinitionNode]
SCHEMA = Path(__file__).with_name("schema.graphql")


@cache
def schema() -> GraphQLSchema:
    """The cut of GitHub's schema, built once in a process."""
    return build_schema(SCHEMA.read_text(encoding="utf-8"))


class Executor:
    """The GraphQL endpoint over one world."""

    def __init__(self, world: World, limits: Limits) -> None:
        self._world = world
        self._limits = limits
        self._schema = schema()

    def run(self, authorization: str | None, body: bytes) -> Answer:
        """Answer one request. Takes the world's lock: a document's mutations are one piece."""
        with self._world.lock:
            try:
                caller = identify(self._world, authorization)
                if caller is None:
                    raise ApiError(401, "This endpoint requires you to be authenticated.")
                if caller.app is not None:
                    raise ApiError(403, "Resource not accessible by integration")
            except ApiError as error:
                return Answer(status=error.status, body=error.body())
            return self._document(caller, body)

    def _document(self, caller: Caller, body: bytes) -> Answer:
        now, bucket = self._world.wall(), caller.bucket()
        if self._limits.exhausted(bucket, "graphql", now):
            told = {"type": "RATE_LIMITED", "message": f"API rate limit exceeded for {bucket.replace('installation', 'installation ID')}."}
            return Answer(body={"errors": [told]}, headers=self._limits.headers(bucket, "graphql", now))
        try:
            given = json.loads(body)
            query, variables = given["query"], given.get("variables") or {}
        except (ValueError, KeyError, TypeError):
            return Answer(status=400, body={"message": "Problems parsing JSON", "documentation_url": "https://docs.github.com/graphql"})
        try:
            document = parse(query)
        except GraphQLError as error:
            return self._reply(bucket, {"errors": [_shown(error)]})
        wrong = validate(self._schema, document)
        if wrong:
            return self._reply(bucket, {"errors": [_shown(error) for error in wrong]})
        price = cost(document)
        self._limits.spend(bucket, "graphql", now, price)
        return self._reply(bucket, self._execute(caller, document, variables, given.get("operationName"), price))

    def _execute(self, caller: Caller, document: DocumentNode, variables: Json, name: str | None, price: int) -> Json:
        context = Context(self._world, caller, RepositoryNode)
        left = self._limits.describe(caller.bucket(), "graphql", self._world.wall())
        reset = stamp(self._limits.window(caller.bucket(), "graphql", self._world.wall()).resets_at)
        rate = {
            "cost": price,
            "limit": left["limit"],
            "remaining": left["remaining"],
            "used": left["used"],
            "resetAt": reset,
            "nodeCount": 0,
        }
        kinds = [node.operation for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        root: Any = mutation_root(context) if OperationType.MUTATION in kinds else Query(context, rate)
        done = execute_sync(self._schema, document, root_value=root, variable_values=variables, operation_name=name, type_resolver=typename)
        found: Json = {"data": done.data}
        if done.errors:
            found["errors"] = [_shown(error) for error in done.errors]
        return found

    def _reply(self, bucket: str, body: Json) -> Answer:
        return Answer(body=body, headers=self._limits.headers(bucket, "graphql", self._world.wall()))


def typename(value: Any, info: GraphQLResolveInfo[Any], abstract: Any) -> str | None:
    """The type of an object behind an interface or union."""
    found = value.get("__typename") if isinstance(value, dict) else getattr(value, "typename", None)
    return str(found) if found else None


def _shown(error: GraphQLError) -> Json:
    shown: Json = {"message": error.message}
    cause = error.original_error
    if isinstance(cause, ApiError):
        shown = {"type": cause.kind(), "message": cause.sentence()}
    elif cause is not None:
        shown = {"type": "INTERNAL", "message": f"Something went wrong while executing your query: {type(cause).__name__}: {cause}"}
    if error.path:
        shown["path"] = list(error.path)
    if error.locations:
        shown["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    return shown


def cost(document: DocumentNode) -> int:
    """GitHub's points: the connections that a query may open, by hundreds, at least one."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    requests = sum(_connections(node, 1, fragments) for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return max(1, round(requests / 100))


def _connections(node: Node, times: int, fragments: Fragments) -> int:
    total = 0
    for child in _children(node, fragments):
        size = next(
            (
                int(item.value.value)
                for item in child.arguments or ()
                if item.name.value in ("first", "last") and isinstance(item.value, IntValueNode)
            ),
            None,
        )
        total += (times if size is not None else 0) + _connections(child, times * (size or 1), fragments)
    return total


def _children(node: Node, fragments: Fragments) -> Iterator[FieldNode]:
    chosen = getattr(node, "selection_set", None)
    for item in chosen.selections if chosen else ():
        if isinstance(item, FieldNode):
            yield item
        elif isinstance(item, FragmentSpreadNode):
            yield from _children(fragments[item.name.value], fragments)
        else:
            yield from _children(item, fragments)
