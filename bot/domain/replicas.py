"""How many pods git wants of a workload, as its manifest says, and what Kustomize makes of it.

Pure data. Finding it in files belongs to `manifests.replicas`, comparing it with a cluster to `planning.replicas`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

WorkloadKey = tuple[str, str, str]
"""Kind, namespace (empty where the manifest names none) and name."""
SCALED = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "Rollout"})
"""The kinds whose `spec.replicas` is the number of their pods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas:
    """One manifest's `spec.replicas`. `count` is None where something else than a plain number stands there."""

    path: str
    line: int
    kind: str
    namespace: str
    name: str
    count: int | None

    @property
    def key(self) -> WorkloadKey:
        """Of which workload it speaks."""
        return self.kind, self.namespace, self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Kustomized:
    """One kustomization file. `resources` are what it brings, `counts` its `replicas` by the workload's name.

    `rewrites`: it holds something (patches, components, a name's prefix ...) that may give any of its workloads another number or name.
    """

    path: str
    resources: tuple[str, ...]
    counts: Mapping[str, int | None]
    rewrites: bool
