"""A second, slow calculation of the delivery metrics, for the tests alone.

Written from the published definitions (dora-bot/1) and shares no line with `bot.reporting`: every figure is found by asking the
whole history again, in the words of its definition. It works on the plain dictionaries of a history file and answers the plain
dictionary of the report. Where the definitions leave a choice, the choice is named beside it.
"""

from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

Event = dict[str, Any]
ATTEMPTS = ("deployment", "failed")


def at(text: str) -> datetime:
    """The instant of an RFC 3339 text."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def percentile(values: list[float], fraction: float) -> float | None:
    """PERCENTILE_CONT: the value at position fraction * (n - 1) between the neighbours; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    position = fraction * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def known(events: list[Event], as_of: datetime) -> list[Event]:
    """The events that exist at `as_of`, each once, by time and then by id."""
    once: dict[tuple[str, ...], Event] = {}
    for event in events:
        if at(event["at"]) > as_of:
            continue
        key = ("recovery", event["failure"], str(at(event["at"]))) if event["t"] == "recovery" else (event["t"], event["id"])
        once[key] = event
    return sorted(once.values(), key=lambda e: (at(e["at"]), e.get("id") or e.get("failure")))


def with_team(event: Event, alive: list[Event]) -> Event:
    """The event with its team: the one it carries, else the only one that its service was seen with (there is no configuration)."""
    if event.get("team") or event["t"] == "recovery":
        return event
    teams = {other["team"] for other in alive if other.get("team") and other.get("service") == event.get("service")}
    return event | {"team": teams.pop()} if event.get("service") and len(teams) == 1 else event


class Lane:
    """One service on one stage: what each of its rollouts was."""

    def __init__(self, deploys: list[Event], order: list[str]) -> None:
        self.deploys = deploys
        self.order = order
        self.roles = [self.role(index) for index in range(len(deploys))]

    def live_before(self, index: int) -> str | None:
        """The version that the last successful rollout before this one put live."""
        done = [d["version"] for d in self.deploys[:index] if d["status"] == "success"]
        return done[-1] if done else None

    def kind(self, index: int) -> str:
        """The kind as given, else inferred: live version, earlier version, link to what it mends, and last promotion."""
        deploy, live = self.deploys[index], self.live_before(index)
        if deploy.get("kind"):
            return str(deploy["kind"])
        if deploy["version"] == live:
            return "promotion"
        # "seen before": live before; a version that was only tried is not returned to
        seen = any(d["version"] == deploy["version"] and d["status"] == "success" for d in self.deploys[:index])
        if seen and live is not None and self.precedes(deploy["version"], live):
            return "rollback"
        if deploy.get("reverts_prs"):
            return "revert"
        return "hotfix" if deploy.get("fixes") else "promotion"

    def precedes(self, version: str, live: str) -> bool:
        """Whether the version stands before the live one; what the order does not name is not known to precede."""
        return version in self.order and live in self.order and self.order.index(version) < self.order.index(live)

    def role(self, index: int) -> str:
        """deployment, rollback, redeploy, failed (a failed attempt of a change) or failed_rollback."""
        deploy, kind = self.deploys[index], self.kind(index)
        if kind == "rollback":
            return "rollback" if deploy["status"] == "success" else "failed_rollback"
        if deploy["status"] != "success":
            return "failed_redeploy" if kind == "redeploy" else "failed"
        if deploy["version"] == self.live_before(index) or kind == "redeploy":
            return "redeploy"
        return "deployment"

    def changes(self) -> list[list[int]]:
        """Runs of attempts of one version, each up to its first success; any other rollout between ends a run."""
        runs: list[list[int]] = []
        for index, role in enumerate(self.roles):
            if role not in ATTEMPTS:
                continue
            last = runs[-1] if runs else None
            same = last is not None and self.deploys[last[-1]]["version"] == self.deploys[index]["version"]
            if last is not None and same and self.roles[last[-1]] == "failed" and last[-1] == index - 1:
                last.append(index)
            else:
                runs.append([index])
        return runs

    def culprit(self, rollback: int, failures: list[Event], recoveries: list[Event]) -> tuple[str | None, set[str]]:
        """The id that the rollback blames, and the ids of all deployments that it withdraws."""
        deploy = self.deploys[rollback]
        put_live = [
            i
            for i in range(rollback)
            if self.roles[i] in ("deployment", "rollback", "redeploy") and self.deploys[i]["version"] == deploy["version"]
        ]
        since = put_live[-1] if put_live else -1  # never seen live: it was so before this history begins
        withdrawn = [i for i in range(since + 1, rollback) if self.roles[i] == "deployment"]
        ids = {self.deploys[i]["id"] for i in withdrawn}
        # a name that leads to no earlier attempt on this lane is no name
        if deploy.get("rolls_back") in [d["id"] for d, r in zip(self.deploys[:rollback], self.roles, strict=False) if r in ATTEMPTS]:
            return deploy["rolls_back"], ids | {deploy["rolls_back"]}
        attempts = [i for i in range(rollback) if self.roles[i] in ATTEMPTS]
        if attempts and self.roles[attempts[-1]] == "failed":
            succeeded = any(self.deploys[i]["status"] == "success" for i in range(attempts[-1] + 1, rollback))
            so_far = [f for f in failures if at(f["at"]) <= at(deploy["at"])]
            closed = explicit([self.deploys[attempts[-1]]["id"]], so_far, recoveries)
            if not succeeded and not (closed and closed <= at(deploy["at"])):
                blamed = self.deploys[attempts[-1]]["id"]
                return blamed, ids | {blamed}
        return (self.deploys[withdrawn[0]]["id"] if withdrawn else None), ids


