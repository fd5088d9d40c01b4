"""Measures a simulation of 90 days: 200 services through three stages, 6,000 promotions. Run: python -m benchmarks.simulate

Prints one JSON object: seconds with gates of time (soak, window), and with the dora gate, which counts metrics anew for every look.
"""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.rows import Row
from bot.config.load import check
from bot.domain.history import CommitRef, Deploy, History, RolloutKind, RolloutStatus
from bot.reporting.simulate import simulate

SERVICES, VERSIONS, STAGES = 200, 15, ("qa", "uat", "prod")
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
CONFIG = """
version: 1
pipeline:
  stages:
    qa: {{repository: acme/qa}}
    uat: {{repository: acme/uat, after: qa}}
    prod: {{repository: acme/prod, after: uat, gates: [{gates}]}}
"""


def history() -> History:
    """Every service moves every six days; each eleventh rollout into prod fails and is retried."""
    events = []
    for number in range(SERVICES * VERSIONS):
        service, version = number % SERVICES, number // SERVICES
        begin = BEGIN + timedelta(days=6 * version, minutes=37 * service)
        for place, stage in enumerate(STAGES):
            at = begin + timedelta(hours=3 * place)
            deploy = Deploy(
                id=f"{stage}-{number}", service=f"s{service}", stage=stage, at=at, version=f"1.{version}.0", kind=RolloutKind.PROMOTION,
                status=RolloutStatus.SUCCESS, commits=(CommitRef(sha=f"c{number}", at=begin - timedelta(hours=9)),),
            )  # fmt: skip
            failed = stage == "prod" and number % 11 == 0
            if failed:
                events.append(_failed(deploy))
            events.append(deploy)
    return History(events=tuple(events))


def _failed(deploy: Deploy) -> Deploy:
    return Deploy(
        id=f"{deploy.id}-failed", service=deploy.service, stage=deploy.stage, at=deploy.at - timedelta(minutes=9), version=deploy.version,
        kind=deploy.kind, status=RolloutStatus.FAILED,
    )  # fmt: skip


def bench() -> list[Row]:
    """Processor seconds of both."""
    found = measure()
    return [Row(what=f"simulation of 90 days, gates of {name}", measured=found[name]["cpu_seconds"], unit="s") for name in ("time", "dora")]


def main() -> None:
    """Print what was measured."""
    print(json.dumps(measure()))


def measure() -> dict[str, Any]:
    """Runs both simulations."""
    past = history()
    result: dict[str, Any] = {"events": len(past.events)}
    for name, gates in (
        ("time", "{gate: soak, for: 6h}, {gate: window, open: [{cron: '0 9 * * 1-5', for: 8h}]}"),
        ("dora", "{gate: dora, change_fail_rate: block}"),
    ):
        config = check(CONFIG.format(gates=gates)).config
        if config is None:
            raise SystemExit(f"the configuration of {name} is not valid")
        begun = time.process_time()
        found = simulate(past, config, since=BEGIN, as_of=BEGIN + timedelta(days=90))
        held = sum(one.waited_s > 0 for one in found.promotions)
        result[name] = {"cpu_seconds": round(time.process_time() - begun, 2), "promotions": len(found.promotions), "held": held}
    return result


if __name__ == "__main__":
    main()
