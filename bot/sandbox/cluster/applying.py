"""The agent's hand: rendered objects become the cluster's objects, and what is no longer rendered goes.

Decides what is created, changed, pruned or left alone. Status, identity and what controllers wrote stay. Keeps, for
each agent object (Application, Kustomization, HelmRelease), the inventory of what it brought and its revision.
"""

import json
from copy import deepcopy
from dataclasses import dataclass, field

from bot.sandbox.cluster.defaults import refusal, with_defaults
from bot.sandbox.cluster.render import Item, Rendered
from bot.sandbox.cluster.resources import JOBS, NAMESPACES, Obj, Resource
from bot.sandbox.cluster.store import Store
from bot.sandbox.cluster.world import Key, World, resource_key

Owner = tuple[str, str, str]
ROOT: Owner = ("", "", "")


@dataclass(slots=True)
class Inventory:
    """What one owner brought: its objects, and the revision they were rendered from."""

    revision: str = ""
    keys: list[Key] = field(default_factory=list)
    synced_at: float = 0.0
    changed: bool = False


@dataclass(slots=True)
class Ledger:
    """What the agent applied, so that it can tell its own change from somebody else's."""

    applied: dict[Key, str] = field(default_factory=dict)
    inventories: dict[Owner, Inventory] = field(default_factory=dict)
    owner_of: dict[Key, Owner] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def apply(world: World, ledger: Ledger, rendered: Rendered, commit: str, *, force: bool = False) -> None:
    """Brings the cluster to a commit. `force` also takes back changes that others made."""
    store, seen = world.store, dict[Key, str]()
    inventories: dict[Owner, Inventory] = {ROOT: Inventory(revision=commit)}
    ledger.problems = list(rendered.problems)
    for item in _namespaced(rendered.items):
        reason = refusal(item.obj)
        if reason is not None:
            ledger.problems.append(f"{item.obj.get('kind')} {item.obj['metadata'].get('name')}: {reason}")
            continue
        resource = store.catalog.by_kind(item.obj["apiVersion"], item.obj["kind"])
        wanted = with_defaults(_placed(resource, item.obj))
        key = resource_key(resource, wanted)
        if key in seen:
            continue
        seen[key] = json.dumps(wanted, sort_keys=True, default=str)
        owner = item.owner or ROOT
        inventory = inventories.setdefault(owner, Inventory(revision=rendered.revisions.get(owner, commit)))
        inventory.keys.append(key)
        if _put(world, resource, wanted, changed=ledger.applied.get(key) != seen[key], force=force):
            inventory.changed = True
    for key in ledger.applied.keys() - seen.keys():
        _prune(store, key)
    for owner, inventory in inventories.items():
        before = ledger.inventories.get(owner)
        same = before is not None and before.revision == inventory.revision and not inventory.changed
        inventory.synced_at = before.synced_at if same and before else world.seconds
    ledger.applied, ledger.inventories = seen, inventories
    ledger.owner_of = {key: owner for owner, inventory in inventories.items() for key in inventory.keys}


def _placed(resource: Resource, obj: Obj) -> Obj:
    fresh = deepcopy(obj) | {"apiVersion": resource.api_version, "kind": resource.kind}
    fresh.pop("status", None)
    if resource.namespaced:
        fresh["metadata"].setdefault("namespace", "default")
    else:
        fresh["metadata"].pop("namespace", None)
    for key in ("uid", "resourceVersion", "generation", "creationTimestamp", "ownerReferences", "deletionTimestamp"):
        fresh["metadata"].pop(key, None)
    return fresh


def _namespaced(items: list[Item]) -> list[Item]:
    """The items with every namespace that they use in front."""
    declared = {item.obj["metadata"]["name"] for item in items if item.obj["kind"] == "Namespace"}
    used = {item.obj["metadata"].get("namespace", "default") for item in items if item.obj["kind"] != "Namespace"}
    missing = sorted(name for name in used - declared if isinstance(name, str))
    made = [Item(obj={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}) for name in missing]
    first = [item for item in items if item.obj["kind"] == "Namespace"]
    return made + first + [item for item in items if item.obj["kind"] != "Namespace"]


def _put(world: World, resource: Resource, wanted: Obj, *, changed: bool, force: bool) -> bool:
    meta = wanted["metadata"]
    current = world.store.get(resource, meta.get("namespace", ""), meta["name"])
    if current is None:
        if resource is NAMESPACES:
            wanted = wanted | {"status": {"phase": "Active"}}
        world.store.create(resource, wanted, world.now)
        return True
    if not changed and not force:
        return False
    if resource is JOBS and current["spec"].get("template") != wanted["spec"].get("template"):
        world.store.remove(resource, meta.get("namespace", ""), meta["name"])
        world.store.create(resource, wanted, world.now)
        return True
    annotations = (current["metadata"].get("annotations") or {}) | (meta.get("annotations") or {})
    fresh_meta = current["metadata"] | {"labels": meta.get("labels") or {}} | ({"annotations": annotations} if annotations else {})
    if not fresh_meta["labels"]:
        fresh_meta.pop("labels")
    kept = {key: current[key] for key in ("status",) if key in current}
    return world.store.replace(resource, wanted | {"metadata": fresh_meta} | kept) is not current


def _prune(store: Store, key: Key) -> None:
    resource = next((r for r in store.catalog.resources.values() if (r.group, r.plural) == key[:2]), None)
    if resource is not None and resource is not NAMESPACES:
        store.remove(resource, key[2], key[3])
