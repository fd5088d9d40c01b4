"""Deployment: is the newest spec rolled out, and did its progress deadline run out?

Decides from generation, counters and conditions as `kubectl rollout status`, kstatus and Argo CD do. An exceeded
deadline is not final (a slow pod may still come up); how long it must stand is decided by the watch.
"""

from datetime import datetime
from typing import Any

from bot.domain.rollout import Assessment
from bot.workloads import answers, children
from bot.workloads.answers import Answer
from bot.workloads.fields import condition, count, flag, name, number, observed

KINDS = (("apps", "Deployment"), ("extensions", "Deployment"))
NO_DEADLINE = 2**31 - 1


def assess(obj: dict[str, Any], related: list[dict[str, Any]], now: datetime) -> Assessment:
    """The Deployment's state; `related` may hold its ReplicaSets, Pods and Events, whose words are added."""
    if flag(obj, "spec", "paused"):
        paused = answers.suspended("Deployment is paused")
        return answers.add_up(paused)
    said = answers.add_up(by_kubectl(obj), by_kstatus(obj))
    return children.explain(said, obj, newest_pods(obj, related), related)


def newest_pods(obj: dict[str, Any], related: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pods of the newest ReplicaSet."""
    newest = children.newest_replicaset(obj, related)
    return children.owned_pods(newest, related) if newest is not None else []


def by_kubectl(obj: dict[str, Any]) -> Answer:
    """As `kubectl rollout status deployment` (and Argo CD, which borrowed it) says."""
    if not observed(obj):
        return answers.progressing("Waiting for deployment spec update to be observed...")
    label = name(obj)
    progress = condition(obj, "Progressing")
    if progress is not None and progress.reason == "ProgressDeadlineExceeded":
        return answers.degraded(f'Deployment "{label}" exceeded its progress deadline')
    wanted = number(obj, "spec", "replicas")
    updated = count(obj, "status", "updatedReplicas")
    replicas = count(obj, "status", "replicas")
    available = count(obj, "status", "availableReplicas")
    waiting = f'Waiting for deployment "{label}" rollout to finish: '
    if wanted is not None and updated < wanted:
        return answers.progressing(f"{waiting}{updated} out of {wanted} new replicas have been updated...")
    if replicas > updated:
        return answers.progressing(f"{waiting}{replicas - updated} old replicas are pending termination...")
    if available < updated:
        return answers.progressing(f"{waiting}{available} of {updated} updated replicas are available...")
    return answers.healthy(f'deployment "{label}" successfully rolled out')


def by_kstatus(obj: dict[str, Any]) -> Answer:
    """As kstatus says: stricter about conditions and ready replicas. Asked second, so the generation is looked at there."""
    generation, seen = number(obj, "metadata", "generation"), number(obj, "status", "observedGeneration")
    if generation is not None and seen is not None and generation != seen:
        return answers.progressing(f"Deployment generation is {generation}, but latest observed generation is {seen}")
    progress, available = condition(obj, "Progressing"), condition(obj, "Available")
    if progress is not None and progress.reason == "ProgressDeadlineExceeded":
        return answers.degraded("Progress deadline exceeded")
    wanted = count(obj, "spec", "replicas", default=1)
    replicas = count(obj, "status", "replicas")
    ready = count(obj, "status", "readyReplicas")
    if wanted > replicas:
        return answers.progressing(f"Replicas: {replicas}/{wanted}")
    if replicas > wanted:
        return answers.progressing(f"Pending termination: {replicas - wanted}")
    if wanted > ready:
        return answers.progressing(f"Ready: {ready}/{wanted}")
    no_deadline = count(obj, "spec", "progressDeadlineSeconds", default=NO_DEADLINE) == NO_DEADLINE
    if not no_deadline and not (progress is not None and progress.true and progress.reason == "NewReplicaSetAvailable"):
        return answers.progressing("ReplicaSet not Available")
    if available is None or not available.true:
        return answers.progressing("Deployment not Available")
    return answers.healthy(f"Deployment is available. Replicas: {replicas}")
