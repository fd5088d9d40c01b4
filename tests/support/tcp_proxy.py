"""A TCP proxy for tests: carries bytes between a port on loopback and a server, and cuts or holds them when it is told to."""

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable, Iterator


class Proxy:
    """Listens on `port`. `cut` resets what is connected; while `closed`, newcomers are reset at once."""

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self._connect = connect
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.closed = False
        self.cuts = 0
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def cut(self) -> int:
        """Reset all connections; how many there were."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                    end.shutdown(socket.SHUT_RDWR)
        self.cuts += 1
        return len(pairs)

    def stop(self) -> None:
        """End everything."""
        self.closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.closed:
                client.close()
                continue
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        try:
            server = self._connect()
        except OSError:
            client.close()
            return
        pair = (client, server)
        with self._lock:
            self._pairs.add(pair)
        try:
            _pump(client, server)
        finally:
            with self._lock:
                self._pairs.discard(pair)
            client.close()
            server.close()


def _pump(client: socket.socket, server: socket.socket) -> None:
    other = {client: server, server: client}
    with selectors.DefaultSelector() as ready:
        for end in other:
            ready.register(end, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                source = key.fileobj
                assert isinstance(source, socket.socket)
                try:
                    content = source.recv(65536)
                    if not content:
                        return
                    other[source].sendall(content)
                except OSError:
                    return


@contextlib.contextmanager
def proxy_to(path: str) -> Iterator[Proxy]:
    """A proxy to a server that listens on a Unix socket."""

    def connect() -> socket.socket:
        found = socket.socket(socket.AF_UNIX)
        found.connect(path)
        return found

    found = Proxy(connect)
    try:
        yield found
    finally:
        found.stop()
