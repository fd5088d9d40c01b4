"""Builders for delivery histories: a test states only what differs. Instants are written `D HH:MM` in March 2025, UTC."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.history_file import read_history
from bot.domain.instants import parse_instant
from bot.reporting.dora import Report, measure
from bot.reporting.lineage import trace
from bot.reporting.teams import assign
from bot.reporting.windows import Window


def at(text: str) -> str:
    """`4 09:30` is 4 March 2025, 09:30 UTC; anything longer is taken as it stands."""
    if "T" in text:
        return text
    day, clock = text.split()
    return f"2025-03-{int(day):02d}T{clock}:00Z"


def deploy(name: str, when: str, version: str, **fields: Any) -> dict[str, Any]:
    commits = {"commits": [{"sha": sha, "at": at(then)} for sha, then in fields.pop("commits", {}).items()]}
    prs = {"prs": [{"number": number} for number in fields.pop("prs", ())]}
    base = {"t": "deploy", "id": name, "service": "api", "stage": "prod", "at": at(when), "version": version, "status": "success"}
    return base | {"kind": "promotion"} | commits | prs | fields


def failure(name: str, when: str, deploy: str | None, **fields: Any) -> dict[str, Any]:
    return {"t": "failure", "id": name, "deploy": deploy, "at": at(when), "source": "incident"} | fields


def recovery(of: str, when: str) -> dict[str, Any]:
    return {"t": "recovery", "failure": of, "at": at(when)}


def window(first: str = "2025-03-03", end: str = "2025-03-10", tz: str = "UTC") -> Window:
    return Window(first=date.fromisoformat(first), end=date.fromisoformat(end), zone=ZoneInfo(tz))


def report(events: Sequence[dict[str, Any]], **asked: Any) -> Report:
    """The report over raw events; `order`, `stage`, `service`, `team`, `owners`, `as_of`, `first`, `end`, `tz` may be given."""
    history = read_history(json.dumps({"events": list(events), "version_order": asked.get("order")}))
    span = window(asked.get("first", "2025-03-03"), asked.get("end", "2025-03-10"), asked.get("tz", "UTC"))
    as_of = parse_instant(at(asked.get("as_of", "10 00:00")))
    lineage = trace(
        assign(history.events, asked.get("owners", {}), as_of=as_of).events,
        stage=asked.get("stage", "prod"),
        as_of=as_of,
        version_order=history.version_order,
    )
    return measure(lineage, span, service=asked.get("service"), team=asked.get("team"))


def figures(events: Sequence[dict[str, Any]], **asked: Any) -> dict[str, Any]:
    """The JSON answer over raw events."""
    return report(events, **asked).to_json()
