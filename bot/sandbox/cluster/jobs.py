"""Jobs and CronJobs: pods that are meant to end.

Decides retries, conditions and counts of a Job, and when a CronJob's schedule makes the next one.
"""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter

from bot.sandbox.cluster.pods import create_pod, is_ready
from bot.sandbox.cluster.resources import CRONJOBS, JOBS, PODS, Obj
from bot.sandbox.cluster.store import stamp
from bot.sandbox.cluster.world import World, is_active, owner_reference, with_status

CONTROLLER_UID = "batch.kubernetes.io/controller-uid"


def _number(value: Any, default: int) -> int:
    return value if isinstance(value, int) and value >= 0 else default


def _phases(pods: list[Obj], phase: str) -> list[Obj]:
    return [pod for pod in pods if (pod.get("status") or {}).get("phase") == phase]


def reconcile_job(world: World, job: Obj) -> float | None:
    """One look: count what ended, start what is missing, say when it is over."""
    spec, status = job["spec"], job.get("status") or {}
    if any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in status.get("conditions") or ()):
        return None
    pods = world.store.owned(PODS, job["metadata"]["uid"])
    good, bad, active = _phases(pods, "Succeeded"), _phases(pods, "Failed"), [pod for pod in pods if is_active(pod)]
    wanted, limit = _number(spec.get("completions"), 1), _number(spec.get("backoffLimit"), 6)
    restarts = sum(int(one.get("restartCount", 0)) for pod in active for one in (pod.get("status") or {}).get("containerStatuses") or ())
    if spec.get("suspend"):
        for pod in active:
            world.store.remove(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])
        _suspend(world, job, status)
        return None
    started = status.get("startTime") or stamp(world.now)
    if len(good) >= wanted:
        _finish(world, job, started, good, bad, "Complete")
        return None
    if len(bad) > limit or restarts > limit:
        _finish(world, job, started, good, bad, "Failed")
        return None
    room = min(_number(spec.get("parallelism"), 1), wanted - len(good)) - len(active)
    again = None
    if room > 0 and bad:
        again = _retry_at(world, bad)
        room = room if world.seconds >= again else 0
    for _ in range(max(0, room)):
        pod = create_pod(world, job, _template(job), labels={"job-name": job["metadata"]["name"], CONTROLLER_UID: job["metadata"]["uid"]})
        world.event(job, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}", source="job-controller")
        active.append(pod)
    _write(world, job, {"startTime": started} | _counts(active, good, bad))
    return again if room <= 0 else None


def _template(job: Obj) -> Obj:
    template: Obj = job["spec"].get("template") or {}
    return template | {"spec": {"restartPolicy": "Never"} | (template.get("spec") or {})}


def _retry_at(world: World, bad: list[Obj]) -> float:
    plans = [world.pods[pod["metadata"]["uid"]].start for pod in bad if pod["metadata"]["uid"] in world.pods]
    return max(plans, default=0.0) + world.pace.pod * (1.5 + min(2.0 ** len(bad), 10.0))


def _counts(active: list[Obj], good: list[Obj], bad: list[Obj]) -> Obj:
    counted = {"active": len(active), "succeeded": len(good), "failed": len(bad)}
    shown: Obj = {key: value for key, value in counted.items() if value}
    return shown | {"terminating": 0, "uncountedTerminatedPods": {}, "ready": sum(is_ready(pod) for pod in active)}


def _condition(world: World, kind: str, reason: str, message: str, status: str = "True") -> Obj:
    at = stamp(world.now)
    return {"type": kind, "status": status, "lastProbeTime": at, "lastTransitionTime": at, "reason": reason, "message": message}


def _finish(world: World, job: Obj, started: str, good: list[Obj], bad: list[Obj], kind: str) -> None:
    """First the criterion (SuccessCriteriaMet, FailureTarget), a moment later the verdict, as the real one does."""
    first = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
    reason = "CompletionsReached" if kind == "Complete" else "BackoffLimitExceeded"
    message = "Reached expected number of succeeded pods" if kind == "Complete" else "Job has reached the specified backoff limit"
    met = _condition(world, first, reason, message)
    base = {"startTime": started} | _counts([], good, bad)
    job = _write(world, job, {"conditions": [met]} | base)
    over: Obj = {"conditions": [met, _condition(world, kind, reason, message)]} | base
    if kind == "Complete":
        over["completionTime"] = stamp(world.now)
    world.event(job, "Completed" if kind == "Complete" else reason, message if kind != "Complete" else "Job completed",
                source="job-controller", warning=kind != "Complete")  # fmt: skip
    _write(world, job, over)


