"""The one way out for every address that a configuration, a manifest or another server names: a plain exchange within limits.

Decides what may be dialled (by `dialing`), that redirects are not followed, how long an exchange and how large a body may be after
decompression, and what an unusable answer is called. What an answer means is left to whoever asked.
"""

import base64
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpcore
import httpx

from bot.adapters.dialing import Deadline, GuardedDialer, Resolve, system_resolve
from bot.domain.errors import TransientError, UserError

LONGEST_URL = 8_000
AGENT = "promotion-bot"
MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds for the whole exchange and for connecting; bytes of the body after decompression."""

    seconds: float = 10.0
    connect: float = 3.0
    largest: int = MEGABYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: header names are in small letters, the body is decompressed."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 is shown as such."""
        return self.body.decode("utf-8", "replace")


class SafeHttp:
    """Makes exchanges; safe for several threads. `resolve` turns names into addresses."""

    def __init__(self, *, resolve: Resolve = system_resolve) -> None:
        self._resolve = resolve
        self._tls: ssl.SSLContext = httpx.create_ssl_context()

    def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        private: bool = False,
        limits: Limits = Limits(),
    ) -> Reply:
        """One request, one answer, whatever its status. `UserError` for an address that is not dialled, `TransientError` without an answer.

        `private` says whether private addresses may be dialled. Proxies of the environment are not used: they would dial for us.
        """
        target = parse(url)
        deadline = Deadline(limits.seconds)
        dialer = GuardedDialer(self._resolve, deadline, private=private, connect_seconds=limits.connect)
        request = httpcore.Request(
            method,
            httpcore.URL(scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path),
            headers=_headers(method, target, headers or {}, body),
            content=body or None,
            extensions={"timeout": {"read": limits.seconds, "write": limits.seconds, "connect": limits.connect, "pool": limits.connect}},
        )
        try:
            with httpcore.ConnectionPool(ssl_context=self._tls, network_backend=dialer, max_connections=1) as pool:
                answer = pool.handle_request(request)
                try:
                    return _read(answer, limits.largest)
                finally:
                    answer.close()
        except httpcore.TimeoutException:
            raise TransientError(f"{target.host} gave no whole answer within {limits.seconds:g} seconds") from None
        except zlib.error:
            raise TransientError(f"{target.host} sent a body that cannot be unpacked") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, ssl.SSLError, OSError) as error:
            raise TransientError(f"{target.host} cannot be asked ({_reason(error)})") from error


def parse(url: str) -> httpx.URL:
    """The address, or `UserError` when it is not a plain http(s) one: no user, no password, no control characters."""
    try:
        found = httpx.URL(url) if len(url) <= LONGEST_URL and url.isprintable() and " " not in url else None
    except httpx.InvalidURL:
        found = None
    if found is None or found.scheme not in ("http", "https") or not found.host:
        raise UserError("This is not an address that can be asked.", fix="write it whole, with https:// in front", code="BadAddress")
    if found.userinfo:
        raise UserError("An address must not carry a user name or a password.", fix="name a credential instead", code="BadAddress")
    return found


def authorization(secret: str) -> dict[str, str]:
    """The header for a secret: Basic for `user:password`, else Bearer (whose tokens hold no colon, RFC 6750)."""
    if ":" in secret:
        return {"authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
    return {"authorization": f"Bearer {secret}"}


def _headers(method: str, target: httpx.URL, given: Mapping[str, str], body: bytes) -> list[tuple[bytes, bytes]]:
    own = {"user-agent": AGENT, "accept": "*/*", "accept-encoding": "identity", "connection": "close"}
    if body or method == "POST":
        own["content-length"] = str(len(body))
    wanted = own | {name.lower(): value for name, value in given.items()}
    try:
        return [(b"host", target.netloc), *((name.encode("ascii"), value.encode("ascii")) for name, value in wanted.items())]
    except UnicodeEncodeError:
        raise UserError("A header holds characters that cannot be sent.", fix="correct the credential", code="BadAddress") from None


def _read(answer: httpcore.Response, largest: int) -> Reply:
    headers: dict[str, str] = {}
    for name, value in answer.headers:
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    unpack = _unpacker(headers.get("content-encoding", "").strip().lower())
    body = bytearray()
    for part in answer.iter_stream():
        body += unpack.decompress(part, largest + 1 - len(body)) if unpack is not None else part
        if len(body) > largest or (unpack is not None and unpack.unconsumed_tail):
            raise TransientError(f"the answer is larger than {largest} bytes")
    return Reply(status=answer.status, headers=headers, body=bytes(body))


def _unpacker(encoding: str) -> Any:
    """zlib's decompressor, which stops at a limit: a small body that unpacks to a huge one is cut. None for a plain body."""
    match encoding:
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        case "deflate":
            return zlib.decompressobj()
        case _:
            raise TransientError("the answer is compressed in a way that was not asked for")


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())[:160]
    return text or type(error).__name__
