"""One REST call: how a route is declared, who may use it, how its answer leaves.

Decides authentication, rights, paging, entity tags and the rate-limit headers for every route in one place; the
routes themselves only say what they do.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from bot.sandbox.github.access import Caller, authorize, identify
from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.limits import Limits
from bot.sandbox.github.rest.fields import fields_of
from bot.sandbox.github.state import Repository
from bot.sandbox.github.world import World


@dataclass(slots=True, kw_only=True)
class Answer:
    """Status, JSON body (None: no body) and headers. `text` is the body once it was written out."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None

    def written(self) -> str:
        """The body as JSON, written once."""
        if self.text is None:
            self.text = json.dumps(self.body, separators=(",", ":"))
        return self.text


@dataclass(slots=True, kw_only=True)
class Request:
    """What came over the wire, with the route's parameters already cut out of the path."""

    method: str
    path: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class Call:
    """A request that may be answered: its caller, its repository (if the route has one) and its fields."""

    world: World
    limits: Limits
    request: Request
    visitor: Caller | None
    fields: dict[str, Any]
    found: Repository | None = None

    @property
    def caller(self) -> Caller:
        """Who calls; 401 for nobody."""
        if self.visitor is None:
            raise ApiError(401, "Requires authentication")
        return self.visitor

    @property
    def repository(self) -> Repository:
        """The repository of the path."""
        if self.found is None:
            raise LookupError("the route names no repository")
        return self.found

    def text(self, name: str) -> str:
        """A parameter of the path."""
        return self.request.parameters[name]

    def number(self, name: str) -> int:
        """A numeric parameter of the path, or 404."""
        value = self.request.parameters[name]
        if not value.isdigit():
            raise ApiError(404, "Not Found")
        return int(value)

    def need(self, name: str) -> str:
        """A field of the body that must be a text."""
        if name not in self.fields:
            raise ApiError(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
        value = self.fields[name]
        if not isinstance(value, str):
            raise ApiError(422, f"Invalid request.\n\nFor 'properties/{name}', {json.dumps(value)} is not a string.")
        return value

    def maybe(self, name: str) -> str | None:
        """A field of the body that may be a text, null or missing."""
        return None if self.fields.get(name) is None else self.need(name)


T = TypeVar("T")
Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`needs` is an App permission (`contents=write`, or `jwt` for the App itself), `role` what a person must have on the repository."""

    method: str
    template: str
    handler: Handler
    needs: str = ""
    role: str = ""


class Routes:
    """The routes of one file, in the order of their declaration (earlier ones win)."""

    def __init__(self) -> None:
        self.all: list[Route] = []

    def add(self, method: str, template: str, *, needs: str = "", role: str = "") -> Callable[[Handler], Handler]:
        """Declare a route under `/api/v3`. The role follows from the permission unless it is given."""
        if needs and not role:
            role = "write" if "=write" in needs else "read"

        def keep(handler: Handler) -> Handler:
            self.all.append(Route(method=method, template=template, handler=handler, needs=needs, role=role))
            return handler

        return keep


def answer(world: World, limits: Limits, route: Route, request: Request) -> Answer:
    """Run a route; refusals become answers. Takes the world's lock."""
    with world.lock:
        now, bucket = world.wall(), "anonymous"
        try:
            visitor = identify(world, request.headers.get("authorization"))
            bucket = visitor.bucket() if visitor else bucket
            free = route.template == "/rate_limit"
            if not free and limits.exhausted(bucket, "core", now):
                raise ApiError(
                    403, f"API rate limit exceeded for {bucket.replace('installation', 'installation ID').replace('user', 'user ID')}."
                )
            reply = _run(world, limits, route, request, visitor)
            reply = _tagged(request, reply)
            if reply.status != 304 and not free:
                limits.spend(bucket, "core", now)
        except ApiError as error:
            limits.spend(bucket, "core", now)
            reply = Answer(status=error.status, body=error.body(), headers=dict(error.headers))
        reply.headers |= limits.headers(bucket, "core", now) | {"x-github-media-type": "github.v3; format=json"}
        return reply


def _run(world: World, limits: Limits, route: Route, request: Request, visitor: Caller | None) -> Answer:
    found = None
    if "{owner}" in route.template or "{repository_id}" in route.template:
        number = request.parameters.get("repository_id", "")
        name = f"{request.parameters.get('owner')}/{request.parameters.get('repo')}"
        found = world.repository_by_id(int(number)) if number.isdigit() else world.repository(name)
        if route.needs != "jwt":
            authorize(world, visitor, found, needs=route.needs or "metadata=read", role=route.role or "read")
    call = Call(world=world, limits=limits, request=request, visitor=visitor, fields=fields_of(request.body), found=found)
    return route.handler(call)


def _tagged(request: Request, reply: Answer) -> Answer:
    """GitHub's entity tags are weak and depend on the answer alone; a match answers 304, which costs nothing."""
    if request.method != "GET" or reply.status != 200:
        return reply
    tag = f'W/"{hashlib.sha256(reply.written().encode()).hexdigest()}"'
    reply.headers |= {"etag": tag, "cache-control": "private, max-age=60, s-maxage=60"}
    known = [given.strip().removeprefix("W/") for given in request.headers.get("if-none-match", "").split(",")]
    if tag.removeprefix("W/") in known or "*" in known:
        return Answer(status=304, headers=reply.headers)
    return reply


def page_of(call: Call, things: Sequence[T]) -> tuple[Sequence[T], dict[str, str]]:
    """The page that was asked for, and its `Link` header."""
    size = min(max(_whole(call, "per_page", 30), 1), 100)
    number = max(_whole(call, "page", 1), 1)
    last = max(1, -(-len(things) // size))
    links = []
    for name, target in (("prev", number - 1), ("next", number + 1), ("last", last), ("first", 1)):
        wanted = number < last if name in ("next", "last") else number > 1
        if wanted:
            query = urlencode(dict(call.request.query) | {"page": str(min(target, last))})
            links.append(f'<{call.world.base_url}{call.request.path}?{query}>; rel="{name}"')
    return things[(number - 1) * size : number * size], {"link": ", ".join(links)} if links else {}


def _whole(call: Call, name: str, default: int) -> int:
    value = call.request.query.get(name, "")
    return int(value) if value.isdigit() else default
