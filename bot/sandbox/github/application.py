"""The server's routes as one FastAPI application: REST, GraphQL, git, the human pages and the sandbox's own controls.

Decides nothing about content; each route is run in a worker thread.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Match
from starlette.routing import Route as HttpRoute

from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.gate import API, GRAPHQL, Scope
from bot.sandbox.github.githttp import serve_git
from bot.sandbox.github.limits import Limits
from bot.sandbox.github.rest.call import Answer, Request, Route, answer
from bot.sandbox.github.world import World

Endpoint = Callable[[HttpRequest], Awaitable[Response]]
GraphQLRunner = Callable[[str | None, bytes], Answer]


def build_application(*, world: World, limits: Limits, routes: list[Route], graphql: GraphQLRunner) -> FastAPI:
    """The application under the gate; pages and controls are added by the caller."""
    application = FastAPI(title="GitHub-compatible sandbox", docs_url=None, redoc_url=None, openapi_url=None)
    for route in routes:
        application.add_route(API + route.template, rest_endpoint(world, limits, route), methods=[route.method])
    for path in GRAPHQL:
        application.add_route(path, graphql_endpoint(graphql), methods=["POST"])
    application.add_route("/{owner}/{name}.git/{inside:path}", git_endpoint(world), methods=["GET", "POST"])
    application.add_route(API + "/{rest:path}", missing, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    return application


def rest_endpoint(world: World, limits: Limits, route: Route) -> Endpoint:
    """The endpoint of one REST route."""

    async def endpoint(http: HttpRequest) -> Response:
        request = Request(
            method=http.method if http.method != "HEAD" else "GET",
            path=http.url.path,
            parameters={name: str(value) for name, value in http.path_params.items()},
            query=dict(http.query_params),
            headers={name.lower(): value for name, value in http.headers.items()},
            body=await http.body(),
        )
        return response(await run_in_threadpool(answer, world, limits, route, request))

    return endpoint


def graphql_endpoint(graphql: GraphQLRunner) -> Endpoint:
    """The endpoint of `POST /graphql`."""

    async def endpoint(http: HttpRequest) -> Response:
        return response(await run_in_threadpool(graphql, http.headers.get("authorization"), await http.body()))

    return endpoint


def git_endpoint(world: World) -> Endpoint:
    """The endpoint of git's own protocol."""

    async def endpoint(http: HttpRequest) -> Response:
        found = await run_in_threadpool(
            serve_git,
            world,
            method=http.method,
            path=http.url.path,
            query=http.url.query,
            headers={name.lower(): value for name, value in http.headers.items()},
            body=await http.body(),
        )
        reply = Response(found.body, status_code=found.status)
        for name, value in found.headers:
            reply.headers[name] = value
        return reply

    return endpoint


def response(reply: Answer) -> Response:
    """An answer as HTTP."""
    if reply.body is None:
        return Response(status_code=reply.status, headers=reply.headers)
    return Response(reply.written(), status_code=reply.status, headers=reply.headers, media_type="application/json; charset=utf-8")


async def missing(http: HttpRequest) -> Response:
    """404 for a route that the sandbox does not have."""
    return response(Answer(status=404, body=ApiError(404, "Not Found").body()))


def template_of(application: FastAPI) -> Callable[[Scope], str]:
    """Finds the route template of a request before it is handled."""
    known = [route for route in application.routes if isinstance(route, HttpRoute) and route.path.startswith(API)]

    def find(scope: Scope) -> str:
        for route in known:
            if route.matches(dict[str, Any](scope))[0] is Match.FULL:
                return route.path.removeprefix(API).replace(":path}", "}")
        return "unknown"

    return find
