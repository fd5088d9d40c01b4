"""Runs an ASGI application on a loopback port in a thread of its own.

Decides how a sandbox server starts, which port it takes and how it stops; what it answers is the application's matter.
"""

import socket
import threading
import time
from typing import Any

import uvicorn


class LoopbackServer:
    """One ASGI application behind `http://127.0.0.1:PORT`.

    The port is bound when the object is made (0 picks a free one), so that `url` is known before `start`. `dated`: answers bear the
    machine's time; an application that tells another one writes it itself.
    """

    def __init__(self, application: Any, *, name: str, port: int = 0, dated: bool = True) -> None:
        self._application = application
        self._dated = dated
        self._name = name
        # asyncio switches Nagle's algorithm off only where the protocol is named; without that each answer waits 40 ms for an ACK.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1."""
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        """The address without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, timeout_seconds: float = 10.0) -> None:
        """Serve from a daemon thread; returns when the server accepts connections, raises RuntimeError if it never does."""
        config = uvicorn.Config(
            self._application,
            log_level="critical",
            access_log=False,
            lifespan="off",
            timeout_keep_alive=30,
            ws="none",
            date_header=self._dated,
        )
        server = uvicorn.Server(config)
        self._server = server
        self._thread = threading.Thread(target=server.run, kwargs={"sockets": [self._socket]}, name=self._name, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + timeout_seconds
        while not server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError(f"the sandbox server {self._name} did not start within {timeout_seconds:g} s")
            time.sleep(0.005)

    def stop(self, *, timeout_seconds: float = 5.0) -> None:
        """Stop serving; open connections are cut after a moment. Stopping twice does no harm."""
        if self._server is None or self._thread is None:
            self._socket.close()
            return
        self._server.should_exit = True
        self._thread.join(timeout=1.0)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(timeout=timeout_seconds)
        self._socket.close()
        self._server = None
        self._thread = None
