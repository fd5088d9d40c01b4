"""DaemonSet: does every node that should run it run the newest pod, and is it available there?

Decides from generation and counters as `kubectl rollout status`, kstatus and Argo CD do. It has no deadline: an image
that cannot be pulled stops it at the first node for ever, so the watch's time limit judges it.
"""

from datetime import datetime
from typing import Any

from bot.domain.rollout import Assessment
from bot.workloads import answers, children
from bot.workloads.answers import Answer
from bot.workloads.fields import count, name, number, observed, text

KINDS = (("apps", "DaemonSet"), ("extensions", "DaemonSet"))


def assess(obj: dict[str, Any], related: list[dict[str, Any]], now: datetime) -> Assessment:
    """The DaemonSet's state; `related` may hold its Pods and Events, whose words are added."""
    said = answers.add_up(by_kubectl(obj), by_kstatus(obj))
    return children.explain(said, obj, children.owned_pods(obj, related), related)


def rolled_out(obj: dict[str, Any]) -> bool:
    """Whether every scheduled pod has the newest template; OnDelete leaves that to people."""
    return count(obj, "status", "updatedNumberScheduled") >= count(obj, "status", "desiredNumberScheduled")


def by_kubectl(obj: dict[str, Any]) -> Answer:
    """As `kubectl rollout status daemonset` (and Argo CD, which borrowed it) says; OnDelete too waits for its pods."""
    if not observed(obj):
        return answers.progressing("Waiting for daemon set spec update to be observed...")
    desired = count(obj, "status", "desiredNumberScheduled")
    updated = count(obj, "status", "updatedNumberScheduled")
    available = count(obj, "status", "numberAvailable")
    waiting = f'Waiting for daemon set "{name(obj)}" rollout to finish: '
    by_hand = text(obj, "spec", "updateStrategy", "type") == "OnDelete"
    if updated < desired:
        hint = " (OnDelete: a pod is updated when somebody deletes it)" if by_hand else ""
        return answers.progressing(f"{waiting}{updated} out of {desired} new pods have been updated...{hint}")
    if available < desired:
        return answers.progressing(f"{waiting}{available} of {desired} updated pods are available...")
    return answers.healthy(f'daemon set "{name(obj)}" successfully rolled out')


def by_kstatus(obj: dict[str, Any]) -> Answer:
    """As kstatus says: it wants the counters set, and every pod current and ready."""
    if number(obj, "status", "observedGeneration") is None:
        return answers.progressing("DaemonSet status.observedGeneration not found")
    desired = number(obj, "status", "desiredNumberScheduled")
    if desired is None:
        return answers.progressing("Missing .status.desiredNumberScheduled")
    current, ready = count(obj, "status", "currentNumberScheduled"), count(obj, "status", "numberReady")
    if desired > current:
        return answers.progressing(f"Current: {current}/{desired}")
    if desired > ready:
        return answers.progressing(f"Ready: {ready}/{desired}")
    return answers.healthy(f"All replicas scheduled as expected. Replicas: {desired}")
