"""Asks an external system for the `webhook` gate: the promotion's document, signed, as a POST.

Signs as Standard Webhooks has it (https://www.standardwebhooks.com): `webhook-id`, `webhook-timestamp` (seconds) and
`webhook-signature` = `v1,` + base64 of HMAC-SHA256 over `id.timestamp.body`. What the answer means is the gate's word.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.adapters.credentials import Credentials
from bot.adapters.json_reply import json_object
from bot.adapters.safe_http import Limits, SafeHttp, authorization
from bot.collectors.answers import Found
from bot.domain.errors import UserError
from bot.settings import PREFIX

LONGEST_SECONDS = 30


class WebhookGate:
    """The asker of `webhook` questions: url, body, timeout, every, credential."""

    source = "webhook"

    def __init__(self, http: SafeHttp, credentials: Credentials, secret: str, *, private: bool) -> None:
        """`secret` signs; empty: nothing is sent."""
        self._http = http
        self._credentials = credentials
        self._secret = secret
        self._private = private

    def ask(self, params: Mapping[str, str], *, now: datetime, before: object) -> Found:
        if not self._secret:
            variable = f"{PREFIX}WEBHOOK_GATE_SECRET"
            raise UserError("Nothing is sent unsigned, and no secret is set.", where=variable, fix=f"set {variable}", code="NoSecret")
        body = params["body"].encode()
        headers = {"content-type": "application/json", "accept": "application/json", **signature(body, self._secret, now)}
        if params.get("credential"):
            headers |= authorization(self._credentials.named(params["credential"]))
        seconds = float(min(int(params["timeout"]), LONGEST_SECONDS))
        reply = self._http.exchange(
            "POST", params["url"], headers=headers, body=body, private=self._private, limits=Limits(seconds=seconds)
        )
        return Found(value=json_object(reply, "it"), fresh=timedelta(seconds=int(params["every"])))


def signature(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    """The three headers. The id is the body's own hash: the same question has the same id, so that a receiver may keep its answer."""
    identity = f"msg_{hashlib.sha256(body).hexdigest()[:32]}"
    stamp = str(int(now.timestamp()))
    signed = hmac.new(secret.encode(), b".".join((identity.encode(), stamp.encode(), body)), hashlib.sha256).digest()
    return {"webhook-id": identity, "webhook-timestamp": stamp, "webhook-signature": f"v1,{base64.b64encode(signed).decode()}"}
