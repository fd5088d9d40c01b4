"""Dials for `safe_http`: resolves a name once, checks every address that it has, and connects to the very address that was checked.

A name that answers differently the second time (DNS rebinding) gains nothing, since there is no second time. The whole exchange,
from the name's resolution to the body's last byte, shares one deadline: a server that sends a byte a second cannot hold us.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as ResolutionTimeout
from typing import Any

import httpcore

from bot.adapters.reachable import refusal
from bot.domain.errors import Refused, TransientError

Resolve = Callable[[str, int], Sequence[str]]
"""Host and port to IP addresses, the preferred first."""
RESOLVERS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="resolve")


def system_resolve(host: str, port: int) -> list[str]:
    """What the system's resolver says. OSError where it says nothing."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Deadline:
    """Seconds that are left of an exchange, on the machine's own monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def within(self, wanted: float | None) -> float:
        """The smaller of what is wanted and what is left. httpcore's `ReadTimeout` when nothing is."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout(f"no whole answer within {self.seconds:g} seconds")
        return left if wanted is None else min(left, wanted)


class GuardedStream(httpcore.NetworkStream):
    """A connection whose every wait is cut at the exchange's deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.within(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.within(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.within(timeout))
        return GuardedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class GuardedDialer(httpcore.NetworkBackend):
    """Connects to allowed addresses only. `Refused` says which address it was and who can allow it."""

    def __init__(self, resolve: Resolve, deadline: Deadline, *, private: bool, connect_seconds: float) -> None:
        self._resolve = resolve
        self._deadline = deadline
        self._private = private
        self._connect_seconds = connect_seconds
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        last: Exception | None = None
        for address in self._checked(host, port):
            try:
                wait = self._deadline.within(self._connect_seconds)
                return GuardedStream(self._plain.connect_tcp(address, port, wait, local_address, None), self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last or httpcore.ConnectError(f"{host} has no address")

    def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None) -> Any:
        raise Refused(f"{path} is not dialled: it is no network address.")

    def _checked(self, host: str, port: int) -> Sequence[str]:
        """All addresses of the name; none of them when one is forbidden, since a name that has such an address is not trusted."""
        try:
            found = RESOLVERS.submit(self._resolve, host, port).result(timeout=self._deadline.within(self._connect_seconds))
        except ResolutionTimeout:
            raise TransientError(f"the name {host} was not resolved in time") from None
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no name"
            raise TransientError(f"the name {host} cannot be resolved ({reason})") from error
        for address in found:
            why = refusal(address, private=self._private)
            if why:
                private = why.endswith("private address")
                fix = "set sources.allow_private in the configuration to dial it" if private else "name another address"
                raise Refused(f"{host} is not dialled: {why}; {fix}.", fix=fix, code="ForbiddenAddress")
        return found
