"""Pod: is it ready, done, on its way, or in trouble, and what does it say itself?

Decides from phase, conditions and container statuses as Argo CD and kstatus do, init containers included. One back-off
is no final verdict on the workload above it (a pod may crash once and then be well); that is left to the watch.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.domain.rollout import Assessment
from bot.workloads import answers
from bot.workloads.answers import Answer
from bot.workloads.fields import at, condition, count, instant, items, number, text

KINDS = (("", "Pod"),)
SCHEDULING_TIME = timedelta(seconds=15)
STARTING = frozenset({"ContainerCreating", "PodInitializing", ""})
FINAL_ERRORS = frozenset({"InvalidImageName", "RegistryUnavailable", "SignatureValidationFailed"})


def assess(obj: dict[str, Any], related: list[dict[str, Any]], now: datetime) -> Assessment:
    """The Pod's state; nothing in `related` is needed."""
    return answers.add_up(by_phase(obj, now))


def by_phase(pod: Mapping[str, Any], now: datetime) -> Answer:
    """The field's rules, phase by phase. A pod that is meant to end (a Job's) is never healthy while it runs."""
    said = trouble(pod)
    phase = text(pod, "status", "phase")
    lives_on = (text(pod, "spec", "restartPolicy") or "Always") == "Always"
    if lives_on and any(in_error(text(entry, "state", "waiting", "reason")) for entry in containers(pod)):
        return answers.degraded(said)
    if phase == "Running" and not is_ready(pod) and any(crash_loops(entry) for entry in containers(pod)):
        return answers.degraded(said)
    match phase:
        case "Succeeded":
            return answers.healthy("Pod has completed successfully")
        case "Failed":
            return answers.degraded(said or text(pod, "status", "message") or "Pod has failed")
        case "Running":
            return by_readiness(pod, said) if lives_on else answers.progressing(said or "Pod is running")
        case "Pending":
            since = instant(pod, "metadata", "creationTimestamp")
            if unschedulable(pod) and since is not None and now - since > SCHEDULING_TIME:
                return answers.degraded(said)
            return answers.progressing(said or "Pod is pending")
        case "":
            return answers.progressing(said or "Pod has no phase yet: nothing has looked at it")
        case _:
            return answers.unknown(said or f"Pod phase is {phase}")


def by_readiness(pod: Mapping[str, Any], said: str) -> Answer:
    """A running pod of a service: ready, crashed before, or still starting."""
    if is_ready(pod):
        return answers.healthy("Pod is ready")
    if any(at(entry, "lastState", "terminated") is not None for entry in items(pod, "status", "containerStatuses")):
        return answers.degraded(said or "a container of the pod was terminated")
    return answers.progressing(said or "Pod is running but is not ready")


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Whether its Ready condition stands; readiness gates and sidecars count in it."""
    ready = condition(pod, "Ready")
    return ready is not None and ready.true


def crash_loops(status: Mapping[str, Any]) -> bool:
    """Whether a container waits before it is started once more; for kstatus a failure of a Job's pod too."""
    return text(status, "state", "waiting", "reason") == "CrashLoopBackOff"


def in_error(reason: str) -> bool:
    """Whether a container waits because of an error. CreateContainerConfigError never becomes a BackOff."""
    return reason.startswith("Err") or reason.endswith(("Error", "BackOff")) or reason in FINAL_ERRORS


def containers(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The statuses of its init containers, then of its containers."""
    yield from items(pod, "status", "initContainerStatuses")
    yield from items(pod, "status", "containerStatuses")


def unschedulable(pod: Mapping[str, Any]) -> bool:
    """Whether the scheduler found no node for it."""
    scheduled = condition(pod, "PodScheduled")
    return scheduled is not None and scheduled.status == "False" and scheduled.reason == "Unschedulable"


def trouble(pod: Mapping[str, Any]) -> str:
    """What is wrong with the pod in its own words; empty when nothing is.

    Waiting reasons alternate (ErrImagePull and ImagePullBackOff; Error, running, CrashLoopBackOff), so the way the last
    run ended and the number of restarts are looked at too.
    """
    scheduled = condition(pod, "PodScheduled")
    if unschedulable(pod) and scheduled is not None:
        return f"Unschedulable: {scheduled.message}"
    for status in containers(pod):
        said = container_trouble(status)
        if said:
            return said
    if text(pod, "status", "phase") == "Failed":
        return ": ".join(part for part in (text(pod, "status", "reason"), text(pod, "status", "message")) if part)
    return ""


def container_trouble(status: Mapping[str, Any]) -> str:
    """One container's trouble: why it waits, how it ended, or how its last run ended."""
    label = f'container "{text(status, "name")}"'
    waiting = text(status, "state", "waiting", "reason")
    if in_error(waiting):
        message = text(status, "state", "waiting", "message")
        told = f"{label}: {waiting}" + (f": {message}" if message else "")
        ended = ending(status, "lastState")
        return f"{told} (last run: {ended})" if ended else told
    ended = ending(status, "state")
    if ended:
        return f"{label} ended: {ended}"
    last = ending(status, "lastState")
    if last and not status.get("ready"):
        return f"{label} restarted {count(status, 'restartCount')} times; last run: {last}"
    if waiting not in STARTING:
        return f"{label} waits: {waiting}"
    return ""


def ending(status: Mapping[str, Any], key: str) -> str:
    """How a run ended where it did not end well: its reason, exit code and message."""
    code = number(status, key, "terminated", "exitCode")
    if not code:
        return ""
    reason = text(status, key, "terminated", "reason") or "Error"
    message = text(status, key, "terminated", "message").strip()
    return f"{reason}, exit code {code}" + (f": {message}" if message else "")


def crashes(pod: Mapping[str, Any]) -> int:
    """How often its containers were started again."""
    return sum(count(status, "restartCount") for status in containers(pod))
