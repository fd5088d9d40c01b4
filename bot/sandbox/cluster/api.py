"""The HTTP face of a cluster: paths to resources, identities to rights, verbs to reading and writing.

Decides which object a path means and in which order a request is judged: fault, identity, right, existence. A plain
ASGI application; what it serves comes from the world behind it.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from bot.sandbox.cluster import reading, writing
from bot.sandbox.cluster.accounts import ANONYMOUS, Accounts
from bot.sandbox.cluster.answers import Refusal, forbidden, refuse, unknown_path, unknown_resource
from bot.sandbox.cluster.faults import Faults
from bot.sandbox.cluster.resources import Obj, Resource, group_document
from bot.sandbox.cluster.selectors import selection
from bot.sandbox.cluster.world import World

VERSION: Obj = {
    "major": "1",
    "minor": "33",
    "gitVersion": "v1.33.13",
    "gitCommit": "sandbox",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "go1.24.11",
    "compiler": "gc",
    "platform": "linux/amd64",
}
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
OPEN = ("/version", "/healthz", "/livez", "/readyz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a path means: group, version, plural, namespace, name and subresource; empty where the path ends before."""

    group: str
    version: str
    plural: str = ""
    namespace: str = ""
    name: str = ""
    part: str = ""


def target(path: str) -> Target | None:
    """Reads `/api/v1/...` and `/apis/GROUP/VERSION/...`; None for anything else."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) > 1:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 2:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    plural, name, part = ([*rest, "", "", ""])[:3]
    return Target(group=group, version=version, plural=plural, namespace=namespace, name=name, part=part)


class Api:
    """The ASGI application of one cluster. `controls` answer `POST /_sandbox/NAME` with a JSON body: what no real cluster has."""

    def __init__(self, world: World, accounts: Accounts, faults: Faults, controls: Mapping[str, Callable[[Obj], None]]) -> None:
        self.world, self.accounts, self.faults, self.controls = world, accounts, faults, controls
        self.alive = reading.Alive()
        world.store.listeners.append(lambda change: self.alive.ring(change.resource))
        self.requests: deque[tuple[str, str, int]] = deque(maxlen=10_000)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        response = await self._answer(request)
        self.requests.append((request.method, request.url.path, response.status_code))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            await asyncio.sleep(self.faults.meet(request.url.path))
            user = self.accounts.who(request.headers.get("authorization", ""))
            return await self._route(request, user)
        except Refusal as refusal:
            headers = refusal.headers | {"X-Content-Type-Options": "nosniff"}
            if refusal.body is None:
                return PlainTextResponse(refusal.text or "", refusal.code, headers)
            return _json(refusal.body, refusal.code, headers)

    async def _route(self, request: Request, user: str) -> Response:
        path = request.url.path.rstrip("/")
        if path in OPEN:
            return _json(VERSION) if path == "/version" else PlainTextResponse("ok")
        if path.startswith("/_sandbox/") and request.method == "POST" and user != ANONYMOUS:
            return self._control(path.removeprefix("/_sandbox/"), await request.body())
        found = target(path)
        if found is None or not found.plural:
            return self._discovery(user, path, found)
        return await self._resource(request, user, found)

    def _control(self, name: str, body: bytes) -> Response:
        act = self.controls.get(name)
        if act is None:
            raise unknown_path()
        try:
            act(writing.read_json(body))
        except (KeyError, ValueError, TypeError) as error:
            raise refuse(400, f"{name}: {error}") from error
        return PlainTextResponse("", 204)

    def _discovery(self, user: str, path: str, found: Target | None) -> Response:
        if user == ANONYMOUS:
            sentence = f'forbidden: User "{ANONYMOUS}" cannot get path "{path}"'
            raise refuse(403, sentence, details={})
        catalog, parts = self.world.store.catalog, [part for part in path.split("/") if part]
        if parts == ["api"]:
            return _json({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
        if parts == ["apis"]:
            return _json(catalog.group_list())
        if len(parts) == 2 and parts[0] == "apis" and catalog.has_group(parts[1]):
            return _json({"kind": "APIGroup", "apiVersion": "v1"} | group_document(parts[1], catalog.groups()[parts[1]]))
        listed = catalog.resource_list(found.group, found.version) if found else None
        if listed is None:
            raise unknown_resource() if found and catalog.has_group(found.group) else unknown_path()
        return _json(listed)

    async def _resource(self, request: Request, user: str, found: Target) -> Response:
        query = dict(request.query_params)
        watching = query.get("watch") in ("1", "true")
        verb = VERBS.get(request.method) or ("get" if found.name else "watch" if watching else "list")
        if (found.group, found.plural) == ("authorization.k8s.io", "selfsubjectaccessreviews"):
            return self._review(user, await request.body())
        plural = f"{found.plural}/{found.part}" if found.part else found.plural
        namespace = found.name if found.plural == "namespaces" else found.namespace
        if not self.accounts.may(user, verb, found.group, plural, namespace):
            raise forbidden(user, verb, found.group, plural, namespace, found.name)
        resource = self.world.store.catalog.by_path(found.group, found.version, found.plural)
        if resource is None:
            raise unknown_resource() if not found.group or self.world.store.catalog.has_group(found.group) else unknown_path()
        if request.method in ("GET", "HEAD"):
            return await self._read(request, resource, found, query)
        body = await request.body()
        with self.world.store.lock:
            return self._write(request, resource, found, body)

    async def _read(self, request: Request, resource: Resource, found: Target, query: dict[str, str]) -> Response:
        if found.part == "log":
            return PlainTextResponse(self._log(resource, found))
        labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
        question = reading.Question(
            resource=resource,
            selection=selection(resource, found.namespace if resource.namespaced else "", labels, fields),
            query=query,
            as_table="as=Table" in request.headers.get("accept", ""),
        )
        if found.name:
            return _json(reading.get_one(self.world, question, found.name))
        if query.get("watch") in ("1", "true"):
            begin = reading.watch_start(self.world, question)
            stream = reading.watch(self.world, question, begin, self.alive)
            return StreamingResponse(stream, media_type="application/json")
        return _json(reading.get_list(self.world, question))

    def _write(self, request: Request, resource: Resource, found: Target, body: bytes) -> Response:
        place = (found.namespace if resource.namespaced else "", found.name)
        match request.method:
            case "POST" if not found.name:
                return _json(writing.create(self.world, resource, place[0], body), 201)
            case "PUT":
                return _json(writing.replace(self.world, resource, *place, body, found.part))
            case "PATCH":
                kind = request.headers.get("content-type", "")
                return _json(writing.patch(self.world, resource, place, body, kind, found.part))
            case "DELETE" if found.name:
                return _json(writing.delete(self.world, resource, *place))
            case _:
                raise refuse(405, "the server does not allow this method on the requested resource")

    def _review(self, user: str, body: bytes) -> Response:
        review = writing.read_json(body)
        asked: Obj = (review.get("spec") or {}).get("resourceAttributes") or {}
        parts = (str(asked.get(key, "")) for key in ("verb", "group", "resource", "namespace"))
        answer = {"allowed": self.accounts.may(user, *parts)}
        head = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {"creationTimestamp": None}}
        return _json(head | {"spec": review.get("spec") or {}, "status": answer}, 201)

    def _log(self, resource: Resource, found: Target) -> str:
        pod = self.world.store.get(resource, found.namespace, found.name)
        states = ((pod or {}).get("status") or {}).get("containerStatuses") or []
        lines = [
            f"{one['name']} {one['image']}: {'ready' if one['ready'] else 'not ready'}, {one['restartCount']} restarts" for one in states
        ]
        return "\n".join(lines) + "\n"


def _json(body: Obj, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), code, headers, media_type="application/json")
