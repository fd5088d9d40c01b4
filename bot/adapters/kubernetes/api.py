"""One request to a cluster's API, with explicit time limits and no hidden retry, through the official client's connections.

Decides how an answer is read: by status first, then by content, for 404, 429 and 503 come as plain text and a 504 as
JSON without a kind. What an answer means is left to the callers.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from typing import Any
from urllib.parse import urlencode

from kubernetes.client import ApiClient, Configuration
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from bot.adapters.redact import redact
from bot.domain.errors import TransientError

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
LONGEST_LINE = 64 * 1024 * 1024
LONGEST_WAIT = 60.0
LONGEST_MESSAGE = 1000


class Unreachable(TransientError):
    """No answer came, or it was cut off; the sentence says which address and why."""


class Rejected(TransientError):
    """The API answered with something else than success; `status` is HTTP's, or that of an error inside a watch."""

    def __init__(self, status: int, what: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(what, retry_after=retry_after)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to send. `label` is what it is counted under, `read` how many seconds of silence end it, `whole`: read it at once."""

    method: str
    path: str
    label: str
    query: Mapping[str, str] = field(default_factory=dict)
    read: float = READ_SECONDS
    whole: bool = True
    body: bytes | None = None


@dataclass(slots=True)
class Stream:
    """An open watch. `close` may be called from another thread: the reader then ends."""

    response: BaseHTTPResponse

    def lines(self) -> Iterator[dict[str, Any]]:
        """The events as they come; ends when the server ends the stream. Unreachable when it is cut off."""
        rest = b""
        try:
            for chunk in self.response.stream(amt=65536, decode_content=True):
                *whole, rest = (rest + chunk).split(b"\n")
                if len(rest) > LONGEST_LINE:
                    raise Unreachable("the watch sent a line without an end")
                for line in whole:
                    if line.strip():
                        yield decoded(line)
        except (HTTPError, OSError, ValueError, AttributeError) as error:
            raise Unreachable(f"the watch was cut off: {plain(error)}") from None

    def close(self) -> None:
        """End it now."""
        try:
            self.response.shutdown()
        except (AttributeError, ValueError, OSError, RuntimeError):
            pass


@dataclass(slots=True)
class Api:
    """A cluster's API. `configuration` may be replaced when a token was rotated; `calls` counts requests by their first words."""

    configuration: Configuration
    calls: dict[str, int] = field(default_factory=dict)
    _client: ApiClient | None = None
    _lock: Lock = field(default_factory=Lock)

    def renew(self, configuration: Configuration) -> None:
        """From now on use these credentials."""
        with self._lock:
            self.configuration, self._client = configuration, None

    def get(self, path: str, query: Mapping[str, str] | None = None, *, label: str = "get") -> dict[str, Any]:
        """The JSON object at a path. Rejected or Unreachable otherwise."""
        return decoded(self.raw(path, query, label=label))

    def raw(self, path: str, query: Mapping[str, str] | None = None, *, label: str = "get") -> bytes:
        """What stands at a path, undecoded. Rejected or Unreachable otherwise."""
        return self.send(Request(method="GET", path=path, query=query or {}, label=label)).data

    def patch(self, path: str, body: Mapping[str, Any], *, label: str = "patch") -> None:
        """Merge-patch one object."""
        self.send(Request(method="PATCH", path=path, label=label, body=json.dumps(body).encode()))

    def watch(self, path: str, query: Mapping[str, str], *, read: float, label: str = "watch") -> Stream:
        """Open a watch; `read` is how many seconds of silence end it."""
        return Stream(self.send(Request(method="GET", path=path, query=query, label=label, read=read, whole=False)))

    def client(self) -> ApiClient:
        """The official client for the present credentials."""
        with self._lock:
            if self._client is None:
                self.configuration.connection_pool_maxsize = 64
                self._client = ApiClient(self.configuration)
            return self._client

    def send(self, request: Request) -> BaseHTTPResponse:
        """One request, sent once. Rejected for any answer but success, Unreachable where none came."""
        client = self.client()
        configuration = client.configuration
        with self._lock:
            self.calls[request.label] = self.calls.get(request.label, 0) + 1
        try:
            token = configuration.get_api_key_with_prefix("BearerToken")
            response: BaseHTTPResponse = client.rest_client.pool_manager.request(
                request.method,
                f"{configuration.host}{request.path}" + (f"?{urlencode(request.query)}" if request.query else ""),
                headers=headers(token, request),
                body=request.body,
                timeout=Timeout(connect=CONNECT_SECONDS, read=request.read),
                retries=False,
                redirect=False,
                preload_content=request.whole,
            )
            if response.status < 300:
                return response
            said = response.data if request.whole else response.read(100_000)
        except (HTTPError, OSError, ValueError) as error:
            raise Unreachable(f"{configuration.host} does not answer: {plain(error)}") from None
        response.release_conn()
        raise rejected(response.status, response.headers, said)


def headers(token: str | None, request: Request) -> dict[str, str]:
    """The request's headers."""
    found = {"Accept": "application/json", "User-Agent": "promotion-bot"}
    if token:
        found["Authorization"] = token
    if request.body is not None:
        found["Content-Type"] = "application/merge-patch+json" if request.method == "PATCH" else "application/json"
    return found


def rejected(status: int, answered: Mapping[str, str], body: bytes) -> Rejected:
    """The answer as an error, with what the API says about it and how long it asks to wait."""
    told = body[:2000].decode("utf-8", "replace").strip()
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        read = None
    if isinstance(read, dict) and isinstance(read.get("message"), str):
        told = read["message"][:LONGEST_MESSAGE]
    return Rejected(
        status, redact(f"the API answered {status}: {told or 'without a word'}"), retry_after=pause(answered.get("Retry-After"))
    )


def pause(written: str | None) -> timedelta | None:
    """Retry-After in seconds, bounded; None where it is absent or a date."""
    try:
        seconds = float(written or "")
    except ValueError:
        return None
    return timedelta(seconds=min(max(seconds, 0.0), LONGEST_WAIT)) if math.isfinite(seconds) else None


def decoded(raw: bytes) -> dict[str, Any]:
    """A JSON object; Unreachable when something else answered (a proxy's page)."""
    try:
        read = json.loads(raw)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise Unreachable("what answered is no Kubernetes API: its answer is no JSON object")
    return read


def plain(error: BaseException) -> str:
    """An error's words without secrets, on one line."""
    return redact(" ".join(str(error).split())[:300] or type(error).__name__)
