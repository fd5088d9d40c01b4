"""Measures how fast gates judge: 10,000 pairs of service and stage, each with the gates of a careful stage. Run: python -m benchmarks.gates

Everything that a verdict needs is at hand, as in a run of the bot, where facts were gathered before. A day passes between the rounds, so
that windows and freezes are worked out anew. The `policy` gate (CEL) is measured by itself, because it costs the most.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.rows import Row
from bot.config.schema import Config
from bot.domain.facts import Case, Health, Upstream
from bot.domain.image import Version
from bot.domain.people import Approval, Person
from bot.domain.promotion import Move
from bot.domain.pull import Check, CheckState
from bot.domain.release import Release
from bot.domain.rollout import RolloutState
from bot.gates import Gate, evaluate_all

SERVICES, STAGES, ROUNDS = 200, 50, 3
HEAD, BASE = "a" * 40, "b" * 40
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
GATES: list[dict[str, Any]] = [
    {"gate": "soak", "for": "4h"},
    {"gate": "health"},
    {"gate": "checks", "required": ["smoke-tests", "security-scan"]},
    {"gate": "approval", "users": ["ana"], "four_eyes": True},
    {"gate": "window", "open": [{"cron": "0 9 * * mon-fri", "for": "8h"}], "zone": "Europe/Berlin"},
    {"gate": "depends", "on": {"s0": ">=1.4 <2"}},
    {"gate": "order"},
]
POLICY: dict[str, Any] = {"gate": "policy", "expression": "size(promotion.approvals) >= 1 && promotion.moves.all(m, m.to != m.from)"}
FREEZE = {
    "gate": "freeze",
    "name": "winter",
    "during": [{"from": "2026-12-20T00:00", "until": "2027-01-04T00:00", "reason": "year end"}],
    "zone": "Europe/Berlin",
}


def gates(*more: dict[str, Any]) -> tuple[Gate, ...]:
    """The gates of one stage, those that are always on included, as a configuration makes them."""
    stages = {"uat": {"repository": "acme/env-uat"}, "prod": {"repository": "acme/env-prod", "after": "uat", "gates": [*GATES, *more]}}
    return Config.model_validate({"version": 1, "pipeline": {"stages": stages}}).stage("prod").gates


def cases() -> list[Case]:
    """A promotion of every service into every stage; every seventh upstream is not healthy, every fifth check is red."""
    found = []
    for number in range(SERVICES * STAGES):
        service, stage = f"s{number % SERVICES}", f"prod-{number // SERVICES}"
        old, new = Release.single(Version(tag="1.4.1")), Release.single(Version(tag=f"1.5.{number % 90}"))
        state = RolloutState.DEGRADED if number % 7 == 0 else RolloutState.HEALTHY
        since = NOW - timedelta(hours=number % 12)
        check = CheckState.FAILURE if number % 5 == 0 else CheckState.SUCCESS
        found.append(
            Case(
                now=NOW,
                stage=stage,
                name=service,
                moves=(Move(service=service, old=old, new=new, edits=()),),
                upstreams=(Upstream(stage="uat", declares=True, state=state, healthy_since=since, release=new),),
                head=HEAD,
                base=BASE,
                number=number + 1,
                starter="promotion-bot[bot]",
                checks=tuple(Check(name=name, state=check, commit=HEAD, required=True) for name in ("smoke-tests", "security-scan")),
                approvals=(Approval(person=Person(id=2, login="ana"), head=HEAD, at=since, source="review"),),
                target={service: Health(service=service, state=RolloutState.HEALTHY, release=old, since=since, taken=True)},
                present={service: old, "s0": Release.single(Version(tag="1.4.2"))},
            )
        )
    return found


def seconds(shelf: Sequence[Gate], given: Sequence[Case]) -> float:
    """The best of some rounds, in seconds; each judges all pairs on another day."""
    taken = []
    for day in range(ROUNDS):
        later = [replace(case, now=case.now + timedelta(days=day)) for case in given]
        begin = time.perf_counter()
        for case in later:
            evaluate_all(shelf, case)
        taken.append(time.perf_counter() - begin)
    return min(taken)


def bench() -> list[Row]:
    """Pairs per second, with all gates but `policy`, and with it."""
    given = cases()
    plain, ruled = gates(FREEZE), gates(FREEZE, POLICY)
    without, with_policy = seconds(plain, given), seconds(ruled, given)
    pairs = len(given)
    return [
        Row(what=f"{pairs:,} pairs judged by {len(plain)} gates", measured=round(pairs / without), unit="pairs/s"),
        Row(what=f"the same, in {pairs * len(plain):,} verdicts", measured=round(without, 2), unit="s", goal=10),
        Row(what=f"{pairs:,} pairs with a CEL policy besides", measured=round(pairs / with_policy), unit="pairs/s"),
        Row(what="a CEL policy costs, each", measured=round((with_policy - without) / pairs * 1e6), unit="µs"),
    ]


if __name__ == "__main__":
    print(json.dumps({row.what: row.measured for row in bench()}))
