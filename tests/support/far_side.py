"""A real HTTP server on loopback that answers as a test tells it, down to single bytes; and what it was asked."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Asked:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Handler = Callable[[Asked, socket.socket], None]


@dataclass(slots=True)
class FarSide:
    """Where it listens, and what it was asked."""

    port: int
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP answer; header names are written with _ for -."""
    lines = [
        f"HTTP/1.1 {status}",
        f"content-length: {len(body)}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def saying(*answers: bytes) -> Handler:
    """These answers in turn, the last one for ever."""
    left = list(answers)

    def handle(_asked: Asked, connection: socket.socket) -> None:
        connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return handle


@contextmanager
def far_side(handler: Handler) -> Iterator[FarSide]:
    """A server for the time of a test; one thread per connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    found = FarSide(port=listener.getsockname()[1])
    stopping = threading.Event()

    def one(connection: socket.socket) -> None:
        with connection:
            try:
                asked = _read(connection)
                if asked is not None:
                    found.asked.append(asked)
                    handler(asked, connection)
            except OSError:
                return

    def serve() -> None:
        while not stopping.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        stopping.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)


def _read(connection: socket.socket) -> Asked | None:
    held = b""
    while b"\r\n\r\n" not in held:
        part = connection.recv(65536)
        if not part:
            return None
        held += part
    head, _, body = held.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    return Asked(method=method, path=path, headers=headers, body=body)
