"""Get, list and watch, as the Kubernetes API answers them.

Decides paging, resource versions, selectors, tables and the stream of a watch with its bookmarks and its 410. Who may
ask is decided before; writing is elsewhere.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from bot.sandbox.cluster.answers import Refusal, not_found, refuse, status, too_old
from bot.sandbox.cluster.resources import Obj, Resource
from bot.sandbox.cluster.selectors import Selection
from bot.sandbox.cluster.store import Change
from bot.sandbox.cluster.table import table
from bot.sandbox.cluster.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One read: what of, which of them, how it is asked (query parameters) and whether a table is wanted."""

    resource: Resource
    selection: Selection
    query: dict[str, str]
    as_table: bool

    def number(self, name: str) -> int:
        """A query parameter that is a number; 0 where it is missing."""
        text = self.query.get(name, "")
        return int(text) if text.isdigit() else 0


def get_one(world: World, question: Question, name: str) -> Obj:
    """One object, or 404."""
    _not_from_the_future(world, question)
    obj = world.store.get(question.resource, question.selection.namespace, name)
    if obj is None:
        raise not_found(question.resource, name)
    if question.as_table:
        return table(question.resource, [obj], world.now, obj["metadata"]["resourceVersion"], question.query.get("includeObject", ""))
    return obj


def get_list(world: World, question: Question) -> Obj:
    """A list, or one page of it."""
    _not_from_the_future(world, question)
    resource, limit = question.resource, question.number("limit")
    with world.store.lock:
        version, start = world.store.version, ("", "")
        if token := question.query.get("continue"):
            version, start = _read_token(world, token)
        found = [obj for obj in world.store.all(resource) if question.selection.matches(obj) and _place(obj) > start]
        now = world.now
    meta: Obj = {"resourceVersion": str(version)}
    if limit and len(found) > limit:
        meta["continue"] = _token(version, _place(found[limit - 1]))
        if not question.selection.tests:
            meta["remainingItemCount"] = len(found) - limit
        found = found[:limit]
    if question.as_table:
        answer = table(resource, found, now, str(version), question.query.get("includeObject", ""))
        return answer | {"metadata": meta}
    items = [_bare(obj) for obj in found] if resource.builtin else found
    return {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": meta, "items": items}


def _not_from_the_future(world: World, question: Question) -> None:
    wanted = question.number("resourceVersion")
    if wanted <= world.store.version:
        return
    message = f"Timeout: Too large resource version: {wanted}, current: {world.store.version}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    late = status(504, message, details={"causes": causes, "retryAfterSeconds": 1})
    raise Refusal(504, late, headers={"Retry-After": "1"})


def _bare(obj: Obj) -> Obj:
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}


def _place(obj: Obj) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _token(version: int, place: tuple[str, str]) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": "/".join(place) + "\0"})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_token(world: World, token: str) -> tuple[int, tuple[str, str]]:
    version: object = None
    start = ""
    with suppress(ValueError, KeyError, TypeError):
        read = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        version, start = read["rv"], read["start"]
    if not isinstance(version, int) or not isinstance(start, str):
        raise refuse(400, "invalid continue token: continue key is not valid: illegal base64 data or JSON")
    if version < world.store.oldest:
        raise refuse(410, "The provided continue parameter is too old to display a consistent list result. You can start a new "
                          "list without the continue parameter.")  # fmt: skip
    namespace, _, name = start.rstrip("\0").partition("/")
    return version, (namespace, name)


def watch_start(world: World, question: Question) -> tuple[int, list[Obj]]:
    """Where a watch begins: (resource version, events that come first). Refuses what cannot be watched."""
    text = question.query.get("resourceVersion", "")
    if "sendInitialEvents" in question.query:
        sentence = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
        raise refuse(422, f'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: {sentence}')
    if text and not text.isdigit():
        reason = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise refuse(500, reason)
    with world.store.lock:
        if text in ("", "0"):
            first = [obj for obj in world.store.all(question.resource) if question.selection.matches(obj)]
            return world.store.version, [{"type": "ADDED", "object": obj} for obj in first]
        return int(text), []