def _suspend(world: World, job: Obj, status: Obj) -> None:
    if any(c["type"] == "Suspended" and c["status"] == "True" for c in status.get("conditions") or ()):
        return
    conditions = [_condition(world, "Suspended", "JobSuspended", "Job suspended")]
    _write(world, job, {"conditions": conditions} | _counts([], [], []))


def _write(world: World, job: Obj, status: Obj) -> Obj:
    resumed = [c for c in (job.get("status") or {}).get("conditions") or () if c["type"] == "Suspended"]
    if resumed and "conditions" not in status:
        status = {"conditions": [_condition(world, "Suspended", "JobResumed", "Job resumed", "False")]} | status
    return world.store.replace(JOBS, with_status(job, status))


def run_cronjob(world: World, cronjob: Obj) -> Obj:
    """Makes the CronJob's next Job now."""
    meta, template = cronjob["metadata"], cronjob["spec"].get("jobTemplate") or {}
    body: Obj = {
        "metadata": {
            "name": f"{meta['name']}-{int(world.seconds // 60)}{world.store.version}",
            "namespace": meta["namespace"],
            "labels": (template.get("metadata") or {}).get("labels") or {},
            "ownerReferences": [owner_reference(cronjob)],
        },
        "spec": template.get("spec") or {},
        "status": {},
    }
    job = world.store.create(JOBS, body, world.now)
    world.event(cronjob, "SuccessfulCreate", f"Created job {job['metadata']['name']}", source="cronjob-controller")
    return job


def reconcile_cronjob(world: World, cronjob: Obj) -> float | None:
    """Runs what the schedule asks for since the last look, keeps three good and one failed Job, sleeps until the next moment."""
    spec, status, uid = cronjob["spec"], cronjob.get("status") or {}, cronjob["metadata"]["uid"]
    try:
        zone = ZoneInfo(str(spec.get("timeZone") or "UTC"))
        upcoming = croniter(str(spec.get("schedule")), world.now.astimezone(zone)).get_next(datetime)
    except (ValueError, KeyError, ZoneInfoNotFoundError):
        return None
    planned = world.progress.get(uid)
    shown: Obj = {key: status[key] for key in ("lastScheduleTime", "lastSuccessfulTime") if key in status}
    if planned is not None and world.seconds >= planned and not spec.get("suspend"):
        run_cronjob(world, cronjob)
        shown["lastScheduleTime"] = stamp(world.now)
        upcoming = croniter(str(spec.get("schedule")), (world.now + timedelta(seconds=1)).astimezone(zone)).get_next(datetime)
    if planned is None or world.seconds >= planned:
        world.progress[uid] = upcoming.timestamp()
    jobs = world.store.owned(JOBS, uid)
    active = [job for job in jobs if not _verdict(job)]
    if done := [job["status"].get("completionTime", "") for job in jobs if _verdict(job) == "Complete"]:
        shown["lastSuccessfulTime"] = max(done)
    for kind, kept in (("Complete", 3), ("Failed", 1)):
        for job in [job for job in jobs if _verdict(job) == kind][:-kept]:
            world.store.remove(JOBS, job["metadata"]["namespace"], job["metadata"]["name"])
    if active:
        shown = {"active": [_reference(job) for job in active]} | shown
    world.store.replace(CRONJOBS, with_status(cronjob, shown))
    return world.progress[uid]


def _verdict(job: Obj) -> str:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return next((str(c["type"]) for c in conditions if c["type"] in ("Complete", "Failed") and c["status"] == "True"), "")


def _reference(job: Obj) -> Obj:
    meta = job["metadata"]
    return {"kind": "Job", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"], "apiVersion": "batch/v1",
            "resourceVersion": meta["resourceVersion"]}  # fmt: skip