def explicit(ids: list[str], failures: list[Event], recoveries: list[Event]) -> datetime | None:
    """When the last failure of these deploys was closed by recovery events; None if there is none or one is open.

    Of several recoveries of one failure the last counts.
    """
    linked = [f["id"] for f in failures if f.get("deploy") in ids]
    closed = []
    for failure in linked:
        times = [at(r["at"]) for r in recoveries if r["failure"] == failure]
        if not times:
            return None
        closed.append(max(times))
    return max(closed) if closed else None


def judged(lane: Lane, failures: list[Event], recoveries: list[Event], fixes: list[Event]) -> list[dict[str, Any]]:
    """Every change of a lane: when, whether it failed, since when and until when."""
    runs, deploys = lane.changes(), lane.deploys
    rollbacks = [(i, *lane.culprit(i, failures, recoveries)) for i, role in enumerate(lane.roles) if role == "rollback"]
    answers = []
    for number, run in enumerate(runs):
        ids = [deploys[i]["id"] for i in run]
        failed_at = [i for i in run if lane.roles[i] == "failed"]
        linked = [f for f in failures if f.get("deploy") in ids]
        later = [i for i, role in enumerate(lane.roles) if role == "deployment" and i > run[-1]]
        reverted = [i for i in later if any(first_carrier(lane, runs, pr, i) == number for pr in deploys[i].get("reverts_prs") or [])]
        since = (at(deploys[run[0]]["at"]), deploys[run[0]]["id"])
        fixed = [f for f in fixes if f["id"] not in ids and set(f["fixes"]) & set(ids) and (at(f["at"]), f["id"]) > since]
        blamed = [i for i, who, _ in rollbacks if who in ids]
        withdrawn = [i for i, _, all_of_them in rollbacks if all_of_them & set(ids)]
        ends = [at(deploys[i]["at"]) for i in reverted + withdrawn] + [at(f["at"]) for f in fixed]
        good = [i for i in run if lane.roles[i] == "deployment"]
        ends += pieces(lane, failed_at, good, failures, recoveries, anew=bool(ends and good))
        start = at(deploys[(failed_at or run)[0]]["at"])
        answers.append(
            {
                "ids": ids,
                "at": at(deploys[run[0]]["at"]),
                "team": deploys[run[0]].get("team"),
                "service": deploys[run[0]]["service"],
                "failed": bool(failed_at or linked or blamed or reverted),
                "start": start,
                "first_failure": min((at(f["at"]) for f in linked), default=None),
                "end": min(ends, default=None),
            }
        )
    return answers


