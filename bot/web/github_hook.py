"""POST /webhooks/github: verifies, stores and answers; handles nothing.

401 unsigned or forged, 413 too large, 415 compressed or no JSON, 408 too slow, 400 broken, 503 without a database, else 202.
https://docs.github.com/webhooks/using-webhooks/best-practices-for-using-webhooks
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic

import structlog
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from bot.domain.errors import TransientError, UserError
from bot.tracing import span
from bot.web import metrics
from bot.web.body import Rejected, read_body
from bot.web.hints import LISTENED_TO, Hints, hints_of
from bot.web.intake import Intake
from bot.web.signature import signed_by
from bot.web.strict_json import BadJson, parse_object

log = structlog.get_logger("webhook")

SOURCE = "github"
PATH = "/webhooks/github"
ISSUES = "issues"
SMALL = 64 * 1024
"""What is no larger is read where it arrives, which costs less than a change of threads."""
NOT_STORED = "the event could not be stored now; it is fetched again later"
_DELIVERY = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")
_EVENT = re.compile(r"[a-z_]{1,60}\Z")
Listener = Callable[[str, Mapping[str, object]], None]


def check_secrets(secrets: Sequence[str], *, allow_none: bool = False) -> tuple[bytes, ...]:
    """The secrets as bytes. `UserError` when there is none or one is empty: anybody could send events then."""
    found = tuple(secret.encode() for secret in secrets)
    if not allow_none and (not found or any(len(secret) < 1 for secret in found)):
        raise UserError(
            "no webhook secret is set",
            fix="set it in the webhook's settings on GitHub and in the bot's environment; it may be a list during a change",
        )
    return found


def router(intake: Intake, secrets: Sequence[bytes], *, unsigned: bool = False, listen: Listener | None = None) -> APIRouter:
    """The route. `unsigned` (loopback experiments only) takes events without a signature when there is no secret at all.

    `listen` is told every event of `issues` with its payload once it is known to be GitHub's.
    """
    routes = APIRouter()

    @routes.post(PATH, status_code=202, tags=["webhooks"])
    async def github_webhook(request: Request) -> JSONResponse:
        """Takes one GitHub event; answers 202 once it is stored."""
        try:
            body = await read_body(request)
            began = monotonic()
            read = partial(_read, secrets, unsigned and not secrets, dict(request.headers.raw), body)
            told = read() if len(body) <= SMALL else await run_in_threadpool(read)
            if listen is not None and told.issue is not None:
                await run_in_threadpool(_listen, listen, told.issue)
            outcome = await _store(intake, told, body)
        except Rejected as rejected:
            metrics.REJECTED.labels(reason=rejected.reason).inc()
            log.info("webhook.rejected", reason=rejected.reason, status=rejected.status)
            headers = {"connection": "close"} if rejected.status in (408, 413) else None
            return JSONResponse({"error": rejected.what}, status_code=rejected.status, headers=headers)
        metrics.ANSWER_SECONDS.observe(monotonic() - began)
        return JSONResponse({"status": outcome}, status_code=202)

    return routes


@dataclass(frozen=True, slots=True)
class _Told:
    """An event that is known to be GitHub's: what it says about stages, and the whole of it where it is about an issue."""

    event: str
    delivery: str
    hints: Hints
    issue: Mapping[str, object] | None


def _read(secrets: Sequence[bytes], unsigned: bool, headers: Mapping[bytes, bytes], body: bytes) -> _Told:
    if not unsigned:
        place = signed_by(body, headers.get(b"x-hub-signature-256"), secrets)
        if place is None:
            raise Rejected(401, "signature", "bad signature")
        metrics.SECRETS.labels(place=str(place)).inc()
    event, delivery = (headers.get(name, b"").decode("latin-1") for name in (b"x-github-event", b"x-github-delivery"))
    if not _EVENT.match(event) or not _DELIVERY.match(delivery):
        raise Rejected(400, "headers", "X-GitHub-Event and X-GitHub-Delivery must name the event and the delivery")
    kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if kind != b"application/json":
        raise Rejected(415, "content type", "set the webhook's content type to application/json")
    try:
        payload = parse_object(body)
    except BadJson as error:
        raise Rejected(400, "bad json", f"bad json: {error}") from None
    return _Told(event, delivery, hints_of(event, payload), payload if event == ISSUES else None)


def _listen(listen: Listener, issue: Mapping[str, object]) -> None:
    try:
        listen(ISSUES, issue)
    except (TransientError, UserError) as error:
        log.warning("webhook.not_stored", github_event=ISSUES, reason=str(error))
        raise Rejected(503, "database", NOT_STORED) from None


async def _store(intake: Intake, told: _Told, body: bytes) -> str:
    bound = log.bind(delivery=told.delivery, github_event=told.event)
    try:
        with span("webhook", delivery=told.delivery, event=told.event):
            outcome = await intake.accept(SOURCE, told.delivery, told.hints, body)
    except (TransientError, UserError) as error:
        bound.warning("webhook.not_stored", reason=str(error))
        raise Rejected(503, "database", NOT_STORED) from None
    metrics.DELIVERIES.labels(event=told.event if told.event in LISTENED_TO else "other", outcome=outcome).inc()
    bound.info("webhook.stored", outcome=outcome, action=told.hints.action, repository=told.hints.repository)
    return outcome
