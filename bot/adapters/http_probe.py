"""Asks an HTTP endpoint for the `http` gate and keeps the last attempts, oldest first.

Decides what one attempt was: its status and body, or why there was no answer. Whether that is good enough, and how many in a row, is
the gate's word. After a pause of ours the row begins anew: attempts that are far apart are not "in a row".
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.adapters.credentials import Credentials
from bot.adapters.safe_http import Limits, SafeHttp, authorization
from bot.collectors.answers import Found
from bot.domain.errors import TransientError, UserError

LONGEST_SECONDS = 10
SHOWN_BODY = 64 << 10
LONGEST_GAP = timedelta(minutes=2)
GAPS = 3


class HttpProbe:
    """The asker of `http` questions: url, method, times, every, timeout, credential."""

    source = "http"

    def __init__(self, http: SafeHttp, credentials: Credentials, *, private: bool) -> None:
        self._http = http
        self._credentials = credentials
        self._private = private

    def ask(self, params: Mapping[str, str], *, now: datetime, before: object) -> Found:
        every = timedelta(seconds=int(params["every"]))
        times = int(params["times"])
        row: list[dict[str, Any]] = list(before) if isinstance(before, list) else []
        if row and now - row[-1]["at"] > max(LONGEST_GAP, GAPS * every):
            row = []
        row.append({"at": now, **self._attempt(params)})
        return Found(value=row[-times:], fresh=every)

    def _attempt(self, params: Mapping[str, str]) -> dict[str, Any]:
        seconds = float(min(int(params["timeout"]), LONGEST_SECONDS))
        name = params.get("credential", "")
        try:
            headers = authorization(self._credentials.named(name)) if name else {}
            reply = self._http.exchange(
                params["method"], params["url"], headers=headers, private=self._private, limits=Limits(seconds=seconds)
            )
        except (TransientError, UserError) as error:
            return {"status": 0, "body": "", "error": error.what}
        return {"status": reply.status, "body": reply.text[:SHOWN_BODY], "error": ""}
