"""The objects below a workload: which of them belong to its newest template, and what they say.

Decides which words explain a workload that is not healthy; never its state. Pods of three ReplicaSets may be there at
once, so they are found by owner and revision, not by label alone. Quota and a missing ServiceAccount leave no pod
to look at: then the events and conditions of the maker speak.
"""

from typing import Any

from bot.domain.rollout import Assessment, RolloutState
from bot.workloads import pod as pods
from bot.workloads.fields import condition, kind, of_kind, owned_by, text, uid

REVISION = "deployment.kubernetes.io/revision"
QUIET = frozenset({RolloutState.HEALTHY, RolloutState.SUSPENDED})
TELLING_EVENTS = frozenset({"FailedCreate", "FailedScheduling", "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"})
LONGEST = 400


def explain(said: Assessment, obj: dict[str, Any], newest: list[dict[str, Any]], related: list[dict[str, Any]]) -> Assessment:
    """The assessment with the words of the worst pod, or of its makers, added; unchanged where all is well."""
    if said.state in QUIET:
        return said
    words = pod_words(newest) or maker_words(obj, related)
    if not words or words in said.reason:
        return said
    return Assessment(state=said.state, reason=f"{said.reason.rstrip('. ')}. {shortened(words)}")


def shortened(words: str) -> str:
    """The words on one line, cut where they run on (a kustomize error may be pages long)."""
    line = " ".join(words.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def owned_pods(obj: dict[str, Any], related: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pods that the object made itself."""
    return [entry for entry in of_kind(related, "Pod") if owned_by(entry, uid(obj))]


def pods_of_revision(obj: dict[str, Any], related: list[dict[str, Any]], revision: str) -> list[dict[str, Any]]:
    """The pods that the object made from one of its revisions."""
    label = ("metadata", "labels", "controller-revision-hash")
    return [entry for entry in owned_pods(obj, related) if text(entry, *label) == revision]


def newest_replicaset(obj: dict[str, Any], related: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The Deployment's ReplicaSet of its newest revision; a rollback gives an old ReplicaSet the newest number again."""
    owned = [entry for entry in of_kind(related, "ReplicaSet") if owned_by(entry, uid(obj))]
    return max(owned, key=revision_number, default=None)


def revision_number(replicaset: dict[str, Any]) -> int:
    """The revision that the controller wrote on a ReplicaSet; -1 where it wrote none."""
    written = text(replicaset, "metadata", "annotations", REVISION)
    return int(written) if written.isascii() and written.isdigit() else -1


def pod_words(newest: list[dict[str, Any]]) -> str:
    """What the pod in the deepest trouble says, with its name; empty when none is in trouble."""
    troubled = [(pods.crashes(entry), text(entry, "metadata", "name"), pods.trouble(entry)) for entry in newest]
    told = sorted((crashes, name, words) for crashes, name, words in troubled if words)
    if not told:
        return ""
    _, name, words = told[-1]
    others = f" ({len(told)} of {len(newest)} pods)" if len(newest) > 1 else ""
    return f"Pod {name}: {words}{others}"


def maker_words(obj: dict[str, Any], related: list[dict[str, Any]]) -> str:
    """Why no pod could be made: the object's or its newest ReplicaSet's failure, else its latest telling event."""
    replicaset = newest_replicaset(obj, related)
    makers = [obj] if replicaset is None else [replicaset, obj]
    for maker in makers:
        failure = condition(maker, "ReplicaFailure")
        if failure is not None and failure.true:
            return failure.words
    known = {uid(maker) for maker in makers}
    told = [
        event
        for event in of_kind(related, "Event")
        if text(event, "type") == "Warning" and text(event, "reason") in TELLING_EVENTS and text(event, "involvedObject", "uid") in known
    ]
    latest = max(told, key=lambda event: text(event, "lastTimestamp"), default=None)
    if latest is None:
        return ""
    return f"{kind(latest.get('involvedObject', {}))}: {text(latest, 'reason')}: {text(latest, 'message')}"
