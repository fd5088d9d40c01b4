"""The Slack sink's HTTP face: the Web API, uploads, response URLs, Socket Mode, and the page that shows it all.

Decides how a request's arguments are read (JSON or form, as Slack takes both) and which token is good. A method's
answer is `methods`; the page is `page`.
"""

import asyncio
import json
from collections import deque
from email import message_from_bytes
from email.message import Message as EmailMessage
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.sandbox.slack.common import SlackError
from bot.sandbox.slack.methods import METHODS
from bot.sandbox.slack.page import page
from bot.sandbox.slack.replies import Replies
from bot.sandbox.slack.workspace import Call, Obj, Workspace, shown

JSON_FIELDS = ("blocks", "attachments", "metadata", "view", "files")


class SlackServer:
    """The application of one workspace. `faults` are answers that the next calls get instead: (method or "", code, seconds)."""

    def __init__(self, workspace: Workspace, replies: Replies) -> None:
        self.workspace, self.replies = workspace, replies
        self.url = ""
        self.faults: deque[tuple[str, str, float]] = deque()
        self.sockets: dict[WebSocket, asyncio.AbstractEventLoop] = {}
        self.answers: dict[str, Obj] = {}
        self.application = Starlette(
            routes=[
                Route("/api/{method}", self._method, methods=["GET", "POST"]),
                Route("/upload/{file}", self._upload, methods=["POST"]),
                Route("/response/{key}", self._response, methods=["POST"]),
                Route("/files/{file}", self._file),
                Route("/_sandbox/messages", self._messages),
                Route("/", self._page),
                WebSocketRoute("/socket/{ticket}", self._socket),
            ]
        )

    async def _method(self, request: Request) -> Response:
        method = request.path_params["method"]
        arguments = _arguments(dict(request.query_params), await request.body(), request.headers.get("content-type", ""))
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip() or str(arguments.pop("token", ""))
        fault = next((one for one in self.faults if one[0] in ("", method)), None)
        if fault is not None:
            self.faults.remove(fault)
            if (spoilt := await _spoilt(*fault[1:])) is not None:
                return spoilt
        with self.workspace.lock:
            answer = self._answer(method, token, arguments)
            at = self.workspace.clock()
            self.workspace.calls.append(Call(method=method, at=at, ok=bool(answer["ok"]), arguments=arguments))
        if fault is not None and fault[1] == "applied_then_500":
            return PlainTextResponse("internal error", 500)
        return JSONResponse(answer)

    def _answer(self, method: str, token: str, arguments: Obj) -> Obj:
        if method == "apps.connections.open":
            if token != self.workspace.app_token:
                return {"ok": False, "error": "invalid_auth" if token else "not_authed"}
            address = self.url.replace("http://", "ws://", 1)
            return {"ok": True, "url": f"{address}/socket/{self.workspace.number()}"}
        if token != self.workspace.bot_token:
            return {"ok": False, "error": "invalid_auth" if token else "not_authed"}
        act = METHODS.get(method)
        if act is None:
            return {"ok": False, "error": "unknown_method", "req_method": method}
        try:
            answer: Obj = {"ok": True} | act(self.workspace, arguments)
        except SlackError as error:
            return {"ok": False, "error": error.code} | error.more
        except (TypeError, ValueError, KeyError):
            return {"ok": False, "error": "invalid_arguments"}
        if "upload_url" in answer:
            answer["upload_url"] = self.url + answer["upload_url"]
        return answer

    async def _upload(self, request: Request) -> Response:
        found = self.workspace.files.get(request.path_params["file"])
        if found is None:
            return PlainTextResponse("not found", 404)
        found.content = _first_part(await request.body(), request.headers.get("content-type", ""))
        return PlainTextResponse(f"OK - {len(found.content)}")

    async def _response(self, request: Request) -> Response:
        body = _arguments({}, await request.body(), request.headers.get("content-type", ""))
        error = self.replies.respond(request.path_params["key"], body)
        return PlainTextResponse("ok") if error is None else JSONResponse({"ok": False, "error": error}, 404)

    async def _file(self, request: Request) -> Response:
        found = self.workspace.files.get(request.path_params["file"])
        if found is None:
            return PlainTextResponse("not found", 404)
        kind = "image/png" if found.name.endswith(".png") else "text/plain; charset=utf-8"
        headers = {"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}
        return Response(found.content, media_type=kind, headers=headers)

    async def _messages(self, _: Request) -> Response:
        with self.workspace.lock:
            listed = [shown(self.workspace, one, metadata=True) | {"channel": one.channel, "ephemeral_for": one.ephemeral_for}
                      for one in self.workspace.messages]  # fmt: skip
        return JSONResponse({"messages": listed})

    async def _page(self, request: Request) -> Response:
        with self.workspace.lock:
            text = page(self.workspace, request.query_params.get("channel", ""))
        headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'"}
        return HTMLResponse(text, headers=headers)

    async def _socket(self, socket: WebSocket) -> None:
        """Socket Mode: hello, then envelopes; what the app sends back is kept by envelope id."""
        await socket.accept()
        await socket.send_json({"type": "hello", "num_connections": len(self.sockets) + 1, "connection_info": {"app_id": "A0SANDBOX"}})
        self.sockets[socket] = asyncio.get_running_loop()
        try:
            while True:
                received = json.loads(await socket.receive_text())
                if isinstance(received, dict) and "envelope_id" in received:
                    self.answers[str(received["envelope_id"])] = received
        except (WebSocketDisconnect, ValueError, RuntimeError):
            pass
        finally:
            self.sockets.pop(socket, None)

    def send(self, envelope: Obj) -> bool:
        """Hands an envelope to one connected app; False if none is."""
        for socket, loop in list(self.sockets.items()):
            asyncio.run_coroutine_threadsafe(socket.send_json(envelope), loop).result(5)
            return True
        return False


async def _spoilt(kind: str, seconds: float) -> Response | None:
    if kind == "ratelimited":
        return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(int(seconds) or 1)})
    if kind == "delay":
        await asyncio.sleep(seconds)
        return None
    if kind == "applied_then_500":
        return None
    if kind.startswith("status:"):
        return PlainTextResponse("error", int(kind.partition(":")[2]))
    return JSONResponse({"ok": False, "error": kind})


def _first_part(body: bytes, kind: str) -> bytes:
    """An upload is the bytes as they are, or the first part of a multipart form."""
    if not kind.startswith("multipart/"):
        return body
    parts = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body).get_payload()
    first = parts[0] if isinstance(parts, list) and parts else None
    content = first.get_payload(decode=True) if isinstance(first, EmailMessage) else None
    return content if isinstance(content, bytes) else b""


def _arguments(query: Obj, body: bytes, kind: str) -> Obj:
    """Query, form or JSON; the parts of a form that are JSON texts are read."""
    if kind.startswith("application/json"):
        try:
            read = json.loads(body or b"{}")
        except ValueError:
            return query
        return query | (read if isinstance(read, dict) else {})
    found: Obj = query | dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    for name in JSON_FIELDS:
        if isinstance(found.get(name), str):
            try:
                found[name] = json.loads(found[name])
            except ValueError:
                continue
    for name in ("reply_broadcast", "include_all_metadata"):
        if name in found:
            found[name] = str(found[name]).lower() in ("1", "true")
    return found
