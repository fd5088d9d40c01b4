"""Argo Rollouts: rolled as a Deployment is, with a template of their own or one that a workload lends them (`workloadRef`).

Decides which template counts, what the status says of the lender's generation, and when the lender is scaled down (`scaleDown`).
A reference that names nothing is an invalid spec, as the real controller says.
"""

from dataclasses import dataclass

from bot.sandbox.cluster.deployments import reconcile_deployment
from bot.sandbox.cluster.resources import ROLLOUTS, Obj, Resource
from bot.sandbox.cluster.store import Change, Store
from bot.sandbox.cluster.world import World, resource_key, set_condition, with_status

LENDERS = ("Deployment", "ReplicaSet", "PodTemplate")
WORKLOAD_GENERATION = "rollout.argoproj.io/workload-generation"


@dataclass(frozen=True, slots=True)
class Borrowers:
    """Wakes the Rollouts that use a changed workload's template."""

    world: World

    def __call__(self, change: Change) -> None:
        meta = change.obj["metadata"]
        if change.resource.kind not in LENDERS:
            return
        for rollout in self.world.store.all(ROLLOUTS):
            named = reference_of(rollout)
            same = rollout["metadata"].get("namespace") == meta.get("namespace")
            if same and named is not None and (named.get("kind"), named.get("name")) == (change.resource.kind, meta["name"]):
                self.world.wake(resource_key(ROLLOUTS, rollout), self.world.seconds + self.world.pace.lag)


def reference_of(rollout: Obj) -> Obj | None:
    """The `workloadRef`, where there is one."""
    found = (rollout.get("spec") or {}).get("workloadRef")
    return found if isinstance(found, dict) else None


def lender(store: Store, rollout: Obj) -> tuple[Resource, Obj] | None:
    """The workload whose template the Rollout uses; None where it is not there."""
    named = reference_of(rollout) or {}
    if named.get("kind") not in LENDERS:
        return None
    resource = store.catalog.by_kind(str(named.get("apiVersion", "apps/v1")), str(named["kind"]))
    found = store.get(resource, rollout["metadata"].get("namespace", ""), str(named.get("name", "")))
    return (resource, found) if found is not None else None


def reconcile_rollout(world: World, rollout: Obj) -> float | None:
    """One look at a Rollout."""
    named = reference_of(rollout)
    if named is None:
        return reconcile_deployment(world, rollout)
    found = lender(world.store, rollout)
    if found is None or (rollout["spec"].get("template") or {}).get("spec"):
        about = f"spec.workloadRef.name: Invalid value: {named.get('name')!r}: {named.get('kind')} not found"
        _invalid(world, rollout, about if found is None else "spec.template: must be empty for workload reference rollout")
        return None
    resource, source = found
    spec = source["spec"] if source["kind"] != "PodTemplate" else source
    lent = {"selector": spec.get("selector") or {}, "template": spec.get("template") or {}}
    before = rollout.get("status") or {}
    kept = before | {"conditions": [one for one in before.get("conditions") or () if one["type"] != "InvalidSpec"]}
    spec = lent | rollout["spec"] | {"template": lent["template"]}
    again = reconcile_deployment(world, rollout | {"spec": spec, "status": kept})
    _saw(world, rollout, source)
    _scale_down(world, rollout, resource, source)
    return again


def template_of(store: Store, rollout: Obj) -> Obj:
    """The template that the Rollout's pods are made from."""
    found = lender(store, rollout) if reference_of(rollout) is not None else None
    spec = found[1].get("spec", found[1]) if found is not None else rollout.get("spec") or {}
    template: Obj = spec.get("template") or {}
    return template


def _current(world: World, rollout: Obj) -> Obj:
    meta = rollout["metadata"]
    return world.store.get(ROLLOUTS, meta.get("namespace", ""), meta["name"]) or rollout


def _saw(world: World, rollout: Obj, source: Obj) -> None:
    """Which generation of the lender the status speaks of, as a text, in annotation and status alike."""
    current, seen = _current(world, rollout), str(source["metadata"].get("generation", ""))
    status = (current.get("status") or {}) | {"workloadObservedGeneration": seen}
    world.store.replace(ROLLOUTS, with_status(current, status, {WORKLOAD_GENERATION: seen}))


def _scale_down(world: World, rollout: Obj, resource: Resource, source: Obj) -> None:
    """The lender's own pods go when the Rollout's are healthy, where it asks for that."""
    asked = (reference_of(rollout) or {}).get("scaleDown", "never") in ("onsuccess", "progressively")
    healthy = (_current(world, rollout).get("status") or {}).get("phase") == "Healthy"
    if asked and healthy and source["kind"] == "Deployment" and source["spec"].get("replicas") != 0:
        world.store.replace(resource, source | {"metadata": dict(source["metadata"]), "spec": source["spec"] | {"replicas": 0}})


def _invalid(world: World, rollout: Obj, why: str) -> None:
    message = f'The Rollout "{rollout["metadata"]["name"]}" is invalid: {why}'
    before = rollout.get("status") or {}
    conditions = set_condition(list(before.get("conditions") or ()), world.now, "InvalidSpec", "True", "InvalidSpec", message)
    status = before | {
        "observedGeneration": str(rollout["metadata"]["generation"]),
        "phase": "Degraded",
        "message": f"InvalidSpec: {message}",
        "conditions": conditions,
    }
    world.store.replace(ROLLOUTS, with_status(rollout, status))
