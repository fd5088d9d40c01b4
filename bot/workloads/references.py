"""The workload whose pod template an Argo Rollout borrows (`spec.workloadRef`).

Decides only which object is meant: the named one in the Rollout's own namespace. It is no child of the Rollout, has no pods while the
Rollout runs them, and must not be taken for the running part.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.workloads.family import Key
from bot.workloads.fields import at, kind, name, text

ROLLOUT = "Rollout"
LENDERS = frozenset({"Deployment", "ReplicaSet", "PodTemplate"})


def lender(obj: Mapping[str, Any]) -> Key | None:
    """(kind, namespace, name) of the workload whose template the Rollout uses; None where it has a template of its own."""
    if kind(obj) != ROLLOUT or not isinstance(at(obj, "spec", "workloadRef"), Mapping):
        return None
    named = text(obj, "spec", "workloadRef", "name")
    return (text(obj, "spec", "workloadRef", "kind"), text(obj, "metadata", "namespace"), named) if named else None


def template_of(obj: Mapping[str, Any], related: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The workload among `related` whose template the Rollout uses; None where it is not there, or none is used."""
    wanted = lender(obj)
    if wanted is None:
        return None
    for entry in related:
        if (kind(entry), text(entry, "metadata", "namespace"), name(entry)) == wanted:
            return entry
    return None
