"""Random histories and questions for the comparison with `reference`: few services, few versions, and everything that goes wrong.

Rollouts come in rising time with equal instants among them, so that retries, rollbacks and reverts really meet; marks may lead to
no deploy, recoveries may come twice or never, events are doubled and shuffled, offsets differ, commits may be younger than their
rollout, and the windows lie over the changes to and from summer time.
"""

from datetime import UTC, date, datetime, timedelta, timezone
from random import Random
from typing import Any

Event = dict[str, Any]
VERSIONS = ["v1", "v2", "v3", "v4"]
SPRING, AUTUMN = datetime(2025, 3, 24, tzinfo=UTC), datetime(2025, 10, 20, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Africa/Cairo", "Asia/Beirut", "America/Santiago", "Asia/Kathmandu"]
KINDS = [None, None, "promotion", "promotion", "promotion", "hotfix", "revert", "rollback", "redeploy"]
PAUSES = [0, 60, 3600, 7200, 30000, 86400, 2 * 86400]


def written(rng: Random, moment: datetime) -> str:
    """The instant in one of several offsets."""
    zone = rng.choice([UTC, timezone(timedelta(hours=2)), timezone(-timedelta(hours=5, minutes=30))])
    return moment.astimezone(zone).isoformat()


def random_case(rng: Random) -> tuple[list[Event], dict[str, Any]]:
    """A history and the question put to it."""
    base = rng.choice([SPRING, AUTUMN])
    events: list[Event] = []
    moment, ids = base, list[str]()
    for number in range(rng.randint(0, 9)):
        moment += timedelta(seconds=rng.choice(PAUSES))
        events.append(_deploy(rng, f"d{number}", moment, ids))
        ids.append(f"d{number}")
        if rng.random() < 0.35:
            events += _failure(rng, f"f{number}", moment, ids)
    events += [rng.choice(events) for _ in range(rng.randint(0, 2)) if events]
    rng.shuffle(events)
    return events, _question(rng, base)


def _deploy(rng: Random, name: str, moment: datetime, before: list[str]) -> Event:
    kind = rng.choice(KINDS)
    found: Event = {
        "t": "deploy",
        "id": name,
        "service": rng.choice(["api", "api", "api", "web"]),
        "stage": rng.choice(["prod", "prod", "prod", "uat"]),
        "at": written(rng, moment),
        "version": rng.choice(VERSIONS),
        "status": rng.choice(["success", "success", "success", "failed"]),
        "commits": [
            {"sha": sha, "at": written(rng, moment - timedelta(seconds=rng.choice([-60, 0, 3600, 100000])))}
            for sha in rng.sample("abcdef", rng.randint(0, 3))
        ],
        "prs": [{"number": pr} for pr in rng.sample(range(1, 4), rng.randint(0, 2))],
    }
    links: Event = {"kind": kind} if kind else {}
    if before and rng.random() < 0.15:
        links["fixes"] = [rng.choice([*before, "ghost"])]
    if rng.random() < 0.2:
        links["reverts_prs"] = [rng.randint(1, 4)]
    if before and kind == "rollback" and rng.random() < 0.4:
        links["rolls_back"] = rng.choice([*before, "ghost"])
    if rng.random() < 0.05:
        links["baseline"] = True
    if rng.random() < 0.6:
        links["team"] = rng.choice(["red", "blue"])
    return found | links


def _failure(rng: Random, name: str, moment: datetime, deploys: list[str]) -> list[Event]:
    seen = moment + timedelta(seconds=rng.choice([0, 60, 3600, 90000]))
    deploy = rng.choice([*deploys, None])
    mark: Event = {"t": "failure", "id": name, "deploy": deploy, "at": written(rng, seen), "source": "incident"}
    if deploy is None:
        mark |= {"service": rng.choice(["api", "web"]), "stage": rng.choice(["prod", "uat"]), "team": rng.choice(["red", "blue"])}
    ends = [seen + timedelta(seconds=rng.choice([0, 60, 3600, 90000])) for _ in range(rng.choice([0, 0, 1, 1, 1, 2]))]
    return [mark, *({"t": "recovery", "failure": name, "at": written(rng, end)} for end in ends)]


def _question(rng: Random, base: datetime) -> dict[str, Any]:
    start = base.date() + timedelta(days=rng.randint(-7, 5))
    end: date = start + timedelta(days=rng.choice([1, 5, 7, 14, 21]))
    return {
        "start": str(start),
        "end": str(end),
        "tz": rng.choice(ZONES),
        "as_of": written(rng, base + timedelta(seconds=rng.choice([30 * 86400, 3 * 86400, 90000, 10 * 86400, 0]))),
        "stage": rng.choice(["prod", "prod", "prod", "uat"]),
        "service": rng.choice([None, None, "api", "nobody"]),
        "team": rng.choice([None, None, "red"]),
        "version_order": rng.choice([None, VERSIONS]),
    }
