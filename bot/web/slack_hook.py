"""POST /slack/events: commands, buttons and events from Slack, verified over the raw bytes, then handed to slack-bolt.

Decides whether a request is Slack's: a number for a timestamp, not older or newer than five minutes, the signature of the signing secret.
401 for anything else. https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from time import monotonic

import structlog
from fastapi import APIRouter
from slack_bolt import App, BoltRequest
from slack_bolt.adapter.starlette.handler import to_starlette_response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.web import metrics
from bot.web.body import Rejected, read_body

log = structlog.get_logger("slack")

PATH = "/slack/events"
OLDEST_SECONDS = 300
LARGEST = 1024 * 1024


def router(app: App, secret: bytes, *, clock: Callable[[], datetime]) -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.post(PATH, tags=["webhooks"])
    async def slack_request(request: Request) -> Response:
        """Takes a command, a click or an event of Slack; the answer to it comes later."""
        try:
            body = await read_body(request, largest=LARGEST)
            began = monotonic()
            verify(secret, {key.lower(): value for key, value in request.headers.items()}, body, now=clock())
            text = _text(body)
        except Rejected as rejected:
            metrics.REJECTED.labels(reason=f"slack {rejected.reason}").inc()
            log.info("slack.rejected", reason=rejected.reason, status=rejected.status)
            return JSONResponse({"error": rejected.what, "reason": rejected.reason}, status_code=rejected.status)
        asked = BoltRequest(body=text, headers=dict(request.headers.items()))
        answer = await run_in_threadpool(app.dispatch, asked)
        metrics.ANSWER_SECONDS.observe(monotonic() - began)
        return to_starlette_response(answer)

    return routes


def verify(secret: bytes, headers: Mapping[str, str], body: bytes, *, now: datetime) -> None:
    """Nothing when the request is Slack's. Raises `Rejected` 401 with a stable reason: timestamp, stale or signature."""
    at = headers.get("x-slack-request-timestamp", "")
    if not at.isascii() or not at.isdecimal() or len(at) > 12:
        raise Rejected(401, "timestamp", "X-Slack-Request-Timestamp must be a number of seconds")
    if abs(now.timestamp() - int(at)) > OLDEST_SECONDS:
        raise Rejected(401, "stale", f"the request is more than {OLDEST_SECONDS} seconds old or ahead")
    expected = "v0=" + hmac.new(secret, b"v0:" + at.encode() + b":" + body, hashlib.sha256).hexdigest()
    given = headers.get("x-slack-signature", "")
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise Rejected(401, "signature", "bad signature")


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Rejected(400, "encoding", "the body is not UTF-8") from None
