"""A small HTTP server on loopback that receives webhooks, checks their signature and can be told to fail or to be slow."""

import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Received:
    """One delivery as it arrived."""

    event: str
    guid: str
    signed: bool
    body: Any
    headers: dict[str, str]

    @property
    def name(self) -> str:
        """`pull_request.opened`, or `push`."""
        action = self.body.get("action")
        return f"{self.event}.{action}" if action else self.event


class HookSink:
    """`received` in order of arrival; `status` is what is answered, `delay` how long that takes."""

    def __init__(self, *, secret: str) -> None:
        self.received: list[Received] = []
        self.status = 202
        self.delay = 0.0
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                time.sleep(sink.delay)
                wanted = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
                headers = {name.lower(): value for name, value in self.headers.items()}
                signed = hmac.compare_digest(headers.get("x-hub-signature-256", ""), wanted)
                sink.received.append(Received(headers["x-github-event"], headers["x-github-delivery"], signed, json.loads(raw), headers))
                self.send_response(sink.status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """Where to deliver."""
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    def start(self) -> None:
        """Listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
