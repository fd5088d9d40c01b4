"""A small HTTP server that says exactly what a test tells it, byte for byte: for what a polite sandbox never says."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer. `lines` are sent as the chunks of a stream; `hold` keeps it open until the server stops; `cut` breaks it off."""

    status: int = 200
    body: Any = None
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    lines: tuple[bytes, ...] | None = None
    hold: bool = False
    cut: bool = False


@dataclass(slots=True)
class Call:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    authorization: str


class Wire:
    """Answers every request by `script(call, n)`, where n counts the calls of that path before (watches apart)."""

    def __init__(self, script: Callable[[Call, int], Reply]) -> None:
        self.calls: list[Call] = []
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                parts = urlsplit(self.path)
                query = {key: values[0] for key, values in parse_qs(parts.query).items()}
                call = Call(self.command, parts.path, query, self.headers.get("Authorization", ""))
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with wire.lock:
                    same = [one for one in wire.calls if one.path == call.path and ("watch" in one.query) == ("watch" in query)]
                    wire.calls.append(call)
                reply = script(call, len(same))
                try:
                    self.say(reply)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_GET = do_PATCH = answer

            def say(self, reply: Reply) -> None:
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.lines is None:
                    raw = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                    self.send_header("Content-Length", str(len(raw)))
                    self.end_headers()
                    self.wfile.write(raw)
                    return
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for line in reply.lines:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                    self.wfile.flush()
                if reply.hold:
                    wire.stopping.wait(20)
                if reply.cut:
                    self.close_connection = True
                    return
                self.wfile.write(b"0\r\n\r\n")

            def log_message(self, format: str, *args: Any) -> None:
                """Tests print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> "Wire":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def kubeconfig(self, path: Path, *, user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None) -> str:
        """Writes a kubeconfig for it."""
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "wire", "cluster": {"server": self.url} | (cluster or {})}],
                    "users": [{"name": "bot", "user": {"token": "token-one"} if user is None else user}],
                    "contexts": [{"name": "wire", "context": {"cluster": "wire", "user": "bot"}}],
                    "current-context": "wire",
                }
            )
        )
        return str(path)
