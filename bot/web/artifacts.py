"""POST /api/v1/artifacts: a CI tells of a version that it built. POST /webhooks/registry/<secret>: a registry says that it got something.

The first is believed after its token was verified, and becomes a fact: the newest offer of its image. The second is a hint: the
registry is asked now instead of a little later, and nothing that it says is believed or called.
"""

import hmac
import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from bot.adapters.credentials import Credentials
from bot.adapters.oidc import IdentityTokens, unverified_issuer
from bot.collectors.artifacts import Arrivals, RegistryWatch, first_stages, keep
from bot.collectors.publishers import Bearer, by_claims, by_token, check_image
from bot.config.schema import Config
from bot.domain.arrival import Arrival
from bot.domain.errors import TransientError, Unauthorised, UserError
from bot.domain.image import Version, normal_name, valid_digest, valid_tag
from bot.web import metrics
from bot.web.body import Rejected, read_body
from bot.web.strict_json import BadJson, parse_object

log = structlog.get_logger("artifacts")

PATH = "/api/v1/artifacts"
HOOK = "/webhooks/registry/{secret}"
LARGEST = 64 << 10
LARGEST_HINT = 1 << 20
FIELDS = frozenset({"image", "tag", "digest", "commit", "url"})
LONGEST_TEXT = 500
MOST_TEXTS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Everything that the two routes need. `hook_secret` empty: there is no second route."""

    config: Config
    credentials: Credentials
    tokens: IdentityTokens
    arrivals: Arrivals
    watch: RegistryWatch
    wake: Callable[[str, str], None]
    clock: Callable[[], datetime]
    hook_secret: str = ""


def router(door: Door) -> APIRouter:
    """The routes."""
    routes = APIRouter()

    @routes.post(PATH, status_code=202, tags=["artifacts"])
    async def tell(request: Request) -> JSONResponse:
        """Takes `{"image", "tag", "digest", "commit", "url"}`; 202 when it is new, 200 when it was known."""
        try:
            body = await read_body(request, largest=LARGEST)
            return await run_in_threadpool(_told, door, request.headers.get("authorization", ""), body)
        except Rejected as rejected:
            metrics.REJECTED.labels(reason=rejected.reason).inc()
            log.info("artifacts.rejected", reason=rejected.reason, status=rejected.status)
            return JSONResponse({"error": rejected.what}, status_code=rejected.status)

    @routes.post(HOOK, status_code=202, tags=["artifacts"])
    async def hint(request: Request, secret: str) -> JSONResponse:
        """Takes any registry's notice of a push, as a hint."""
        try:
            if not door.hook_secret or not hmac.compare_digest(door.hook_secret.encode(), secret.encode()):
                raise Rejected(404, "unknown", "there is nothing here")
            body = await read_body(request, largest=LARGEST_HINT)
        except Rejected as rejected:
            metrics.REJECTED.labels(reason=rejected.reason).inc()
            return JSONResponse({"error": rejected.what}, status_code=rejected.status)
        try:
            found = door.watch.hint(_texts(json.loads(body)), now=door.clock())
        except (ValueError, RecursionError):
            return JSONResponse({"error": "this is not JSON"}, status_code=400)
        return JSONResponse({"status": "accepted", "watches": found}, status_code=202)

    return routes


def _told(door: Door, authorization: str, body: bytes) -> JSONResponse:
    try:
        bearer = _bearer(door, authorization)
        arrival = _arrival(door, bearer, body)
    except Unauthorised as error:
        raise Rejected(403, "forbidden", f"{error.what} {error.fix}".strip()) from None
    except UserError as error:
        raise Rejected(401, "token", error.what) from None
    except TransientError as error:
        raise Rejected(503, "unavailable", error.what) from None
    try:
        fresh = keep(door.arrivals, arrival, first_stages(door.config), door.wake)
    except (TransientError, UserError) as error:
        raise Rejected(503, "database", error.what) from None
    answer = {"status": "accepted" if fresh else "known", "image": arrival.artifact, "version": arrival.version.text}
    return JSONResponse(answer, status_code=202 if fresh else 200)


def _bearer(door: Door, authorization: str) -> Bearer:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Rejected(401, "token", "show an identity token of your CI, or a token, as a bearer token")
    publishers = door.config.artifacts.publishers
    fixed = by_token(token.strip(), publishers, door.credentials.known)
    if fixed is not None:
        return fixed
    issuer = unverified_issuer(token.strip())
    own = [publisher for publisher in publishers if publisher.kind != "token" and publisher.issuer_url == issuer]
    if not own:
        raise Rejected(401, "token", "the token's issuer is not one of artifacts.publishers")
    refused: UserError | None = None
    for audience in dict.fromkeys(publisher.audience for publisher in own):
        try:
            claims = door.tokens.claims(token.strip(), issuer=issuer, audience=audience)
        except UserError as error:
            refused = error
            continue
        return by_claims(claims, [publisher for publisher in own if publisher.audience == audience])
    raise refused or UserError("The identity token is not taken.")


def _arrival(door: Door, bearer: Bearer, body: bytes) -> Arrival:
    try:
        told = parse_object(body)
    except BadJson as error:
        raise Rejected(400, "bad json", f"bad json: {error}") from None
    unknown = sorted(set(told) - FIELDS)
    if unknown:
        raise Rejected(422, "field", f"there is no field {unknown[0][:100]!r}; there are {', '.join(sorted(FIELDS))}")
    texts = {name: _text(told, name) for name in FIELDS}
    name = normal_name(texts["image"])
    if name is None or "@" in texts["image"] or ":" in texts["image"].rpartition("/")[2]:
        raise Rejected(422, "image", "`image` must be the name of an image, without tag and digest")
    if not valid_tag(texts["tag"]):
        raise Rejected(422, "tag", "`tag` must be a tag")
    if texts["digest"] and not valid_digest(texts["digest"]):
        raise Rejected(422, "digest", "`digest` must be a whole digest, sha256:…")
    check_image(bearer, name)
    version = Version(tag=texts["tag"], digest=texts["digest"] or None)
    kind, commit = bearer.publisher.kind, texts["commit"]
    return Arrival(artifact=name, version=version, at=door.clock(), source=kind, by=bearer.name, commit=commit, url=texts["url"])


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name, "")
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        raise Rejected(422, name, f"`{name}` must be a text of at most {LONGEST_TEXT} characters")
    return value


def _texts(payload: object) -> list[str]:
    """Every text in a notice: registries name the repository in many ways, and a hint too many costs one request."""
    found: list[str] = []
    for text in _walk(payload, 0):
        found.append(text)
        if len(found) >= MOST_TEXTS:
            break
    return found


def _walk(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        yield value.removeprefix("https://").partition("@")[0].rpartition(":")[0]
    elif isinstance(value, dict) and depth < 20:
        for key, part in value.items():
            yield from _walk(_unpacked(part) if key == "data" else part, depth + 1)
    elif isinstance(value, list) and depth < 20:
        for part in value:
            yield from _walk(part, depth + 1)


def _unpacked(part: object) -> object:
    """Google's Pub/Sub packs the notice into `message.data`."""
    try:
        return json.loads(b64decode(part, validate=True)) if isinstance(part, str) else part
    except (ValueError, RecursionError):
        return part
