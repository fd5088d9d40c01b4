"""Whether a cluster wants as many replicas as git declares, autoscalers excepted.

Decides from a service's workloads, what the stage's manifests declare for certain, and who else decides their number. Pure. A number that
git leaves open is nobody's drift; where nobody can tell whether an autoscaler owns it, that is remarked and not called drift.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.domain.facts import Health
from bot.domain.replicas import Replicas, WorkloadKey
from bot.domain.rollout import ClusterSnapshot, RolloutState, WorkloadState
from bot.messages import standings as say


def compared(
    health: Health,
    snapshot: ClusterSnapshot,
    by_name: Mapping[tuple[str, str], Sequence[WorkloadState]],
    declared: Mapping[WorkloadKey, Replicas],
    *,
    last: Health | None,
) -> Health:
    """The health with its drift of replicas. It is asked only once the cluster took the version that git declares."""
    if not health.taken or health.state is RolloutState.UNKNOWN:
        return health
    differing = [
        (workload, wanted)
        for workload in health.workloads
        if (wanted := _declared(workload, by_name, declared)) is not None and workload.replicas not in (None, wanted.count)
    ]
    if snapshot.deciders is None:
        if not snapshot.deciders_problem:
            return health
        sentences = [say.replicas_untold(workload, wanted, snapshot.deciders_problem) for workload, wanted in differing]
        return replace(health, remark=sentences[0]) if sentences else health
    free = [pair for pair in differing if (pair[0].ref.kind, pair[0].ref.namespace, pair[0].ref.name) not in snapshot.deciders]
    if not free:
        return health
    since = last.drift_since if last is not None and last.drift_since is not None and last.release == health.release else snapshot.at
    return replace(health, drift=say.replicas_differ(free), drift_since=since)


def _declared(
    workload: WorkloadState, by_name: Mapping[tuple[str, str], Sequence[WorkloadState]], declared: Mapping[WorkloadKey, Replicas]
) -> Replicas | None:
    """What git says of a workload. A manifest without a namespace speaks for certain only where the name stands once."""
    ref = workload.ref
    exact = declared.get((ref.kind, ref.namespace, ref.name))
    if exact is not None or len(by_name.get((ref.kind, ref.name), ())) != 1:
        return exact
    return declared.get((ref.kind, "", ref.name))
