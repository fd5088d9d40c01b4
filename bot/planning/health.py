"""How a service stands in a stage's cluster, for the release that git declares there.

Pure over the cluster's snapshot. A service's workloads are those that want one of its images, and the objects its
slots stand in. One degraded workload of several makes the service degraded; a workload that wants another version than
git declares makes it progressing (not taken yet); nothing found is unknown, never healthy.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from bot.config.stage import Rollout
from bot.domain.facts import Health, ServiceView
from bot.domain.image import known_as
from bot.domain.order import same
from bot.domain.release import Release
from bot.domain.replicas import Replicas, WorkloadKey
from bot.domain.rollout import ClusterSnapshot, RolloutState, WorkloadState, combine
from bot.domain.slot import Holds, Slot
from bot.planning.replicas import compared
from bot.planning.steadiness import steadied

PATIENCE = Rollout()
NO_REPLICAS: Mapping[WorkloadKey, Replicas] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Running:
    """The declared workloads (not those that a controller made) of a stage, by image name and by (kind, name).

    Made once for all services of a stage: with a search through all workloads per service, a thousand services take a minute.
    """

    by_image: Mapping[str, list[WorkloadState]]
    by_name: Mapping[tuple[str, str], list[WorkloadState]]


def running(workloads: Iterable[WorkloadState]) -> Running:
    """The index of these workloads, each list in their order."""
    by_image: dict[str, list[WorkloadState]] = defaultdict(list)
    by_name: dict[tuple[str, str], list[WorkloadState]] = defaultdict(list)
    for workload in workloads:
        if workload.owner is None:
            by_name[workload.ref.kind, workload.ref.name].append(workload)
            for name in {found.name for image in workload.images for found in known_as(image)}:
                by_image[name].append(workload)
    return Running(dict(by_image), dict(by_name))


def healths(
    services: Mapping[str, ServiceView],
    snapshot: ClusterSnapshot,
    *,
    recorded: Mapping[str, Health],
    now: datetime,
    rollout: Rollout = PATIENCE,
    replicas: Mapping[WorkloadKey, Replicas] = NO_REPLICAS,
) -> dict[str, Health]:
    """Each service's health at `now`; `recorded` are those that were seen last, `rollout` the stage's patience, `replicas` git's."""
    found = running(snapshot.workloads)
    judged = {name: _health(view, snapshot, found, last=recorded.get(name), now=now) for name, view in services.items()}
    if replicas:
        judged = {name: compared(health, snapshot, found.by_name, replicas, last=recorded.get(name)) for name, health in judged.items()}
    return {name: steadied(health, recorded.get(name), rollout=rollout, now=now) for name, health in judged.items()}


def _health(view: ServiceView, snapshot: ClusterSnapshot, found: Running, *, last: Health | None, now: datetime) -> Health:
    """`since` carries over from `last` while state, release and being taken are the same."""
    state, reason, taken, workloads = _judge(view, snapshot, found)
    unchanged = last is not None and last.state is state and last.taken == taken and _same_or_both_missing(last.release, view.release)
    return Health(
        service=view.service,
        state=state,
        release=view.release,
        since=last.since if unchanged and last is not None else now,
        reason=reason,
        taken=taken,
        running=tuple(sorted({image for workload in workloads for image in workload.images})),
        workloads=workloads,
    )


def _judge(view: ServiceView, snapshot: ClusterSnapshot, running: Running) -> tuple[RolloutState, str, bool, tuple[WorkloadState, ...]]:
    if not snapshot.reachable:
        return RolloutState.UNKNOWN, snapshot.problem or "the cluster has not been looked at yet", False, ()
    if view.release is None:
        return RolloutState.UNKNOWN, "git does not say which version should run here", False, ()
    found: dict[str, WorkloadState] = {}
    behind: list[str] = []
    missing: list[str] = []
    for slot in view.slots:
        matches = workloads_of(slot, running)
        if not matches:
            missing.append(f"{slot.artifact} ({slot.path}:{slot.line})")
        for workload in matches:
            found[str(workload.ref)] = workload
            behind.extend(_behind(slot, workload))
    workloads = tuple(found[key] for key in sorted(found))
    if not workloads:
        return RolloutState.UNKNOWN, f"no workload in the cluster runs {', '.join(missing)}", False, ()
    if behind:
        degraded = next((workload for workload in workloads if workload.state is RolloutState.DEGRADED), None)
        tail = f"; {degraded.ref} is degraded: {degraded.reason}" if degraded is not None else ""
        return RolloutState.PROGRESSING, f"{behind[0]}{tail}", False, workloads
    state = combine(workload.state for workload in workloads)
    worst = next(workload for workload in workloads if workload.state is state)
    reason = f"{worst.ref}: {worst.reason}" if state is not RolloutState.HEALTHY else f"{len(workloads)} of {len(workloads)} healthy"
    return state, reason, True, workloads


def workloads_of(slot: Slot, running: Running) -> list[WorkloadState]:
    """The declared workloads that a slot's version runs in."""
    if _runs_in_pods(slot):
        by_image = running.by_image.get(slot.artifact, [])
        runners = [workload for workload in by_image if workload.revision is None]
        return runners or by_image
    if slot.owner is None:
        return []
    named = running.by_name.get((slot.owner.kind, slot.owner.name), [])
    return [workload for workload in named if slot.owner.namespace in ("", workload.ref.namespace)]


def _behind(slot: Slot, workload: WorkloadState) -> list[str]:
    """Sentences on where the workload wants another version than the slot declares; empty when it took it."""
    if not _runs_in_pods(slot):
        if workload.revision is None or slot.version.tag is None or _speaks_of(workload.revision, slot.version.tag):
            return []
        return [f"{workload.ref} still stands at {workload.revision}, git declares {slot.version}"]
    sentences = []
    for parsed in (found for image in workload.images for found in known_as(image)):
        if parsed.name == slot.artifact and not same(parsed.version, slot.version):
            sentences.append(f"{workload.ref} still wants {parsed.version}, git declares {slot.version}")
    return sentences


def _runs_in_pods(slot: Slot) -> bool:
    """Whether workloads name the slot's image; what an OCIRepository brings (manifests) is known by its revision alone."""
    return slot.holds is Holds.IMAGE and (slot.owner is None or slot.owner.kind != "OCIRepository")


def _speaks_of(revision: str, tag: str) -> bool:
    """True when an agent's revision ("1.2.3", "1.2.3+0f3a", "v1.2.3@sha256:…", "v1.2.3@sha1:…") is of this version."""
    name, _, _ = revision.partition("@")
    return tag in (revision, name, name.partition("+")[0]) or _is_commit(revision)


def _is_commit(revision: str) -> bool:
    return len(revision) == 40 and all(sign in "0123456789abcdef" for sign in revision)


def _same_or_both_missing(left: Release | None, right: Release | None) -> bool:
    return left == right
