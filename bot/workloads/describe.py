"""Turns an object into the noun that the rest of the bot works with.

Decides where each kind keeps its images, its wanted replicas and its agent's revision. How it stands is decided by `assess`.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.domain.rollout import RolloutState, WorkloadRef, WorkloadState
from bot.workloads import assess, children, pod, references, revisions, rule_for
from bot.workloads.fields import at, flag, items, kind, name, number, strings, text, texts, uid

TEMPLATES = (("spec", "template", "spec"), ("spec", "jobTemplate", "spec", "template", "spec"))


def reference(obj: Mapping[str, Any]) -> WorkloadRef:
    """The object's name in its cluster."""
    return WorkloadRef(kind=kind(obj), namespace=text(obj, "metadata", "namespace"), name=name(obj), api_version=text(obj, "apiVersion"))


def describe(
    obj: dict[str, Any],
    *,
    related: list[dict[str, Any]] = [],  # noqa: B006  never changed
    at: datetime,
    revisions_wanted: Collection[str] | None = None,
) -> WorkloadState:
    """The workload as it stood at `at` (UTC); `related` and `revisions_wanted` as in `assess`."""
    said = assess(obj, related=related, now=at, revisions_wanted=revisions_wanted)
    known = rule_for(obj)
    newest = getattr(known, "newest_pods", children.owned_pods)(obj, related)
    taken = revisions.applied(obj)
    return WorkloadState(
        ref=reference(obj),
        images=images(references.template_of(obj, related) or obj),
        state=said.state,
        reason=said.reason,
        observed_at=at,
        revision=",".join(taken) or None,
        uid=uid(obj),
        generation=number(obj, "metadata", "generation"),
        replicas=number(obj, "spec", "replicas"),
        rolled_out=known.rolled_out(obj) if known is not None and hasattr(known, "rolled_out") else True,
        restarts=sum(pod.crashes(entry) for entry in newest),
        labels=strings(obj, "metadata", "labels"),
        annotations=strings(obj, "metadata", "annotations"),
        owner=controller(obj),
    )


def until_rolled_out(state: WorkloadState) -> WorkloadState:
    """The state for everybody who looks at `state` alone: healthy without the wanted template on every pod is progressing.

    An OnDelete StatefulSet is healthy by the field's rules at once, though no pod runs the new image.
    """
    if state.state is not RolloutState.HEALTHY or state.rolled_out:
        return state
    reason = f"not every pod has the newest template yet: {state.reason}"
    return replace(state, state=RolloutState.PROGRESSING, reason=reason)


def gone(ref: WorkloadRef, *, at: datetime, reason: str) -> WorkloadState:
    """The state of a workload that is not there: unknown, with no images."""
    return WorkloadState(ref=ref, images=(), state=RolloutState.UNKNOWN, reason=reason, observed_at=at)


def images(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """All images that the object wants to run, init containers first; for an Argo CD Application those it says run.

    A Rollout with a `workloadRef` has none of its own: hand in the workload that it refers to.
    """
    if kind(obj) == "Application":
        return tuple(texts(obj, "status", "summary", "images"))
    paths = (("spec",),) if kind(obj) == "Pod" else TEMPLATES
    for path in paths:
        spec = at(obj, *path)
        if isinstance(spec, Mapping):
            listed = items(spec, "initContainers") + items(spec, "containers")
            return tuple(found for found in (text(entry, "image") for entry in listed) if found)
    return ()


def controller(obj: Mapping[str, Any]) -> WorkloadRef | None:
    """The object that made and keeps this one, where there is one."""
    for entry in items(obj, "metadata", "ownerReferences"):
        if flag(entry, "controller"):
            return WorkloadRef(
                kind=kind(entry),
                namespace=text(obj, "metadata", "namespace"),
                name=text(entry, "name"),
                api_version=text(entry, "apiVersion"),
            )
    return None
