"""What runs in a cluster, read from the cluster itself and by no rule of the bot's.

Decides for each workload which images its pod template wants, which its ready pods really run, and how it is. The
demo and the end-to-end tests check the bot by this.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.sandbox.cluster.health import health
from bot.sandbox.cluster.images import full_name, image
from bot.sandbox.cluster.pods import is_ready
from bot.sandbox.cluster.resources import CRONJOBS, DAEMONSETS, DEPLOYMENTS, JOBS, PODS, REPLICASETS, ROLLOUTS, STATEFULSETS, Obj
from bot.sandbox.cluster.rollouts import template_of
from bot.sandbox.cluster.store import Store
from bot.sandbox.cluster.world import containers

KINDS = (DEPLOYMENTS, STATEFULSETS, DAEMONSETS, ROLLOUTS, CRONJOBS, JOBS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One workload: `wanted` images of its template, `running` images of its ready pods, `health` in Argo CD's words."""

    kind: str
    namespace: str
    name: str
    wanted: tuple[str, ...]
    running: tuple[str, ...]
    health: str
    message: str = ""

    def versions(self, repository: str) -> tuple[str, ...]:
        """The versions (tag, or digest where there is no tag) of a repository that its ready pods run; of a CronJob: that it wants."""
        listed = self.running or (self.wanted if self.kind in ("CronJob", "Job") else ())
        found = (image(reference) for reference in listed)
        return tuple(sorted({one.tag or one.digest for one in found if one.repository == full_name(repository)}))


def workloads(store: Store, repository: str | None = None) -> list[Running]:
    """All workloads, or those whose template wants an image of a repository; Jobs of CronJobs left out."""
    with store.lock:
        found = [_running(store, obj) for resource in KINDS for obj in store.all(resource) if not obj["metadata"].get("ownerReferences")]
    if repository is None:
        return found
    wanted = full_name(repository)
    return [one for one in found if any(image(reference).repository == wanted for reference in one.wanted)]


def _running(store: Store, obj: Obj) -> Running:
    spec = obj.get("spec") or {}
    own = ((spec.get("jobTemplate") or {}).get("spec") or spec).get("template") or {}
    template = template_of(store, obj) if obj["kind"] == "Rollout" else own
    wanted = sorted({str(container.get("image", "")) for _, container in containers(template.get("spec") or {})})
    state, message = health(obj)
    real = {str(container.get("image", "")) for pod in _pods(store, obj) if is_ready(pod) for _, container in containers(pod["spec"])}
    meta = obj["metadata"]
    return Running(kind=obj["kind"], namespace=meta.get("namespace", ""), name=meta["name"], wanted=tuple(wanted),
                   running=tuple(sorted(real)), health=state, message=message)  # fmt: skip


def _pods(store: Store, obj: Obj) -> Iterator[Obj]:
    uid = obj["metadata"]["uid"]
    yield from store.owned(PODS, uid)
    for replicaset in store.owned(REPLICASETS, uid):
        yield from store.owned(PODS, replicaset["metadata"]["uid"])
