"""ReplicaSet (and the older ReplicationController): are all its pods there and available?

Decides from generation, counters and the ReplicaFailure condition as kstatus and Argo CD do. A ReplicaSet that a
Deployment made is judged through the Deployment, not here.
"""

from datetime import datetime
from typing import Any

from bot.domain.rollout import Assessment
from bot.workloads import answers, children
from bot.workloads.answers import Answer
from bot.workloads.fields import condition, count, kind, number, observed

KINDS = (("apps", "ReplicaSet"), ("extensions", "ReplicaSet"), ("", "ReplicationController"))


def assess(obj: dict[str, Any], related: list[dict[str, Any]], now: datetime) -> Assessment:
    """The ReplicaSet's state; `related` may hold its Pods and Events, whose words are added."""
    said = answers.add_up(by_argocd(obj), by_kstatus(obj))
    return children.explain(said, obj, children.owned_pods(obj, related), related)


def by_argocd(obj: dict[str, Any]) -> Answer:
    """As Argo CD says: a failure to create pods is a failure."""
    if not observed(obj):
        return answers.progressing(f"Waiting for {kind(obj)} spec update to be observed...")
    failure = condition(obj, "ReplicaFailure")
    if failure is not None and failure.true:
        return answers.degraded(failure.words)
    wanted, available = number(obj, "spec", "replicas"), count(obj, "status", "availableReplicas")
    if wanted is not None and available < wanted:
        return answers.progressing(f"Waiting for rollout to finish: {available} out of {wanted} new replicas are available...")
    return answers.healthy(f"{kind(obj)} is available. Replicas: {count(obj, 'status', 'replicas')}")


def by_kstatus(obj: dict[str, Any]) -> Answer:
    """As kstatus says: of the newest labels, ready, and none too many."""
    wanted, replicas = count(obj, "spec", "replicas", default=1), count(obj, "status", "replicas")
    ready = count(obj, "status", "readyReplicas")
    labelled = number(obj, "status", "fullyLabeledReplicas")
    if labelled is not None and wanted > labelled:
        return answers.progressing(f"Labelled: {labelled}/{wanted}")
    if wanted > ready:
        return answers.progressing(f"Ready: {ready}/{wanted}")
    if replicas > wanted:
        return answers.progressing(f"Pending termination: {replicas - wanted}")
    return answers.healthy(f"{kind(obj)} is available. Replicas: {replicas}")
