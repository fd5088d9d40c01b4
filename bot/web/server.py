"""The web server: one FastAPI application out of the routers that it is given, and uvicorn to serve it.

Decides headers that every answer carries, what a fault of ours looks like from outside, and the order of leaving: first the
readiness goes, then the listening socket, then the work under way ends.
"""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from types import FrameType

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.domain.errors import UserError
from bot.web.health import Readiness, loop_watch
from bot.web.lingering import Linger

log = structlog.get_logger("web")

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class Harden:
    """Adds the headers to every answer; a fault of ours is logged and answered with 500, without a word of what it was."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        except Exception:
            log.exception("web.failed", path=scope.get("path", ""))
            if begun:
                raise
            await JSONResponse({"error": "internal error"}, status_code=500)(scope, receive, with_headers)


def create_app(routers: Sequence[APIRouter], *, readiness: Readiness) -> FastAPI:
    """The application. It shows no documentation pages (they load scripts from elsewhere), but describes itself in /api/openapi.json."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with loop_watch():
            yield

    app = FastAPI(title="promotion-bot", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json", lifespan=lifespan)
    app.router.redirect_slashes = False  # such a redirect would lead to whatever host the request names
    for router in routers:
        app.include_router(router)

    app.add_middleware(Harden)
    app.add_middleware(Linger)
    app.state.readiness = readiness
    return app


class Server(uvicorn.Server):
    """uvicorn: on a signal to stop it says that it is not ready, and stops listening so many seconds later, or at the next signal."""

    def __init__(self, config: uvicorn.Config, readiness: Readiness, *, drain_seconds: float) -> None:
        super().__init__(config)
        self._readiness = readiness
        self._drain = drain_seconds
        self._draining = False

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn sends itself the signal again once it has ended, which would kill the process before the bot has left in order."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {sig: signal.signal(sig, self.handle_exit) for sig in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._readiness.stopping()
        log.info("web.stop", signal=signal.Signals(sig).name, drain_seconds=self._drain)
        if self._draining or self._drain <= 0:
            super().handle_exit(sig, frame)
            return
        self._draining = True
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(loop.call_later, self._drain, self._drained)  # a signal comes in the middle of anything

    def _drained(self) -> None:
        self.should_exit = True


def serve(
    app: FastAPI,
    readiness: Readiness,
    listener: socket.socket,
    *,
    started: Callable[[], None],
    drain_seconds: float = 0.0,
    stop_seconds: int = 10,
) -> None:
    """Serve until a signal to stop. `started` is called before the first request is taken; the socket listens already."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=stop_seconds,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = Server(config, readiness, drain_seconds=drain_seconds)
    started()
    readiness.ready()
    server.run(sockets=[listener])
    readiness.stopping()


LISTEN = "PROMOTION_BOT_LISTEN_HOST and PROMOTION_BOT_LISTEN_PORT"


def listen(host: str, port: int, where: str = LISTEN) -> socket.socket:
    """A listening socket; port 0 lets the system choose. `UserError` that names `where` if this address cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(2048)
    except OSError as error:
        found.close()
        raise UserError(
            f"The bot cannot listen on {host}:{port}: {error.strerror or error}.",
            where=where,
            fix="end what listens there already, or set another address or port",
        ) from error
    return found
