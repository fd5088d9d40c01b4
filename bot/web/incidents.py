"""POST /api/v1/incidents, /webhooks/alertmanager and /webhooks/pagerduty: somebody tells of an incident, or of its end.

Decides who may: the first two show the configured bearer token, PagerDuty signs the raw bytes. What is told becomes a row of the
history, by its source's id, so that telling it twice changes nothing; the stage is looked at again, since its gates may judge by it.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from bot.adapters.credentials import Credentials
from bot.collectors.incidents import BadIncident, from_alertmanager, from_api, from_issue, from_pagerduty
from bot.config.schema import Config
from bot.domain.errors import TransientError, UserError
from bot.domain.incident import Incident
from bot.web.body import Rejected, read_body
from bot.web.strict_json import BadJson, parse_object

log = structlog.get_logger("incidents")

API, ALERTMANAGER, PAGERDUTY = "/api/v1/incidents", "/webhooks/alertmanager", "/webhooks/pagerduty"
LARGEST = 1 << 20


class Kept(Protocol):
    """Who keeps incidents."""

    def save_incident(self, incident: Incident) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything that the routes need."""

    config: Config
    credentials: Credentials
    kept: Kept
    wake: Callable[[str, str], None]
    clock: Callable[[], datetime]

    def take(self, incidents: Sequence[Incident]) -> dict[str, str]:
        """Keep them; what became of each."""
        found = {}
        for incident in incidents:
            found[incident.id] = outcome = self.kept.save_incident(incident)
            log.info("incident.told", id=incident.id, outcome=outcome, stage=incident.stage, service=incident.service)
            if outcome != "known" and incident.stage:
                self.wake(incident.stage, "incident")
        return found

    def hear_issue(self, event: str, payload: Any) -> None:
        """An event of GitHub's webhook, whose signature was verified."""
        if event != "issues" or not self.config.incidents.label:
            return
        try:
            found = from_issue(payload, self.config, now=self.clock())
        except BadIncident as error:
            log.warning("incident.not_understood", source="issue", reason=str(error))
            return
        self.take([found] if found is not None else [])


def router(desk: Desk) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["incidents"])

    @routes.post(API)
    async def tell(request: Request) -> JSONResponse:
        """Takes one incident, or its end under the same `id`."""
        return await _answer(request, lambda body: _by_token(desk, request, body, _api))

    @routes.post(ALERTMANAGER)
    async def alertmanager(request: Request) -> JSONResponse:
        """Takes a notification of Alertmanager."""
        return await _answer(request, lambda body: _by_token(desk, request, body, _alerts))

    @routes.post(PAGERDUTY)
    async def pagerduty(request: Request) -> JSONResponse:
        """Takes an event of PagerDuty's V3 webhook."""
        return await _answer(request, lambda body: _signed(desk, request.headers.get("x-pagerduty-signature", ""), body))

    return routes


async def _answer(request: Request, take: Callable[[bytes], dict[str, str]]) -> JSONResponse:
    try:
        body = await read_body(request, largest=LARGEST)
        found = await run_in_threadpool(take, body)
    except Rejected as rejected:
        log.info("incident.rejected", reason=rejected.reason, status=rejected.status)
        headers = {"www-authenticate": "Bearer"} if rejected.status == 401 else None
        return JSONResponse({"error": rejected.what}, status_code=rejected.status, headers=headers)
    except BadJson as error:
        return JSONResponse({"error": f"the body is no JSON object: {error}"}, status_code=400)
    except BadIncident as error:
        return JSONResponse({"error": str(error)}, status_code=422)
    except (TransientError, UserError) as error:
        return JSONResponse({"error": error.what}, status_code=503)
    return JSONResponse({"incidents": found}, status_code=202 if any(state != "known" for state in found.values()) else 200)


def _by_token(desk: Desk, request: Request, body: bytes, read: Callable[[Desk, bytes], Sequence[Incident]]) -> dict[str, str]:
    name = desk.config.incidents.credential
    secret = desk.credentials.known(name) if name else ""
    if not secret:
        raise Rejected(404, "closed", "incidents are not taken here: incidents.credential is not configured")
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), secret.encode()):
        raise Rejected(401, "token", "show the token of incidents.credential as a bearer token")
    return desk.take(read(desk, body))


def _api(desk: Desk, body: bytes) -> Sequence[Incident]:
    return [from_api(parse_object(body), desk.config, now=desk.clock())]


def _alerts(desk: Desk, body: bytes) -> Sequence[Incident]:
    return from_alertmanager(parse_object(body), desk.config, now=desk.clock())


def _signed(desk: Desk, header: str, body: bytes) -> dict[str, str]:
    """Any of the signatures may fit: PagerDuty sends two while a secret is changed."""
    name = desk.config.incidents.pagerduty
    secret = desk.credentials.known(name) if name else ""
    if not secret:
        raise Rejected(404, "closed", "PagerDuty is not listened to: incidents.pagerduty is not configured")
    wanted = "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    given = [signature.strip().encode("latin-1", "replace") for signature in header.split(",")]
    if not any(hmac.compare_digest(signature, wanted.encode()) for signature in given):
        raise Rejected(401, "signature", "bad signature")
    found = from_pagerduty(parse_object(body), desk.config, now=desk.clock())
    return desk.take([found] if found is not None else [])
