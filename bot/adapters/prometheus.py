"""Asks Prometheus (or what speaks its HTTP API: Thanos, Mimir, VictoriaMetrics) for the `metric` gate.

Decides how a span becomes a query and what its answer holds: one list of samples per series, oldest first, the last one at now.
A warning of the server means that data may be missing: that is no answer. Limits, holes and NaN are the gate's.
https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bot.adapters.credentials import Credentials
from bot.adapters.json_reply import json_object
from bot.adapters.safe_http import Limits, Reply, SafeHttp, authorization
from bot.collectors.answers import Found
from bot.config.schema import Endpoint
from bot.domain.errors import TransientError, UserError

MOST_SAMPLES = 11_000
"""Prometheus gives no more per series."""
MOST_SERIES = 200
LARGEST = 16 << 20
SECONDS = 10.0
SOONEST = timedelta(seconds=5)


class Prometheus:
    """The asker of `metric` questions: query, over, step (seconds), address."""

    source = "metric"

    def __init__(self, http: SafeHttp, credentials: Credentials, endpoint: Endpoint | None, *, private: bool) -> None:
        """`private` is for addresses that a gate names; the operator's own endpoint may be private in any case."""
        self._http = http
        self._credentials = credentials
        self._endpoint = endpoint
        self._private = private

    def ask(self, params: Mapping[str, str], *, now: datetime, before: object) -> Found:
        over, step = int(params["over"]), int(params["step"])
        fresh = max(SOONEST, timedelta(seconds=step))
        query = {"query": params["query"], "timeout": f"{SECONDS:g}s"}
        if not over:
            return Found(value=self._query("query", query | {"time": f"{now.timestamp():.3f}"}, params), fresh=fresh)
        steps = -(-over // step)
        if steps >= MOST_SAMPLES:
            raise UserError(
                f"{over} seconds in steps of {step} are more than {MOST_SAMPLES} samples.",
                fix="raise the gate's `step`",
                code="TooManySamples",
            )
        end = now.timestamp()
        span = {"start": f"{end - steps * step:.3f}", "end": f"{end:.3f}", "step": str(step)}
        return Found(value=self._query("query_range", query | span, params), fresh=fresh)

    def _query(self, what: str, form: Mapping[str, str], params: Mapping[str, str]) -> list[dict[str, Any]]:
        own = self._endpoint
        address = params.get("address") or (own.url if own else "")
        if not address:
            raise UserError(
                "No Prometheus is configured.", fix="write sources.prometheus.url, or the gate's `address`", code="NoPrometheus"
            )
        operators = own is not None and address.rstrip("/") == own.url.rstrip("/")
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        if operators and own is not None and own.credential:
            headers |= authorization(self._credentials.named(own.credential))
        reply = self._http.exchange(
            "POST",
            f"{address.rstrip('/')}/api/v1/{what}",
            headers=headers,
            body=urlencode(form).encode(),
            private=operators or self._private,
            limits=Limits(seconds=SECONDS, largest=LARGEST),
        )
        return _series(reply)


def _series(reply: Reply) -> list[dict[str, Any]]:
    if reply.status in (401, 403):
        raise UserError(f"Prometheus refuses us ({reply.status}).", fix="check the credential of sources.prometheus", code="Refused")
    if reply.status == 404:
        raise UserError("There is no Prometheus at this address (404).", fix="correct sources.prometheus.url", code="NoPrometheus")
    answer = json_object(reply, "Prometheus", statuses=(200, 400, 422, 503))
    if answer.get("status") != "success":
        kind, text = str(answer.get("errorType", reply.status)), " ".join(str(answer.get("error", "")).split())[:200]
        if kind in ("bad_data", "execution"):
            raise UserError(f"Prometheus does not take the query ({text}).", fix="correct the gate's `query`", code="BadQuery")
        raise TransientError(f"Prometheus could not answer ({kind}: {text})")
    warnings = answer.get("warnings")
    if warnings:
        raise TransientError(f"Prometheus warns that its answer may not be whole ({' '.join(str(warnings[0]).split())[:200]})")
    try:
        return _samples(answer["data"])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        raise TransientError("the answer of Prometheus is not understood") from None


def _samples(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    result = data["result"]
    match data["resultType"]:
        case "matrix":
            rows = [(row["metric"], row["values"]) for row in result]
        case "vector":
            rows = [(row["metric"], [row["value"]]) for row in result]
        case "scalar":
            rows = [({}, [result])]
        case other:
            raise UserError(f"The query gives a {other}, and numbers are wanted.", fix="correct the gate's `query`", code="BadQuery")
    if len(rows) > MOST_SERIES:
        raise UserError(f"The query gives {len(rows)} series.", fix="aggregate it with sum(), avg() or max()", code="TooManySeries")
    return [{"labels": dict(labels), "samples": [[float(at), float(value)] for at, value in values]} for labels, values in rows]
