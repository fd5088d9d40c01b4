"""A rollout: what a cluster does after a merge, and how one workload of it stands.

Holds the nouns, and how several states add up to one. How an object's fields become a state is decided in
`workloads`, one file per kind; how long a rollout may take is decided by the watch there; which workloads belong
to a promotion is decided in `planning`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.replicas import WorkloadKey


class RolloutState(StrEnum):
    """How a workload, or a whole rollout, stands. Only a time limit makes `timed_out`; no single object says it."""

    PROGRESSING = "progressing"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    SUSPENDED = "suspended"
    UNKNOWN = "unknown"
    TIMED_OUT = "timed_out"


WORST_FIRST = (
    RolloutState.DEGRADED,
    RolloutState.TIMED_OUT,
    RolloutState.UNKNOWN,
    RolloutState.PROGRESSING,
    RolloutState.SUSPENDED,
    RolloutState.HEALTHY,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What one object says about itself; `reason` is a sentence that carries the workload's own message."""

    state: RolloutState
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class WorkloadRef:
    """The name of one object in one cluster, for example Deployment shop/web of apps/v1."""

    kind: str
    namespace: str
    name: str
    api_version: str

    def __str__(self) -> str:
        """As people write it: `Deployment shop/web`; without a namespace where the object has none."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadState:
    """One workload as it stood at `observed_at` (UTC).

    `images` are those of the pod template that is wanted (`spec.template`), init containers included; they say
    nothing about what runs unless `state` is healthy. `revision` is what a GitOps agent says it took (a commit or a
    chart version), None where the object speaks of no revision. `uid` tells an object from a later one of its name.
    `owner` is the controller that made the object, None for the ones that people or an agent declare.
    `generation` and `replicas` (wanted) are None where the kind has none. `rolled_out` is False where not every pod has
    the wanted template though the field may call the object healthy (OnDelete); `restarts` counts those of the newest
    pods. A workload that is gone has the state unknown and no images.
    """

    ref: WorkloadRef
    images: tuple[str, ...]
    state: RolloutState
    reason: str
    observed_at: datetime
    revision: str | None = None
    uid: str = ""
    generation: int | None = None
    replicas: int | None = None
    rolled_out: bool = True
    restarts: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    owner: WorkloadRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSnapshot:
    """All workloads of one stage's cluster as known at `at` (UTC): the last word of its watches.

    `reachable` is False where the cluster, or a part of it that the stage needs, could not be seen: then `problem` says what,
    why, since when and how to mend it, `workloads` are those last seen, and none of them may pass for what runs now.
    `timelines` are the latest changes of each workload, oldest first, the present state last. `deciders` name who decides the replicas
    of a workload beside its manifest (an autoscaler, an agent that patches it); None where nobody can tell, and `deciders_problem` why
    (empty before the first answers).
    """

    at: datetime
    reachable: bool
    problem: str = ""
    workloads: tuple[WorkloadState, ...] = ()
    timelines: Mapping[WorkloadRef, tuple[WorkloadState, ...]] = field(default_factory=dict)
    deciders: Mapping[WorkloadKey, str] | None = None
    deciders_problem: str = ""


def combine(states: Iterable[RolloutState]) -> RolloutState:
    """The state of several parts together: the worst of them; unknown when there is none (nothing seen is not health)."""
    present = set(states)
    return next((state for state in WORST_FIRST if state in present), RolloutState.UNKNOWN)
