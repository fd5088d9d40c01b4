"""Who decides how many replicas a workload has, beside its own manifest.

Decides from one object which workloads' numbers it rules: an autoscaler its target, an Argo Rollout the Deployment whose template it
borrows, a Flux Kustomization or an Argo CD Application what it patches or is told to leave alone. Pure; what follows is `planning`'s.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.replicas import SCALED, WorkloadKey
from bot.workloads.fields import at, items, kind, text, texts
from bot.workloads.references import ROLLOUT, lender

AUTOSCALERS = frozenset({"HorizontalPodAutoscaler", "ScaledObject"})
DECIDERS = AUTOSCALERS | {ROLLOUT, "Kustomization", "Application"}
PATCHING = ("patches", "patchesStrategicMerge", "patchesJson6902", "components", "namePrefix", "nameSuffix")
IN_ARGO_CD = ("replicas", "patches", "components", "namePrefix", "nameSuffix")


def ruled_by(obj: Mapping[str, Any]) -> tuple[WorkloadKey, ...]:
    """The workloads whose number of replicas the object decides, or may change on the way from git."""
    match kind(obj):
        case "HorizontalPodAutoscaler" | "ScaledObject":
            target = text(obj, "spec", "scaleTargetRef", "name")
            of_kind = text(obj, "spec", "scaleTargetRef", "kind") or "Deployment"
            return ((of_kind, text(obj, "metadata", "namespace"), target),) if target else ()
        case "Rollout":
            lent = lender(obj)
            return (lent,) if lent is not None else ()
        case "Kustomization":
            return tuple(_inventory(obj)) if any(at(obj, "spec", field) for field in PATCHING) else ()
        case "Application":
            return tuple(_left_alone(obj))
    return ()


def called(of_kind: str, namespace: str, named: str) -> str:
    """An object's name, as people write it."""
    return f"{of_kind} {namespace}/{named}"


def _inventory(obj: Mapping[str, Any]) -> Iterator[WorkloadKey]:
    """What a Flux Kustomization applied: its entries are called `namespace_name_group_kind`."""
    for entry in items(obj, "status", "inventory", "entries"):
        parts = text(entry, "id").split("_")
        if len(parts) == 4 and parts[3] in SCALED:
            yield parts[3], parts[0], parts[1]


def _left_alone(obj: Mapping[str, Any]) -> Iterator[WorkloadKey]:
    sources = [at(obj, "spec", "source"), *items(obj, "spec", "sources")]
    rewritten = any(at(source, "plugin") or any(at(source, "kustomize", field) for field in IN_ARGO_CD) for source in sources)
    ignored = [entry for entry in items(obj, "spec", "ignoreDifferences") if _of_replicas(entry)]
    for entry in items(obj, "status", "resources"):
        if kind(entry) in SCALED and (rewritten or any(_covers(rule, entry) for rule in ignored)):
            yield kind(entry), text(entry, "namespace"), text(entry, "name")


def _of_replicas(rule: Mapping[str, Any]) -> bool:
    """Whether a rule of `ignoreDifferences` takes `spec.replicas` out of the comparison."""
    pointers = texts(rule, "jsonPointers")
    whole = any(pointer == "/spec/replicas" or "/spec/replicas".startswith(f"{pointer.rstrip('/')}/") for pointer in pointers)
    return whole or bool(texts(rule, "managedFieldsManagers")) or any("replicas" in path for path in texts(rule, "jqPathExpressions"))


def _covers(rule: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether a rule is about that resource."""
    kinds = kind(rule) in ("", "*", kind(entry))
    return kinds and text(rule, "name") in ("", text(entry, "name")) and text(rule, "namespace") in ("", text(entry, "namespace"))
