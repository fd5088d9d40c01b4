"""The outermost layer of the server: names each request, lets the fault script strike, and writes the ledger.

Pure ASGI, because a fault must be able to cut the connection, and git's bodies must not pass through a middleware that
reads them twice.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any

from graphql import GraphQLError, OperationDefinitionNode, parse
from graphql.language import FieldNode

from bot.sandbox.github.access import identify
from bot.sandbox.github.errors import ApiError
from bot.sandbox.github.faults import Fault, Faults
from bot.sandbox.github.ledger import Ledger
from bot.sandbox.github.world import World

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

API, GRAPHQL = "/api/v3", ("/api/graphql", "/graphql")
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
HTML = b"<!DOCTYPE html><html><head><title>Unicorn! &middot; GitHub</title></head><body>This page is taking too long to load.</body></html>"


@dataclass(slots=True)
class Heard:
    """An answer that was kept back."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def take(self, message: Message) -> None:
        """Collect instead of sending."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", []))
        else:
            self.body += message.get("body", b"")


@dataclass(frozen=True, slots=True)
class Named:
    """What a request is called: for the ledger and for faults."""

    kind: str
    method: str
    operations: list[str]

    def title(self) -> str:
        """The name in the ledger."""
        return ",".join(self.operations)


class Gate:
    """Wraps the server's application."""

    def __init__(
        self, application: Application, *, world: World, ledger: Ledger, faults: Faults, templates: Callable[[Scope], str]
    ) -> None:
        self._application = application
        self._world = world
        self._ledger = ledger
        self._faults = faults
        self._templates = templates
        self._remembered: dict[tuple[str, str], Heard] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not (path.startswith(API) or path in GRAPHQL or ".git/" in path):
            await self._application(scope, receive, send)
            return
        body = await _whole(receive)
        named = self._name(scope, body)
        fault = self._faults.strike(named.method, named.operations)
        heard = Heard()
        applied = True
        if fault is None:
            await self._application(scope, _again(body, receive), heard.take)
        else:
            applied = await self._struck(fault, scope, body, receive, heard)
        self._remember(scope, body, heard, struck=fault is not None)
        cut = fault is not None and fault.kind in ("reset", "applied_then_reset")
        self._ledger.add(
            kind=named.kind,
            method=scope["method"],
            operation=named.title(),
            path=path,
            caller=self._who(scope),
            status=0 if cut else heard.status,
            applied=applied,
        )
        if cut:
            await _abort(send, receive)
            return
        date = format_datetime(self._world.dates(), usegmt=True).encode()
        await send({"type": "http.response.start", "status": heard.status, "headers": [*heard.headers, (b"date", date)]})
        await send({"type": "http.response.body", "body": heard.body})

    def _name(self, scope: Scope, body: bytes) -> Named:
        path = scope["path"]
        if path in GRAPHQL:
            return Named("graphql", "GRAPHQL", root_fields(body))
        if path.startswith(API):
            return Named("rest", scope["method"], [self._templates(scope)])
        query = scope.get("query_string", b"").decode("latin-1")
        service = path.rpartition("/")[2]
        return Named("git", "GIT", [f"info/refs {query.partition('service=')[2]}".strip() if service == "refs" else service])

    async def _struck(self, fault: Fault, scope: Scope, body: bytes, receive: Receive, heard: Heard) -> bool:
        """Carry a fault out into `heard`; whether the request reached the server's own code."""
        match fault.kind:
            case "status":
                number, _, said = fault.argument.partition(":")
                _say(heard, int(number), ApiError(int(number), said or "Server Error").body())
            case "html200":
                heard.status, heard.headers, heard.body = 200, [(b"content-type", b"text/html; charset=utf-8")], HTML
            case "secondary_limit":
                wait = fault.argument or "60"
                _say(heard, 403, ApiError(403, SECONDARY).body(), {"retry-after": wait})
            case "primary_limit":
                self._primary(scope, heard)
            case "stale_read":
                self._stale(scope, body, heard)
                if heard.status == 0:
                    await self._application(scope, _again(body, receive), heard.take)
                    return True
            case "reset":
                return False
            case "delay":
                await asyncio.sleep(float(fault.argument))
                await self._application(scope, _again(body, receive), heard.take)
                return True
            case "truncate":
                await self._application(scope, _again(body, receive), heard.take)
                heard.body = heard.body[: len(heard.body) // 2]
                heard.headers = [(name, value) for name, value in heard.headers if name != b"content-length"]
                return True
            case _:
                unseen = Heard()
                await self._application(scope, _again(body, receive), unseen.take)
                told = int(fault.argument or "500")
                _say(heard, told, ApiError(told, "Server Error").body())
                return True
        return False

    def _primary(self, scope: Scope, heard: Heard) -> None:
        reset = int(self._world.wall().timestamp()) + 60
        told = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-used": "5000", "x-ratelimit-reset": str(reset)}
        if scope["path"] in GRAPHQL:
            error = {"type": "RATE_LIMITED", "message": "API rate limit exceeded for installation."}
            _say(heard, 200, {"errors": [error]}, told | {"x-ratelimit-resource": "graphql"})
        else:
            _say(heard, 403, ApiError(403, "API rate limit exceeded for installation.").body(), told | {"x-ratelimit-resource": "core"})

    def _stale(self, scope: Scope, body: bytes, heard: Heard) -> None:
        """The answer that this question had last time; lists are empty and things missing if it was never asked."""
        old = self._remembered.get(_question(scope, body))
        if old is not None:
            heard.status, heard.headers, heard.body = old.status, list(old.headers), old.body
        elif scope["method"] == "GET" and scope["path"].startswith(API):
            listed = scope["path"].rpartition("/")[2] in ("pulls", "comments", "labels", "reviews", "events", "files", "branches", "tags")
            if listed:
                _say(heard, 200, [])
            else:
                _say(heard, 404, ApiError(404, "Not Found").body())

    def _remember(self, scope: Scope, body: bytes, heard: Heard, *, struck: bool) -> None:
        reading = scope["method"] == "GET" or (scope["path"] in GRAPHQL and b"mutation" not in body)
        if reading and not struck and heard.status == 200 and ".git/" not in scope["path"]:
            if len(self._remembered) > 500:
                self._remembered.pop(next(iter(self._remembered)))
            self._remembered[_question(scope, body)] = heard

    def _who(self, scope: Scope) -> str:
        found = dict(scope["headers"]).get(b"authorization")
        try:
            caller = identify(self._world, found.decode("latin-1") if found else None)
        except ApiError:
            return "rejected"
        return caller.account.login if caller else "anonymous"


def root_fields(body: bytes) -> list[str]:
    """The root fields of a GraphQL request, in order; `invalid` for what does not parse."""
    try:
        document = parse(json.loads(body)["query"])
    except (ValueError, KeyError, TypeError, GraphQLError):
        return ["invalid"]
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    fields = [item.name.value for node in operations for item in node.selection_set.selections if isinstance(item, FieldNode)]
    return fields or ["invalid"]


def _question(scope: Scope, body: bytes) -> tuple[str, str]:
    return scope["path"], scope.get("query_string", b"").decode("latin-1") + body.decode("latin-1")


def _say(heard: Heard, status: int, body: object, headers: dict[str, str] | None = None) -> None:
    heard.status = status
    heard.headers = [(b"content-type", b"application/json; charset=utf-8")]
    heard.headers += [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    heard.body = json.dumps(body).encode()


async def _whole(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """A channel that hands out the body that was read already, then whatever still comes."""
    waiting = [body]

    async def hand_out() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return hand_out


async def _abort(send: Send, receive: Receive) -> None:
    """Cut the connection without an answer: uvicorn's channel knows its transport."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("the connection cannot be cut: not served by uvicorn")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        continue
