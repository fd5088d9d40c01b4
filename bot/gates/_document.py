"""The promotion as a document for strangers: the input of `policy` (CEL, OPA) and the body that `webhook` sends. Version 1.

Decides its shape, which docs/gates.md describes and which only grows within a version. Instants are RFC 3339 in UTC.
"""

import json
from datetime import datetime
from typing import Any

from bot.domain.facts import Case, Health, Upstream
from bot.domain.instants import format_instant
from bot.domain.promotion import Move
from bot.domain.release import compare_releases

VERSION = 1


def document(case: Case) -> dict[str, Any]:
    """Everything a rule may look at, as plain JSON values. Without the time of day: a rule's engine has its own clock."""
    moving = {move.service for move in case.moves}
    return {
        "document": VERSION,
        "stage": case.stage,
        "name": case.name,
        "number": case.number,
        "head": case.head,
        "base": case.base,
        "starter": case.starter,
        "hotfix": case.hotfix,
        "labels": sorted(case.labels),
        "moves": [_move(move) for move in case.moves],
        "upstreams": [_upstream(upstream) for upstream in case.upstreams],
        "approvals": [
            {"login": given.person.login, "id": given.person.id, "source": given.source, "teams": sorted(given.teams), "at": _at(given.at)}
            for given in sorted(case.approvals, key=lambda given: (given.at, given.person.id))
            if given.may and given.head == case.head
        ],
        "checks": [
            {"name": check.name, "state": check.state.value, "required": check.required}
            for check in sorted(case.checks or (), key=lambda check: (check.name, check.source))
            if check.commit == case.head
        ],
        "target": {name: _health(health) for name, health in sorted(case.target.items()) if name in moving},
    }


def as_json(case: Case) -> str:
    """The document as canonical JSON: equal facts give an equal text."""
    return json.dumps(document(case), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _move(move: Move) -> dict[str, Any]:
    order = compare_releases(move.new, move.old)
    kinds = {1: "upgrade", 0: "same", -1: "downgrade", None: "unknown"}
    return {
        "service": move.service,
        "from": str(move.old.main.tag or ""),
        "to": str(move.new.main.tag or ""),
        "from_digest": move.old.main.digest or "",
        "to_digest": move.new.main.digest or "",
        "direction": kinds[order],
        "files": sorted({edit.path for edit in move.edits}),
    }


def _upstream(upstream: Upstream) -> dict[str, Any]:
    return {
        "stage": upstream.stage,
        "declares": upstream.declares,
        "state": upstream.state.value,
        "healthy_since": _at(upstream.healthy_since),
        "reason": upstream.reason,
    }


def _health(health: Health) -> dict[str, Any]:
    return {"state": health.state.value, "since": _at(health.since), "taken": health.taken, "reason": health.reason}


def _at(instant: datetime | None) -> str:
    return format_instant(instant) if instant is not None else ""