def first_carrier(lane: Lane, runs: list[list[int]], pr: int, until: int) -> int | None:
    """The change that first went live with a pull request, up to a revert; a failed one only where none went live."""
    for wanted in ATTEMPTS:
        for number, run in enumerate(runs):
            for i in run:
                if i <= until and lane.roles[i] == wanted and pr in [p["number"] for p in lane.deploys[i].get("prs") or []]:
                    return number
    return None


def pieces(lane: Lane, failed: list[int], good: list[int], failures: list[Event], recoveries: list[Event], *, anew: bool) -> list[datetime]:
    """When the recoveries of all failures, and for failed rollouts the next success, have closed all there is to close.

    `anew`: the change went live on a retry and was taken back later; its own success was not the end then. Nor is it the end of a
    failure that came later.
    """
    ids = [lane.deploys[i]["id"] for i in failed + good]
    closed = explicit(ids, failures, recoveries)
    if closed:
        return [closed]
    after = [at(d["at"]) for d in lane.deploys[failed[-1] + 1 :] if d["status"] == "success"] if failed else []
    if anew or not after:
        return []
    moment = after[0]
    for failure in (f for f in failures if f.get("deploy") in ids):
        own = [at(r["at"]) for r in recoveries if r["failure"] == failure["id"]]
        if good and not own and at(failure["at"]) > after[0]:
            return []
        moment = max([moment, *own])
    return [moment]


def days_begun(start: date, end: date, zone: ZoneInfo, as_of: datetime) -> list[tuple[date, datetime, datetime]]:
    """The local days that begin in [start, min(end, as_of)), with their first instants and the next day's."""
    days, day = [], start
    while day < end:
        first, following = (datetime.combine(d, time(), zone).astimezone(UTC) for d in (day, day + timedelta(days=1)))
        if first < as_of and first < following:
            days.append((day, first, following))
        day += timedelta(days=1)
    return days


