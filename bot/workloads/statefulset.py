"""StatefulSet: are the pods that its strategy updates by itself all new and ready?

Decides from generation and counters as `kubectl rollout status`, kstatus and Argo CD do. It has no conditions and no
deadline: a broken one progresses for ever, so the watch's time limit judges it. With OnDelete the field calls it healthy
although no pod is new; that not every pod has the newest template is said by `rolled_out`.
"""

from datetime import datetime
from typing import Any

from bot.domain.rollout import Assessment
from bot.workloads import answers, children
from bot.workloads.answers import Answer
from bot.workloads.fields import count, number, text

KINDS = (("apps", "StatefulSet"),)


def assess(obj: dict[str, Any], related: list[dict[str, Any]], now: datetime) -> Assessment:
    """The StatefulSet's state; `related` may hold its Pods and Events, whose words are added."""
    said = answers.add_up(by_kubectl(obj), by_kstatus(obj))
    return children.explain(said, obj, newest_pods(obj, related), related)


def newest_pods(obj: dict[str, Any], related: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pods made from the newest template."""
    return children.pods_of_revision(obj, related, text(obj, "status", "updateRevision"))


def strategy(obj: dict[str, Any]) -> str:
    """The update strategy; the API fills in RollingUpdate."""
    return text(obj, "spec", "updateStrategy", "type") or "RollingUpdate"


def rolled_out(obj: dict[str, Any]) -> bool:
    """Whether every pod that the strategy means to update has the newest template (a partition keeps the others), and at least one:
    where a partition keeps all of them, nothing has shown yet that the newest template runs."""
    wanted = count(obj, "spec", "replicas", default=1)
    kept = count(obj, "spec", "updateStrategy", "rollingUpdate", "partition") if strategy(obj) == "RollingUpdate" else 0
    return count(obj, "status", "updatedReplicas") >= max(wanted - kept, min(wanted, 1))


def by_kubectl(obj: dict[str, Any]) -> Answer:
    """As `kubectl rollout status statefulset` (and Argo CD, which borrowed it) says; for OnDelete as Argo CD alone."""
    seen = count(obj, "status", "observedGeneration")
    if seen == 0 or count(obj, "metadata", "generation") > seen:
        return answers.progressing("Waiting for statefulset spec update to be observed...")
    wanted = number(obj, "spec", "replicas")
    ready = count(obj, "status", "readyReplicas")
    if wanted is not None and ready < wanted:
        return answers.progressing(f"Waiting for {wanted - ready} pods to be ready...")
    updated = count(obj, "status", "updatedReplicas")
    if strategy(obj) == "OnDelete":
        return answers.healthy(f"statefulset has {ready} ready pods, {updated} of them new: OnDelete updates a pod when it is deleted")
    partition = number(obj, "spec", "updateStrategy", "rollingUpdate", "partition")
    if wanted is not None and partition is not None:
        if updated < wanted - partition:
            return answers.progressing(
                f"Waiting for partitioned roll out to finish: {updated} out of {wanted - partition} new pods have been updated..."
            )
        kept = f" (the partition keeps {partition} of {wanted} back)" if partition > 0 else ""
        return answers.healthy(f"partitioned roll out complete: {updated} new pods have been updated...{kept}")
    revision, current = text(obj, "status", "updateRevision"), text(obj, "status", "currentRevision")
    if revision != current:
        return answers.progressing(f"waiting for statefulset rolling update to complete {updated} pods at revision {revision}...")
    return answers.healthy(f"statefulset rolling update complete {count(obj, 'status', 'currentReplicas')} pods at revision {current}...")


def by_kstatus(obj: dict[str, Any]) -> Answer | None:
    """As kstatus says; it calls every OnDelete StatefulSet current, which says nothing."""
    if strategy(obj) == "OnDelete":
        return None
    wanted = count(obj, "spec", "replicas", default=1)
    replicas, ready = count(obj, "status", "replicas"), count(obj, "status", "readyReplicas")
    if wanted > replicas:
        return answers.progressing(f"Replicas: {replicas}/{wanted}")
    if wanted > ready:
        return answers.progressing(f"Ready: {ready}/{wanted}")
    if replicas > wanted:
        return answers.progressing(f"Pending termination: {replicas - wanted}")
    if number(obj, "spec", "updateStrategy", "rollingUpdate", "partition") is None:
        current = count(obj, "status", "currentReplicas")
        if wanted > current:
            return answers.progressing(f"current: {current}/{wanted}")
    return answers.healthy(f"All replicas scheduled as expected. Replicas: {replicas}")
