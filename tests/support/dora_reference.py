"""A second, slow reading of the metric definitions, over raw JSON events: every question scans the whole history.

Written from the definitions' sentences, apart from the product's code; the differential tests hold the two against each other.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Raw = dict[str, Any]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def middle(values: list[float], fraction: float = 0.5) -> float | None:
    values = sorted(values)
    if not values:
        return None
    spot = (len(values) - 1) * fraction
    low = int(spot // 1)
    high = min(low + 1, len(values) - 1)
    return values[low] * (1 - (spot - low)) + values[high] * (spot - low)


class Reference:
    def __init__(self, events: list[Raw], as_of: str, stage: str, order: list[str] | None) -> None:
        self.now = instant(as_of)
        unique: dict[Any, Raw] = {}
        for raw in events:
            if instant(raw["at"]) <= self.now:
                key = ("r", raw["failure"], instant(raw["at"])) if raw["t"] == "recovery" else (raw["t"], raw["id"])
                unique.setdefault(key, raw)
        every = sorted(unique.values(), key=lambda raw: (instant(raw["at"]), raw.get("id", raw.get("failure"))))
        self.all_deploys = [raw for raw in every if raw["t"] == "deploy"]
        self.deploys = [raw for raw in self.all_deploys if raw["stage"] == stage]
        self.failures = [raw for raw in every if raw["t"] == "failure"]
        self.recoveries = [raw for raw in every if raw["t"] == "recovery"]
        self.stage = stage
        self.order = order or []
        self.roles = {raw["id"]: self.role(raw) for raw in self.deploys}
        self.changes = self.group()
        self.judge()

    def earlier(self, raw: Raw) -> list[Raw]:
        """The rollouts of the same service before this one."""
        place = self.deploys.index(raw)
        return [other for other in self.deploys[:place] if other["service"] == raw["service"]]

    def later(self, raw: Raw) -> list[Raw]:
        place = self.deploys.index(raw)
        return [other for other in self.deploys[place + 1 :] if other["service"] == raw["service"]]

    def live_before(self, raw: Raw) -> str | None:
        good = [other["version"] for other in self.earlier(raw) if other["status"] == "success"]
        return good[-1] if good else None

    def older(self, service: str, one: str, two: str) -> bool:
        if one in self.order and two in self.order:
            return self.order.index(one) < self.order.index(two)
        seen = [other["version"] for other in self.all_deploys if other["service"] == service]
        return seen.index(one) < seen.index(two)

    def role(self, raw: Raw) -> tuple[str, str]:
        """What it was and for what: (role, kind)."""
        live, kind = self.live_before(raw), raw.get("kind")
        if kind is None:
            good = {other["version"] for other in self.earlier(raw) if other["status"] == "success"}
            back = raw["version"] in good and raw["version"] != live and self.older(raw["service"], raw["version"], str(live))
            if raw.get("rolls_back") or back:
                kind = "rollback"
            else:
                kind = "revert" if raw.get("reverts_prs") else "hotfix" if raw.get("fixes") else "promotion"
        if raw["status"] == "failed":
            return ("not a change" if kind in ("rollback", "redeploy") else "attempt"), kind
        if kind == "rollback":
            return "rollback", kind
        return ("redeploy" if kind == "redeploy" or raw["version"] == live else "deployment"), kind

    def group(self) -> list[list[Raw]]:
        found: list[list[Raw]] = []
        for service in sorted({raw["service"] for raw in self.deploys}):
            before: Raw | None = None
            for raw in [raw for raw in self.deploys if raw["service"] == service]:
                if self.roles[raw["id"]][0] in ("deployment", "attempt"):
                    joins = before is not None and self.roles[before["id"]][0] == "attempt" and before["version"] == raw["version"]
                    if joins:
                        found[-1].append(raw)
                    else:
                        found.append([raw])
                before = raw
        return sorted(found, key=lambda change: (instant(change[0]["at"]), change[0]["id"]))

    def owner(self, name: str) -> list[Raw] | None:
        return next((change for change in self.changes if name in [raw["id"] for raw in change]), None)

    def marks(self, change: list[Raw]) -> list[Raw]:
        return [mark for mark in self.failures if mark.get("deploy") in [raw["id"] for raw in change]]

    def closed(self, mark: Raw) -> datetime | None:
        times = [instant(raw["at"]) for raw in self.recoveries if raw["failure"] == mark["id"]]
        return max(times) if times else None

    def judge(self) -> None:
        """Fills `blamed` and `ends` (terminal recoveries), by the first attempt's id."""
        self.blamed: set[str] = set()
        self.ends: dict[str, list[datetime]] = {change[0]["id"]: [] for change in self.changes}
        for raw in self.deploys:
            role = self.roles[raw["id"]][0]
            moment = instant(raw["at"])
            if role == "rollback":
                self.take_back(raw, moment)
            if role == "deployment":
                for number in raw.get("reverts_prs") or []:
                    self.revert(raw, number, moment)
            if raw["status"] == "success":
                for name in raw.get("fixes") or []:
                    fixed = self.owner(name)
                    if fixed and raw not in fixed and self.before(fixed[0], raw):
                        self.ends[fixed[0]["id"]].append(moment)

    def before(self, one: Raw, two: Raw) -> bool:
        return self.deploys.index(one) < self.deploys.index(two)

    def take_back(self, raw: Raw, moment: datetime) -> None:
        past = self.earlier(raw)
        live_again = [place for place, other in enumerate(past) if other["status"] == "success" and other["version"] == raw["version"]]
        since = past[live_again[-1] + 1 :] if live_again else past
        named = self.owner(raw["rolls_back"]) if raw.get("rolls_back") else None
        if named and (named[0]["service"] != raw["service"] or not any(r["id"] == raw["rolls_back"] for r in past)):
            named = None
        culprit = named or self.failed_last(past, moment)
        if culprit is None:
            fresh = [other for other in since if self.roles[other["id"]][0] == "deployment"]
            culprit = self.owner(fresh[0]["id"]) if fresh else None
        if culprit:
            self.blamed.add(culprit[0]["id"])
            self.ends[culprit[0]["id"]].append(moment)
        for other in [other for other in since if self.roles[other["id"]][0] == "deployment"]:
            withdrawn = self.owner(other["id"])
            if withdrawn:
                self.ends[withdrawn[0]["id"]].append(moment)

    def failed_last(self, past: list[Raw], moment: datetime) -> list[Raw] | None:
        """The change of the latest attempt, if that failed and nothing recovered it before the rollback."""
        attempts = [other for other in past if self.roles[other["id"]][0] in ("deployment", "attempt")]
        if not attempts or attempts[-1]["status"] == "success":
            return None
        if any(other["status"] == "success" for other in past[past.index(attempts[-1]) + 1 :]):
            return None
        change = self.owner(attempts[-1]["id"])
        assert change is not None
        if self.ends[change[0]["id"]]:
            return None
        marks = [mark for mark in self.marks(change) if instant(mark["at"]) <= moment]
        if marks and all((end := self.closed(mark)) is not None and end <= moment for mark in marks):
            return None
        return change

    def revert(self, raw: Raw, number: int, moment: datetime) -> None:
        so_far = [*self.earlier(raw), raw]
        carrying = [other for other in so_far if number in [pull["number"] for pull in other.get("prs") or []]]
        live = [other for other in carrying if self.roles[other["id"]][0] == "deployment"]
        tried = [other for other in carrying if self.roles[other["id"]][0] == "attempt"]
        for first in (live or tried)[:1]:
            change = self.owner(first["id"])
            assert change is not None
            if raw not in change:
                self.blamed.add(change[0]["id"])
                self.ends[change[0]["id"]].append(moment)

    def failed(self, change: list[Raw]) -> bool:
        return any(raw["status"] == "failed" for raw in change) or bool(self.marks(change)) or change[0]["id"] in self.blamed

    def recovered(self, change: list[Raw]) -> datetime | None:
        ends = list(self.ends[change[0]["id"]])
        marks = self.marks(change)
        closings = [self.closed(mark) for mark in marks]
        if marks and None not in closings:
            return min([*ends, max(filter(None, closings))])
        bad = [raw for raw in change if raw["status"] == "failed"]
        good = [raw for raw in self.later(bad[-1]) if raw["status"] == "success"] if bad else []
        if good:
            moment = instant(good[0]["at"])
            if good[0] in change:
                if ends:
                    return min(ends)
                if any(instant(mark["at"]) > moment and self.closed(mark) is None for mark in marks):
                    return None
            ends.append(max([moment, *filter(None, closings)]))
        return min(ends) if ends else None


