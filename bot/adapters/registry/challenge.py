"""What a registry asks us to show (`WWW-Authenticate`), and to whom a credential may be shown.

Decides that a token is fetched over https from the registry's own host or from one that is known, or configured, to speak for it:
a credential goes nowhere else, whatever the registry says. https://distribution.github.io/distribution/spec/auth/token/
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import httpx

from bot.adapters.safe_http import parse
from bot.domain.errors import UserError

_SCHEME = re.compile(r"(?:^|,)\s*(bearer|basic)\s+(?=[a-z_]+\s*=)", re.IGNORECASE)
_PART = re.compile(r'([a-z_]+)\s*=\s*(?:"([^"]*)"|([^",\s]+))', re.IGNORECASE)
SPEAKS_FOR: Mapping[str, frozenset[str]] = {
    "registry-1.docker.io": frozenset({"auth.docker.io"}),
    "registry.gitlab.com": frozenset({"gitlab.com"}),
    "nvcr.io": frozenset({"authn.nvidia.com"}),
    "registry.redhat.io": frozenset({"sso.redhat.com"}),
}
"""Registries whose tokens come from another host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """`scheme` is bearer or basic. `realm` is where a bearer token is fetched; `service` is handed back there."""

    scheme: str
    realm: str = ""
    service: str = ""


def read_challenge(header: str) -> Challenge | None:
    """The challenge that we can meet, bearer before basic; None where there is none."""
    found = {}
    _, *parts_of_it = _SCHEME.split(header[:4_000])
    for scheme, rest in zip(parts_of_it[::2], parts_of_it[1::2], strict=True):
        parts = {name.lower(): quoted or bare for name, quoted, bare in _PART.findall(rest)}
        found[scheme.lower()] = Challenge(scheme=scheme.lower(), realm=parts.get("realm", ""), service=parts.get("service", ""))
    return found.get("bearer") or found.get("basic")


def trusted_realm(realm: str, base: httpx.URL, also: Collection[str]) -> httpx.URL:
    """The token server's address. `UserError` where it is not one that may see this registry's credential."""
    try:
        found = parse(realm)
    except UserError:
        found = None
    same_host = found is not None and (found.host, found.port) == (base.host, base.port)
    plain = found is not None and same_host and base.scheme == "http"
    if found is None or not (found.scheme == "https" or plain):
        raise UserError(
            f"{base.host} asks us to fetch a token from an address that is not https.", fix="correct the registry", code="BadRealm"
        )
    if found.host == base.host or found.host in SPEAKS_FOR.get(base.host, frozenset()) or found.host in also:
        return found
    raise UserError(
        f"{base.host} asks us to fetch a token from {found.host}, which is not known to speak for it.",
        fix=f"if that is right, add {found.host} to the registry's `auth_hosts` in sources.registries",
        code="BadRealm",
    )
