"""One registry's door: requests with whatever it wants to be shown, kept until it runs out.

Decides how a challenge is met (anonymous token, token for a credential, Basic, ECR's own way) and what the registry's refusals mean.
What is asked is left to `client`.
"""

import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

import httpx

from bot.adapters.json_reply import json_object, pause_of
from bot.adapters.registry import ecr
from bot.adapters.registry.challenge import Challenge, read_challenge, trusted_realm
from bot.adapters.safe_http import Limits, Reply, SafeHttp
from bot.domain.errors import RateLimited, TransientError, UserError

SHORTEST = 60
"""A token without a stated life is good for so many seconds (the specification's default)."""
TWELVE_HOURS = 12 * 3600
HOPS = 3
MOST_TOKENS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A registry as the operator configured it. `base` is its address, `name` what images call it; `secret` is handed out when needed.

    `private`: may it, and what it redirects to, be dialled at private addresses?
    """

    name: str
    base: httpx.URL
    secret: Callable[[], str]
    auth_hosts: frozenset[str] = frozenset()
    private: bool = False


class Access:
    """Makes requests at one registry. Safe for several threads."""

    def __init__(self, http: SafeHttp, door: Door, clock: Callable[[], datetime]) -> None:
        self.door = door
        self._http = http
        self._clock = clock
        self._tokens: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def get(self, path: str, *, repository: str, largest: int, method: str = "GET", headers: Mapping[str, str] | None = None) -> Reply:
        """An answer of 200, 304 or 404; redirects are followed without showing anything. Everything else raises."""
        url = str(self.door.base.join(path))
        scope = f"repository:{repository}:pull"
        reply = self._once(method, url, headers or {}, self._held(scope), largest)
        if reply.status == 401:
            shown = self._meet(read_challenge(reply.headers.get("www-authenticate", "")), scope)
            reply = self._once(method, url, headers or {}, shown, largest)
        for _ in range(HOPS):
            if reply.status not in (301, 302, 303, 307, 308):
                break
            url = self._onward(url, reply.headers.get("location", ""))
            reply = self._once(method, url, headers or {}, "", largest)
        return self._judged(reply)

    def _once(self, method: str, url: str, headers: Mapping[str, str], shown: str, largest: int) -> Reply:
        sent = {**headers, "authorization": shown} if shown else dict(headers)
        return self._http.exchange(method, url, headers=sent, private=self.door.private, limits=Limits(largest=largest))

    def _onward(self, url: str, location: str) -> str:
        target = httpx.URL(url).join(location) if location and location.isprintable() and " " not in location else None
        if target is None or (target.scheme != "https" and self.door.base.scheme == "https"):
            raise TransientError(f"{self.door.name} redirects to an address that is not https")
        return str(target)

    def _judged(self, reply: Reply) -> Reply:
        name = self.door.name
        match reply.status:
            case 200 | 304 | 404:
                return reply
            case 401 | 403:
                fix = f"check the credential of sources.registries.{name}, and that it may pull"
                raise UserError(f"{name} refuses us ({reply.status}).", fix=fix, code="Refused")
            case 429:
                raise RateLimited(f"{name} asks us to wait (429)", retry_after=pause_of(reply))
            case _:
                raise TransientError(f"{name} answered {reply.status}")

    def _held(self, scope: str) -> str:
        with self._lock:
            value, until = self._tokens.get(scope, ("", 0.0))
        return value if time.monotonic() < until else ""

    def _meet(self, challenge: Challenge | None, scope: str) -> str:
        name = self.door.name
        if challenge is None:
            raise TransientError(f"{name} answered 401 without saying what it wants to be shown")
        secret = self.door.secret()
        if challenge.scheme == "bearer":
            value, seconds = self._token(challenge, scope, secret)
            return self._keep(scope, f"Bearer {value}", seconds)
        if not secret:
            raise UserError(f"{name} wants a credential.", fix=f"name one in sources.registries.{name}", code="NoCredential")
        if ecr.HOST.match(self.door.base.host):
            return self._keep(scope, f"Basic {ecr.password(self._http, self.door.base.host, secret, self._clock())}", TWELVE_HOURS)
        return self._keep(scope, basic(secret), SHORTEST)

    def _keep(self, scope: str, shown: str, seconds: float) -> str:
        with self._lock:
            if len(self._tokens) >= MOST_TOKENS:
                self._tokens.clear()
            self._tokens[scope] = (shown, time.monotonic() + 0.9 * seconds)
        return shown

    def _token(self, challenge: Challenge, scope: str, secret: str) -> tuple[str, float]:
        realm = trusted_realm(challenge.realm, self.door.base, self.door.auth_hosts)
        query = {"scope": scope} | ({"service": challenge.service} if challenge.service else {})
        url = f"{str(realm).partition('?')[0]}?{urlencode(query)}"
        sent = {"authorization": basic(secret)} if secret else {}
        reply = self._http.exchange("GET", url, headers=sent, private=self.door.private)
        if reply.status in (400, 401, 403):
            with_what = "the credential" if secret else "nobody without a credential"
            fix = (
                f"check the credential of sources.registries.{self.door.name}"
                if secret
                else f"name one in sources.registries.{self.door.name}"
            )
            raise UserError(f"{realm.host} gives {with_what} no token ({reply.status}).", fix=fix, code="Refused")
        found = json_object(reply, realm.host)
        value = found.get("token") or found.get("access_token")
        if not isinstance(value, str) or not value.isprintable() or " " in value:
            raise TransientError(f"{realm.host} answered without a token")
        seconds = found.get("expires_in")
        return value, float(seconds) if isinstance(seconds, int) and SHORTEST <= seconds <= TWELVE_HOURS else SHORTEST


def basic(secret: str) -> str:
    """`user:password`, or a bare token under a name of no meaning, as registries take it."""
    pair = secret if ":" in secret else f"token:{secret}"
    return f"Basic {b64encode(pair.encode()).decode()}"