@dataclass(slots=True)
class Alive:
    """What all watches of a cluster look at: whether it serves, how often it marks, and when it forgot everything."""

    serving: bool = True
    bookmark_seconds: float = 5.0
    epoch: int = 0
    _bells: dict[tuple[str, str], set[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = field(default_factory=dict)

    def ring(self, resource: Resource | None = None) -> None:
        """Wakes the watches of a resource, or all; from any thread."""
        keys = list(self._bells) if resource is None else [(resource.group, resource.plural)]
        for loop, bell in [one for key in keys for one in tuple(self._bells.get(key, ()))]:
            with suppress(RuntimeError):  # a loop that has been closed meanwhile
                loop.call_soon_threadsafe(bell.set)

    def listen(self, resource: Resource) -> tuple[asyncio.AbstractEventLoop, asyncio.Event]:
        """A bell that rings when an object of the resource changes."""
        made = (asyncio.get_running_loop(), asyncio.Event())
        self._bells.setdefault((resource.group, resource.plural), set()).add(made)
        return made

    def leave(self, resource: Resource, bell: tuple[asyncio.AbstractEventLoop, asyncio.Event]) -> None:
        """Takes a bell away."""
        self._bells.get((resource.group, resource.plural), set()).discard(bell)


async def watch(world: World, question: Question, begin: tuple[int, list[Obj]], alive: Alive) -> AsyncIterator[bytes]:
    """The lines of a watch until its time is over, the server stops, or the version is too old."""
    bell = alive.listen(question.resource)
    try:
        async for line in _lines(world, question, begin, alive, bell[1]):
            yield line
    finally:
        alive.leave(question.resource, bell)


async def _lines(world: World, question: Question, begin: tuple[int, list[Obj]], alive: Alive, bell: asyncio.Event) -> AsyncIterator[bytes]:
    version, first = begin
    show = _Shown(world, question)
    for opening in first:
        yield show.line(opening["type"], opening["object"])
    marks = question.query.get("allowWatchBookmarks") in ("true", "1")
    marked, epoch = monotonic(), alive.epoch
    ends = marked + (question.number("timeoutSeconds") or 1800)
    while monotonic() < ends and alive.serving:
        bell.clear()
        if version < world.store.oldest or alive.epoch != epoch:
            gone = too_old(version, world.store.oldest)
            yield json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n"
            return
        changes = world.store.since(version) if world.store.version > version else []
        for change in changes:
            if (event := _event(question, change)) is not None:
                yield show.line(*event)
        version = changes[-1].version if changes else version
        if marks and monotonic() - marked >= alive.bookmark_seconds:
            marked = monotonic()
            yield show.bookmark(version)
        until = min(ends, marked + alive.bookmark_seconds) if marks else ends
        with suppress(TimeoutError):
            await asyncio.wait_for(bell.wait(), max(0.0, until - monotonic()))
    if marks and alive.serving:
        yield show.bookmark(version)


def _event(question: Question, change: Change) -> tuple[str, Obj] | None:
    if (change.resource.group, change.resource.plural) != (question.resource.group, question.resource.plural):
        return None
    is_in = question.selection.matches(change.obj)
    was_in = change.before is not None and question.selection.matches(change.before)
    if change.verb == "DELETED":
        return ("DELETED", change.obj) if was_in else None
    if is_in:
        return ("MODIFIED" if was_in else "ADDED"), change.obj
    return ("DELETED", change.obj) if was_in else None


class _Shown:
    """Writes events as lines: whole objects, or rows of a table whose columns come once."""

    def __init__(self, world: World, question: Question) -> None:
        self.world, self.question, self.columns_sent = world, question, False

    def line(self, verb: str, obj: Obj) -> bytes:
        shown = obj
        if self.question.as_table:
            include = self.question.query.get("includeObject", "")
            shown = table(self.question.resource, [obj], self.world.now, obj["metadata"]["resourceVersion"], include)
            if self.columns_sent:
                shown["columnDefinitions"] = None
            self.columns_sent = True
        return json.dumps({"type": verb, "object": shown}).encode() + b"\n"

    def bookmark(self, version: int) -> bytes:
        """A mark has no name, and looks like an empty object of its kind."""
        resource = self.question.resource
        obj: Obj = {"kind": resource.kind, "apiVersion": resource.api_version}
        obj["metadata"] = {"resourceVersion": str(version), "creationTimestamp": None}
        if resource.group == "apps":
            template = {"metadata": {"creationTimestamp": None}, "spec": {"containers": None}}
            replicas = {} if resource.kind == "DaemonSet" else {"replicas": 0}
            obj |= {"spec": replicas | {"selector": None, "template": template}, "status": {}}
        return json.dumps({"type": "BOOKMARK", "object": obj}).encode() + b"\n"
