"""Asks an OPA server for the `policy` gate: `POST /v1/data/<rule>` with the promotion's document as the input.

Decides nothing: the rule's result is handed on as it is; a rule without a result is no answer. Two seconds, and then it is unknown.
https://www.openpolicyagent.org/docs/latest/rest-api/#get-a-document-with-input
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.adapters.credentials import Credentials
from bot.adapters.json_reply import json_object
from bot.adapters.safe_http import Limits, SafeHttp, authorization
from bot.collectors.answers import Found
from bot.config.schema import Endpoint
from bot.domain.errors import UserError

SECONDS = 2.0
FRESH = timedelta(seconds=30)


class Opa:
    """The asker of `opa` questions: rule, body."""

    source = "opa"

    def __init__(self, http: SafeHttp, credentials: Credentials, endpoint: Endpoint | None) -> None:
        self._http = http
        self._credentials = credentials
        self._endpoint = endpoint

    def ask(self, params: Mapping[str, str], *, now: datetime, before: object) -> Found:
        if self._endpoint is None:
            raise UserError("No OPA server is configured.", fix="write sources.opa.url", code="NoOpa")
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self._endpoint.credential:
            headers |= authorization(self._credentials.named(self._endpoint.credential))
        reply = self._http.exchange(
            "POST",
            f"{self._endpoint.url.rstrip('/')}/v1/data/{params['rule']}",
            headers=headers,
            body=f'{{"input":{params["body"]}}}'.encode(),
            private=True,
            limits=Limits(seconds=SECONDS, connect=SECONDS),
        )
        if reply.status in (401, 403):
            raise UserError(f"OPA refuses us ({reply.status}).", fix="check the credential of sources.opa", code="Refused")
        answer = json_object(reply, "OPA")
        return Found(value=answer.get("result"), fresh=FRESH)