def evaluate(events: list[Raw], asked: Raw) -> Raw:
    """The answer's fields for {from, to, tz, as_of, stage, service, order}."""
    ref = Reference(events, asked["as_of"], asked.get("stage", "prod"), asked.get("order"))
    zone = ZoneInfo(asked["tz"])
    first, end = date.fromisoformat(asked["from"]), date.fromisoformat(asked["to"])

    def begins(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)

    def local(raw: Raw) -> date:
        return instant(raw["at"]).astimezone(zone).date()

    def inside(raw: Raw) -> bool:
        return begins(first) <= instant(raw["at"]) < begins(end) and asked.get("service") in (None, raw.get("service"))

    def seconds(late: datetime, early: str) -> float:
        return (late - instant(early)).total_seconds()

    days = [day for step in range((end - first).days) if begins(day := first + timedelta(days=step)) < ref.now]
    role = {name: found for name, (found, _) in ref.roles.items()}
    kind = {name: found for name, (_, found) in ref.roles.items()}
    fresh = [raw for raw in ref.deploys if inside(raw) and role[raw["id"]] == "deployment"]
    back = [raw for raw in ref.deploys if inside(raw) and role[raw["id"]] == "rollback"]
    changes = [change for change in ref.changes if inside(change[0])]
    failed = [change for change in changes if ref.failed(change)]
    leads: list[tuple[Raw, float]] = []
    known: set[tuple[str, str]] = set()
    for raw in ref.deploys:
        if role[raw["id"]] != "deployment":
            continue
        for commit in raw.get("commits") or []:
            if (raw["service"], commit["sha"]) not in known:
                known.add((raw["service"], commit["sha"]))
                if inside(raw) and not raw.get("baseline"):
                    leads.append((raw, seconds(instant(raw["at"]), commit["at"])))
    took = [seconds(end_, change[0]["at"]) for change in failed if (end_ := ref.recovered(change))]
    restored = [seconds(end_, ref.marks(c)[0]["at"]) for c in failed if ref.marks(c) and (end_ := ref.recovered(c))]
    took, restored = [value for value in took if value >= 0], [value for value in restored if value >= 0]
    still = [
        change for change in ref.changes
        if ref.failed(change) and ref.recovered(change) is None and instant(change[0]["at"]) < begins(end)
        and asked.get("service") in (None, change[0]["service"])
    ]  # fmt: skip
    good = [value for _, value in leads if value >= 0]

    def rate(part: float, whole: float) -> float | None:
        return part / whole if whole else None

    return {
        "window_days": len(days),
        "deployments": len(fresh),
        "deployments_per_day": rate(len(fresh), len(days)),
        "deploy_days": len({local(raw) for raw in fresh}),
        "rollbacks": len(back),
        "redeploys": len([raw for raw in ref.deploys if inside(raw) and role[raw["id"]] == "redeploy"]),
        "failed_rollouts": len([raw for raw in ref.deploys if inside(raw) and raw["status"] == "failed"]),
        "changes": len(changes),
        "failed_changes": len(failed),
        "change_fail_rate": rate(len(failed), len(changes)),
        "lead_time_s": {"n": len(good), "median": middle(good), "p90": middle(good, 0.9)},
        "lead_time_invalid": len(leads) - len(good),
        "recovery_s": {"n": len(took), "median": middle(took)},
        "time_to_restore_s": {"n": len(restored), "median": middle(restored)},
        "open_failures": [{"deploy": change[0]["id"], "age_s": seconds(ref.now, change[0]["at"])} for change in still],
        "unlinked_incidents": len([
            raw for raw in ref.failures
            if inside(raw) and raw.get("stage") in (None, ref.stage) and raw.get("deploy") not in [d["id"] for d in ref.all_deploys]
        ]),
        "rework_rate": rate(len([r for r in fresh if kind[r["id"]] in ("hotfix", "revert")]) + len(back), len(fresh) + len(back)),
        "daily": {
            "deployments": [len([raw for raw in fresh if local(raw) == day]) for day in days],
            "change_fail_rate": [
                rate(len([c for c in failed if local(c[0]) == day]), len([c for c in changes if local(c[0]) == day])) for day in days
            ],
            "lead_time_median_s": [middle([v for raw, v in leads if v >= 0 and local(raw) == day]) for day in days],
        },
    }  # fmt: skip
