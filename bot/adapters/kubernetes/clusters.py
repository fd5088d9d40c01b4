"""All stages' clusters behind one port: snapshots for free, changes by callback, and a nudge for the GitOps agent.

Decides which stages have a cluster to watch. What a snapshot means is left to planning.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from bot.adapters import argocd, flux
from bot.adapters.kubernetes import access
from bot.adapters.kubernetes.api import Api, Rejected, Unreachable
from bot.adapters.kubernetes.kinds import KINDS
from bot.adapters.kubernetes.refusals import patch_rbac
from bot.adapters.kubernetes.stage import StageWatch
from bot.config.stage import Cluster
from bot.domain.errors import Refused, TransientError, UserError
from bot.domain.rollout import ClusterSnapshot, WorkloadRef

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class KubernetesClusters:
    """The clusters of all stages that name one. `clock` tells UTC. Start it once; close it at the end."""

    clusters: Mapping[str, Cluster]
    clock: Callable[[], datetime]
    watches: dict[str, StageWatch] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    callbacks: list[Callable[[str], None]] = field(default_factory=list)

    def start(self) -> None:
        """Begin to watch. A stage whose credentials cannot be used is unseen and says why; the others go on."""
        for stage, cluster in self.clusters.items():
            try:
                api = Api(configuration=access.configure(cluster))
            except UserError as error:
                self.refusals[stage] = f"stage {stage}: {error.what}" + (f"; {error.fix}" if error.fix else "")
                continue
            watch = StageWatch(stage=stage, cluster=cluster, clock=self.clock, notify=self.changed, api=api)
            self.watches[stage] = watch
            watch.start()

    def close(self) -> None:
        """Stop all watches."""
        for watch in self.watches.values():
            watch.stop.set()
        for watch in self.watches.values():
            watch.close()

    def snapshot(self, stage: str) -> ClusterSnapshot:
        """What is known of the stage's cluster now; no request is made."""
        watch = self.watches.get(stage)
        if watch is not None:
            return watch.snapshot()
        problem = self.refusals.get(stage) or f"stage {stage} names no cluster, so nobody can say what runs there; add `cluster:` to it"
        return ClusterSnapshot(at=self.clock(), reachable=False, problem=problem)

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call back with the stage's name, from a thread of the watch, when something in its cluster changed."""
        self.callbacks.append(callback)

    def changed(self, stage: str) -> None:
        """Tell all callbacks; one that fails does not stop the watch."""
        for callback in self.callbacks:
            try:
                callback(stage)
            except Exception:
                log.exception("a callback about a cluster's change failed", stage=stage)

    def sync(self, stage: str) -> None:
        """Ask the stage's agent to look at git now: one patch per Application, or per source and Kustomization.

        Nothing happens where the stage has no agent. Refused with the rule or the namespace to add; TransientError when the API
        does not answer.
        """
        watch = self.watches.get(stage)
        if watch is None or watch.cluster.agent == "none":
            return
        body = argocd.look_again() if watch.cluster.agent == "argocd" else flux.look_again(self.clock())
        wanted = argocd.ASKED if watch.cluster.agent == "argocd" else flux.ASKED
        snapshot = watch.snapshot()
        if not snapshot.reachable:
            raise TransientError(f"the cluster of {stage} cannot be asked: {snapshot.problem or 'it has not been looked at yet'}")
        asked = [state.ref for state in snapshot.workloads if state.ref.kind in wanted]
        if not asked:
            raise Refused(
                f"No {listed(wanted)} is seen in the cluster of {stage}, so there is none to ask",
                where=f"stage {stage}",
                fix="name the namespaces that it stands in under `cluster.agent_namespaces`",
            )
        for ref in asked:
            ask(watch.api, ref, body, stage)


def listed(kinds: Collection[str]) -> str:
    """`Application`, or `GitRepository, HelmRelease or Kustomization`."""
    *first, last = sorted(kinds)
    return f"{', '.join(first)} or {last}" if first else last


def ask(api: Api, ref: WorkloadRef, body: Mapping[str, object], stage: str) -> None:
    """One patch of an agent's object; an object that is gone meanwhile needs none."""
    kind = next(kind for kind in KINDS if kind.kind == ref.kind)
    path = f"{kind.path(ref.api_version.rpartition('/')[2], ref.namespace)}/{ref.name}"
    try:
        api.patch(path, body, label=f"patch {kind.plural}")
    except Rejected as error:
        if error.status == 404:
            return
        if error.status in (401, 403):
            raise Refused(
                f"The bot may not ask {ref} to look at git: {error.what}", where=f"stage {stage}", fix=patch_rbac(kind, ref.namespace)
            ) from None
        raise TransientError(f"{ref} could not be asked to look at git: {error.what}", retry_after=error.retry_after) from None
    except Unreachable as error:
        raise TransientError(f"{ref} could not be asked to look at git: {error.what}") from None
