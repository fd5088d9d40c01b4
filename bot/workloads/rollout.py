"""Argo Rollout: how far is the canary or the blue-green switch?

Decides from the phase that the controller writes (since 1.0), else from the older fields, and in both cases only where the
status is of the present generation. `status.observedGeneration` is a text, once a hash. An aborted rollout is degraded although
the old version serves; a pause, a person's or a step's, is suspended.
"""

from datetime import datetime
from typing import Any

from bot.domain.rollout import Assessment
from bot.workloads import answers, children, references
from bot.workloads.answers import Answer
from bot.workloads.fields import at, condition, conditions, count, flag, items, kind, name, number, owned_by, text, uid

KINDS = (("argoproj.io", "Rollout"),)
FAILURES = frozenset({"RolloutAborted", "ProgressDeadlineExceeded"})
WORKLOAD_GENERATION = "rollout.argoproj.io/workload-generation"


def assess(obj: dict[str, Any], related: list[dict[str, Any]], now: datetime) -> Assessment:
    """The Rollout's state; `related` may hold its ReplicaSets, Pods and Events, whose words are added."""
    answer = by_status(obj) if not behind(obj, related) else answers.progressing(behind(obj, related))
    return children.explain(answers.add_up(answer), obj, newest_pods(obj, related), related)


def behind(obj: dict[str, Any], related: list[dict[str, Any]]) -> str:
    """Why the status is not of the newest template of the workload that the Rollout refers to; empty when it is.

    The controller copies that workload's generation into the Rollout a moment after it changed: until then the Rollout's own word
    is about the older template.
    """
    source = references.template_of(obj, related)
    seen = written_number(at(obj, "status", "workloadObservedGeneration"))
    newest = None if source is None else number(source, "metadata", "generation")
    if source is None or newest is None or seen is None or seen == newest:
        return ""
    return (
        f"Waiting for rollout spec update to be observed: {kind(source)} {name(source)} is at generation {newest}, the Rollout saw {seen}"
    )


def by_status(obj: dict[str, Any]) -> Answer:
    """The phase where there is one, else the older rules."""
    if not observed(obj):
        return answers.progressing("Waiting for rollout spec update to be observed")
    phase, message = text(obj, "status", "phase"), text(obj, "status", "message")
    match phase:
        case "Paused":
            return answers.suspended(message or "Rollout is paused")
        case "Healthy":
            return answers.healthy(message or f'Rollout "{name(obj)}" is healthy')
        case "Degraded":
            return answers.degraded(message or f'Rollout "{name(obj)}" is degraded')
        case "Progressing":
            return answers.progressing(message or f'Rollout "{name(obj)}" is progressing')
        case "":
            return by_older_fields(obj)
        case _:
            return answers.unknown(f'Rollout "{name(obj)}" is in the phase {phase}: {message or "no rule knows it"}')


def observed(obj: dict[str, Any]) -> bool:
    """Whether the status is of the present generation, and of the workload's that it refers to."""
    generation = count(obj, "metadata", "generation")
    seen = written_number(at(obj, "status", "observedGeneration"))
    if at(obj, "status") is None or (seen is None and not text(obj, "status", "observedGeneration")):
        return False
    if seen is not None and seen < generation:
        return False
    asked = written_number(at(obj, "metadata", "annotations", WORKLOAD_GENERATION))
    done = written_number(at(obj, "status", "workloadObservedGeneration"))
    return at(obj, "spec", "workloadRef") is None or asked is None or done is None or asked == done


def written_number(value: object) -> int | None:
    """A number or the text of one. Old controllers wrote a hash, which may be all digits: larger than any generation."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def by_older_fields(obj: dict[str, Any]) -> Answer:
    """The rules for controllers before 1.0, which write no phase."""
    invalid = condition(obj, "InvalidSpec")
    if invalid is not None:
        return answers.degraded(invalid.message or invalid.words)
    failed = next((entry for entry in conditions(obj) if entry.type == "Progressing" and entry.reason in FAILURES), None)
    if failed is not None:
        return answers.degraded(failed.message or failed.words)
    if flag(obj, "spec", "paused") or items(obj, "status", "pauseConditions"):
        return answers.suspended("Rollout is paused")
    waiting = by_replicas(obj)
    if waiting is not None:
        return waiting
    current = text(obj, "status", "currentPodHash")
    stable = text(obj, "status", "stableRS") or text(obj, "status", "canary", "stableRS")
    if at(obj, "spec", "strategy", "blueGreen") is not None:
        if not current or text(obj, "status", "blueGreen", "activeSelector") != current:
            return answers.progressing("The current pod spec is not receiving traffic from the active service")
        if stable and stable != current:
            return answers.progressing("waiting for analysis to complete")
        return answers.healthy("the active Service serves the current pods")
    if current and stable == current:
        return answers.healthy("all steps are done")
    return answers.progressing("Waiting for rollout to finish steps")


def by_replicas(obj: dict[str, Any]) -> Answer | None:
    """What the counters still wait for; None when they wait for nothing."""
    wanted = number(obj, "spec", "replicas")
    replicas, updated = count(obj, "status", "replicas"), count(obj, "status", "updatedReplicas")
    waiting = "Waiting for roll out to finish: "
    if updated < (1 if wanted is None else wanted):
        return answers.progressing(f"{waiting}More replicas need to be updated")
    if at(obj, "spec", "strategy", "canary") is not None and replicas > updated:
        return answers.progressing(f"{waiting}old replicas are pending termination")
    if count(obj, "status", "availableReplicas") < updated:
        return answers.progressing(f"{waiting}updated replicas are still becoming available")
    return None


def newest_pods(obj: dict[str, Any], related: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pods of the ReplicaSet that carries the current pod hash."""
    current = text(obj, "status", "currentPodHash")
    for entry in related:
        hashed = text(entry, "metadata", "labels", "rollouts-pod-template-hash")
        if kind(entry) == "ReplicaSet" and current and hashed == current and owned_by(entry, uid(obj)):
            return children.owned_pods(entry, related)
    return []
