"""A second, smaller web server on a port of its own, in a thread beside the first: for what the public port must not show.

Decides nothing about what it serves: it is handed the routers and a listening socket.
"""

import socket
import threading
from collections.abc import Sequence

import uvicorn
from fastapi import APIRouter, FastAPI

from bot.web.server import Harden

METRICS = "PROMOTION_BOT_METRICS_HOST and PROMOTION_BOT_METRICS_PORT"
LEAVING_SECONDS = 10.0


class Aside:
    """Serves from `start` to `stop`; `url` is known from the start. It describes itself nowhere."""

    def __init__(self, routers: Sequence[APIRouter], listener: socket.socket) -> None:
        app = FastAPI(openapi_url=None)
        app.router.redirect_slashes = False
        for router in routers:
            app.include_router(router)
        app.add_middleware(Harden)
        host, port = listener.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._listener = listener
        config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, proxy_headers=False, lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, name="bot-aside", daemon=True)

    def start(self) -> None:
        """Begin to take requests."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests; also where it was never started."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=LEAVING_SECONDS)
        self._listener.close()
