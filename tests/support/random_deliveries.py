"""Dense random histories from a seed: few versions, commits, pull requests and ids, so that every rule meets every other."""

from random import Random
from typing import Any

VERSIONS = ["v1", "v2", "v3", "v4"]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "America/Havana"]
_OFFSETS = ["Z", "Z", "+01:00", "-05:00", "+05:45"]


def random_instant(rng: Random) -> str:
    """Mostly whole hours of two weeks in March 2025, in many offsets, so that equal instants happen."""
    return f"2025-03-{rng.randint(1, 14):02d}T{rng.randint(0, 23):02d}:{rng.choice(['00', '00', '30'])}:00{rng.choice(_OFFSETS)}"


def random_question(rng: Random) -> dict[str, Any]:
    """A window, an instant and a selection."""
    first, end = sorted(rng.sample(range(1, 20), 2))
    return {
        "from": f"2025-03-{first:02d}", "to": f"2025-03-{end:02d}", "tz": rng.choice(ZONES),
        "as_of": rng.choice([random_instant(rng), "2025-03-20T00:00:00Z"]), "stage": rng.choice(["prod", "prod", "prod", "qa"]),
        "service": rng.choice([None, None, "api", "web"]), "order": rng.choice([None, VERSIONS, VERSIONS[::-1], ["v2", "v1"]]),
    }  # fmt: skip


def random_history(rng: Random) -> list[dict[str, Any]]:
    """Raw events, shuffled."""
    names = [f"d{number}" for number in range(rng.randint(0, 14))]
    stages = rng.choice([["prod"], ["prod", "prod", "qa"]])
    services = rng.choice([["api"], ["api", "api", "web"]])
    events = [_deploy(rng, name, names, services, stages) for name in names]
    for number in range(rng.randint(0, 4)):
        linked = rng.choice([*names, *names, "ghost", None])
        events.append(
            {"t": "failure", "id": f"f{number}", "deploy": linked, "at": random_instant(rng), "service": "api", "stage": rng.choice(stages)}
        )
        for _ in range(rng.choice([0, 0, 1, 1, 2])):
            events.append({"t": "recovery", "failure": f"f{number}", "at": random_instant(rng)})
    rng.shuffle(events)
    return events


def _deploy(rng: Random, name: str, names: list[str], services: list[str], stages: list[str]) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "t": "deploy", "id": name, "at": random_instant(rng), "version": rng.choice(VERSIONS[: rng.choice([2, 4])]),
        "service": rng.choice(services), "stage": rng.choice(stages), "status": rng.choice(["success", "success", "failed"]),
        "commits": [{"sha": sha, "at": random_instant(rng)} for sha in rng.sample("abcdef", rng.randint(0, 3))],
        "prs": [{"number": number} for number in rng.sample(range(1, 5), rng.randint(0, 2))],
    }  # fmt: skip
    if rng.random() < 0.7:
        raw["kind"] = rng.choice(["promotion", "promotion", "promotion", "hotfix", "revert", "rollback", "rollback", "redeploy"])
    if rng.random() < 0.2:
        raw["fixes"] = [rng.choice([*names, "ghost"])]
    if rng.random() < 0.25:
        raw["reverts_prs"] = rng.sample(range(1, 6), rng.randint(1, 2))
    if rng.random() < 0.15:
        raw["rolls_back"] = rng.choice([*names, "ghost"])
    if rng.random() < 0.1:
        raw["baseline"] = True
    return raw
