"""Is an identity token what it says: made by this issuer, for us, not run out? OpenID Connect, for the CIs that tell of new versions.

Decides by the issuer's published keys, fetched through the guarded dialer from the issuer's own host and kept for an hour. What the
token's bearer may do is left to whoever asks.
https://docs.github.com/actions/concepts/security/openid-connect, https://docs.gitlab.com/ci/secrets/id_token_authentication/
"""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from bot.adapters.json_reply import json_object
from bot.adapters.safe_http import SafeHttp, parse
from bot.domain.errors import TransientError, UserError

ALGORITHMS = ("RS256", "ES256")
LEEWAY_SECONDS = 30
KEEP_SECONDS = 3_600.0
APART_SECONDS = 60.0
"""A key that is not known makes us fetch the issuer's keys again, but not more often than this."""
REST_SECONDS = 10.0
LONGEST = 8_000
NEEDED = ("exp", "iat", "iss", "aud", "sub")


@dataclass(slots=True)
class _Keys:
    keys: Mapping[str, jwt.PyJWK]
    fetched: float


class IdentityTokens:
    """Verifies tokens. Safe for several threads."""

    def __init__(self, http: SafeHttp, *, private: bool) -> None:
        """`private`: may an issuer (a GitLab of your own) stand at a private address?"""
        self._http = http
        self._private = private
        self._keys: dict[str, _Keys] = {}
        self._failed: dict[str, float] = {}
        self._lock = threading.Lock()

    def claims(self, token: str, *, issuer: str, audience: str) -> Mapping[str, Any]:
        """What the token says. `UserError` when it is not to be believed, `TransientError` when the issuer cannot be asked."""
        try:
            header = jwt.get_unverified_header(token)
            key = self._key(issuer, str(header.get("kid", "")))
            if header.get("alg") not in ALGORITHMS:
                raise _wrong("its algorithm is not taken")
            found: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=audience,
                issuer=[issuer, f"{issuer}/"],
                leeway=LEEWAY_SECONDS,
                options={"require": list(NEEDED)},
            )
        except jwt.PyJWTError as error:
            raise _wrong(" ".join(str(error).split())[:100]) from None
        return found

    def _key(self, issuer: str, kid: str) -> jwt.PyJWK:
        now = time.monotonic()
        with self._lock:
            known = self._keys.get(issuer)
        stale = known is None or now - known.fetched > KEEP_SECONDS
        if stale or (known is not None and kid not in known.keys and now - known.fetched > APART_SECONDS):
            known = self._asked(issuer, now)
        if known is None or kid not in known.keys:
            raise _wrong("its key is not one of the issuer's")
        return known.keys[kid]

    def _asked(self, issuer: str, now: float) -> _Keys:
        """The issuer's keys, asked for now. An issuer that did not answer is left alone for a moment, whoever shows its tokens."""
        with self._lock:
            if now - self._failed.get(issuer, -REST_SECONDS) < REST_SECONDS:
                raise TransientError(f"{issuer} did not answer a moment ago")
        try:
            found = _Keys(keys=self._fetch(issuer), fetched=now)
        except (TransientError, UserError):
            with self._lock:
                self._failed[issuer] = time.monotonic()
            raise
        with self._lock:
            self._keys[issuer] = found
        return found

    def _fetch(self, issuer: str) -> Mapping[str, jwt.PyJWK]:
        described = json_object(self._get(f"{issuer}/.well-known/openid-configuration"), issuer)
        address = str(described.get("jwks_uri", ""))
        place, home = parse(address), parse(issuer)
        if (place.scheme, place.host, place.port) != (home.scheme, home.host, home.port):
            raise TransientError(f"{issuer} keeps its keys on another host")
        listed = json_object(self._get(address), issuer).get("keys")
        found: dict[str, jwt.PyJWK] = {}
        for entry in listed if isinstance(listed, list) else []:
            try:
                key = jwt.PyJWK.from_dict(entry)
            except (jwt.PyJWTError, ValueError, TypeError, AttributeError, KeyError):
                continue
            if key.key_id:
                found[key.key_id] = key
        return found

    def _get(self, address: str) -> Any:
        return self._http.exchange("GET", address, headers={"accept": "application/json"}, private=self._private)


def unverified_issuer(token: str) -> str:
    """Who the token says made it, to choose by whom it is verified; nothing else of it is believed yet. `UserError` for no token."""
    if len(token) > LONGEST:
        raise _wrong("it is too long")
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except (jwt.PyJWTError, json.JSONDecodeError):
        raise _wrong("it is no JSON Web Token") from None
    return issuer.rstrip("/") if isinstance(issuer, str) else ""


def _wrong(why: str) -> UserError:
    return UserError(f"The identity token is not taken: {why.rstrip('.')}.", fix="ask for a new one with our audience", code="BadToken")
