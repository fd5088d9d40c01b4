"""The sink's socket on loopback, WebSockets included.

Decides when connections are taken. The port is bound from the beginning, so that the address is known before `start`.
"""

import socket
import threading
import time
from typing import Any

import uvicorn


class Listener:
    """Serves an ASGI application at `http://127.0.0.1:PORT` from a thread."""

    def __init__(self, application: Any, *, name: str, port: int = 0) -> None:
        self._application, self._name = application, name
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.port = int(self._socket.getsockname()[1])
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, timeout_seconds: float = 10.0) -> None:
        """Takes connections; RuntimeError if that does not come about in time."""
        config = uvicorn.Config(self._application, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        self._server = server = uvicorn.Server(config)
        self._thread = thread = threading.Thread(target=server.run, kwargs={"sockets": [self._socket]}, name=self._name, daemon=True)
        thread.start()
        deadline = time.monotonic() + timeout_seconds
        while not server.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise RuntimeError(f"{self._name} did not start within {timeout_seconds:g} s")
            time.sleep(0.005)

    def stop(self) -> None:
        """Closes the socket and cuts what is open. Twice does no harm."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(timeout=2.0)
            if self._thread.is_alive():
                self._server.force_exit = True
                self._thread.join(timeout=5.0)
            self._server = self._thread = None
        self._socket.close()