def report(
    events: list[Event],
    *,
    start: str,
    end: str,
    tz: str,
    as_of: str,
    stage: str = "prod",
    service: str | None = None,
    team: str | None = None,
    version_order: list[str] | None = None,
) -> dict[str, Any]:
    """The whole answer for one window."""
    now, zone = at(as_of), ZoneInfo(tz)
    alive = known(events, now)
    first = datetime.combine(date.fromisoformat(start), time(), zone).astimezone(UTC)
    last = datetime.combine(date.fromisoformat(end), time(), zone).astimezone(UTC)
    alive = [with_team(e, alive) for e in alive]
    failures = [e for e in alive if e["t"] == "failure"]
    recoveries = [e for e in alive if e["t"] == "recovery"]
    deploys = [e for e in alive if e["t"] == "deploy"]
    fixes = [d for d in deploys if d.get("fixes") and d["stage"] == stage and d["status"] == "success"]
    lanes = {}
    for name in sorted({d["service"] for d in deploys if d["stage"] == stage}):
        own = [d for d in deploys if d["service"] == name]
        order = version_order if version_order is not None else list(dict.fromkeys(d["version"] for d in own))
        lanes[name] = Lane([d for d in own if d["stage"] == stage], order)

    def inside(moment: datetime) -> bool:
        return first <= moment < last

    def mine(event: Event) -> bool:
        return (service is None or event.get("service") == service) and (team is None or event.get("team") == team)

    def counted(lane: Lane, *roles: str) -> list[int]:
        return [i for i, r in enumerate(lane.roles) if r in roles and mine(lane.deploys[i]) and inside(at(lane.deploys[i]["at"]))]

    rollouts = [
        (lane, i)
        for lane in lanes.values()
        for i in counted(lane, "deployment", "rollback", "redeploy", "failed", "failed_rollback", "failed_redeploy")
    ]
    deployed = [(lane, i) for lane, i in rollouts if lane.roles[i] == "deployment"]
    rolled = [1 for lane, i in rollouts if lane.roles[i] == "rollback"]
    leads, invalid = [], 0
    for lane in lanes.values():
        done: set[str] = set()
        for i, role in enumerate(lane.roles):
            if role != "deployment":
                continue
            for commit in lane.deploys[i].get("commits") or []:
                if commit["sha"] in done:
                    continue
                done.add(commit["sha"])
                if i in counted(lane, "deployment") and not lane.deploys[i].get("baseline"):
                    value = (at(lane.deploys[i]["at"]) - at(commit["at"])).total_seconds()
                    invalid += value < 0
                    if value >= 0:
                        leads.append((lane.deploys[i], value))
    changes = [c for lane in lanes.values() for c in judged(lane, failures, recoveries, fixes) if mine(c)]
    dated = [c for c in changes if inside(c["at"])]
    failed = [c for c in dated if c["failed"]]
    mended = [c for c in failed if c["end"]]
    still = sorted((c for c in changes if c["failed"] and c["at"] < last and not c["end"]), key=lambda c: (c["start"], c["ids"]))
    restored = [(c["end"] - c["first_failure"]).total_seconds() for c in mended if c["first_failure"]]
    restored = [value for value in restored if value >= 0]
    days = days_begun(date.fromisoformat(start), date.fromisoformat(end), zone, now)

    def local(moment: datetime) -> date:
        return moment.astimezone(zone).date()

    def rate(part: list[dict[str, Any]]) -> float | None:
        return round(sum(c["failed"] for c in part) / len(part), 6) if part else None

    whens = [local(at(lane.deploys[i]["at"])) for lane, i in deployed]
    weeks: list[dict[str, Any]] = []
    monday = date.fromisoformat(start) + timedelta(days=-date.fromisoformat(start).weekday() % 7)
    while monday + timedelta(days=7) <= date.fromisoformat(end):
        if datetime.combine(monday + timedelta(days=7), time(), zone) > now:
            break
        own_days = [d for d in whens if monday <= d < monday + timedelta(days=7)]
        year, week, _ = monday.isocalendar()
        weeks.append({"week": f"{year}-W{week:02}", "deployments": len(own_days), "deploy_days": len(set(own_days))})
        monday += timedelta(days=7)
    remade = sum(lane.kind(i) in ("hotfix", "revert") for lane, i in deployed) + len(rolled)
    base = len(deployed) + len(rolled)
    return {
        "window_days": len(days),
        "deployments": len(deployed),
        "deployments_per_day": round(len(deployed) / len(days), 6) if days else None,
        "deploy_days": len(set(whens)),
        "rollbacks": len(rolled),
        "redeploys": sum(lane.roles[i] == "redeploy" for lane, i in rollouts),
        "failed_rollouts": sum(lane.deploys[i]["status"] != "success" for lane, i in rollouts),
        "changes": len(dated),
        "failed_changes": len(failed),
        "change_fail_rate": rate(dated),
        "lead_time_s": {
            "n": len(leads),
            "median": percentile([v for _, v in leads], 0.5),
            "p90": percentile([v for _, v in leads], 0.9),
        },
        "lead_time_invalid": invalid,
        "recovery_s": {
            "n": len(mended),
            "median": percentile([(c["end"] - c["start"]).total_seconds() for c in mended], 0.5),
        },
        "time_to_restore_s": {"n": len(restored), "median": percentile(restored, 0.5)},
        "open_failures": [{"ids": c["ids"], "age_s": (now - c["start"]).total_seconds()} for c in still],
        "unlinked_incidents": sum(
            f.get("deploy") is None and f.get("stage") == stage and mine(f) and inside(at(f["at"])) for f in failures
        ),
        "rework_rate": round(remade / base, 6) if base else None,
        "weekly": weeks,
        "deploy_days_per_week_median": median(w["deploy_days"] for w in weeks) if weeks else None,
        "daily": {
            "deployments": [sum(w == day for w in whens) for day, _, _ in days],
            "change_fail_rate": [rate([c for c in dated if local(c["at"]) == day]) for day, _, _ in days],
            "lead_time_median_s": [percentile([v for d, v in leads if local(at(d["at"])) == day], 0.5) for day, _, _ in days],
        },
        "by_service": {
            name: {
                "deployments": sum(lane.deploys[i]["service"] == name for lane, i in deployed),
                "change_fail_rate": rate([c for c in dated if c["service"] == name]),
                "lead_time_median_s": percentile([v for d, v in leads if d["service"] == name], 0.5),
            }
            for name, lane in lanes.items()
            if any(mine(d) for d in lane.deploys)
        },
    }
